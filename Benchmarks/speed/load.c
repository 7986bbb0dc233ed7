// A load generator for what dnsperf cannot do: many client addresses, names that are never repeated without a file of
// them, and latency percentiles at a rate that does not wait for slow answers.
//
//   load PORT NAME COUNT [key=value …]
//
// NAME has a run of #, where the decimal number of the name goes; numbers run from 0 to COUNT - 1 and round again, in
// steps of `stride`. Keys, with their defaults:
//
//   sources=1      clients, from 127.1.0.0 on, or 127.0.0.1 if it is one; name n is asked by client n % sources
//   ports=16       sockets
//   window=100     most queries without an answer, all sockets together
//   rate=0         queries a second, at random moments (Poisson); 0 is as many as the window lets
//   seconds=5      for so long; what is out then is waited for a second
//   queries=0      stop after so many, 0 is never
//   code=0         the response code that every answer has to have
//   answers=1      the least number of answer records in it
//   fresh=         another NAME for every tenth query, whose numbers run from `first` on and never again
//   first=0        the first number
//   stride=1       a number without a common divisor with COUNT
//
// Prints one JSON object. Latency is from the moment at which a query was due, in microseconds; that of a lost query is
// four seconds. A window in which nothing happens for a second is lost; answers that come later are counted as late.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 256, PORTS = 64, SLOTS = 65536, ANSWER = 2048 };

// A query with a number in its name.
struct pattern { uint8_t message[SIZE]; size_t length, digits, width; };

// One client socket: what is out by its ID, and a batch that is being made.
struct port {
    int fd;
    uint16_t next;
    uint64_t due[SLOTS];  // 0 is free
    int ready;
    uint8_t data[BATCH][SIZE];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    char control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static struct pattern name, fresh;
static struct port *ports[PORTS];
static struct sockaddr_in server;
static long sources = 1, port_count = 16, window = 100, queries, code, answers = 1, count, stride = 1;
static double rate, seconds = 5;
static uint64_t number, sent, received, wrong, late, lost, skipped, outstanding, first;
static uint32_t *latencies;  // nanoseconds, those above four seconds as four
static size_t room;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

// The query for a name with a run of #.
static void prepare(struct pattern *pattern, const char *text) {
    static const uint8_t header[12] = {0, 0, 1, 0, 0, 1};
    memcpy(pattern->message, header, 12);
    size_t label = 12, at = 13;
    for (const char *c = text;; c++) {
        if (at > SIZE - 8) { fprintf(stderr, "load: the name is too long\n"); exit(64); }
        if (*c == '.' || !*c) {
            pattern->message[label] = at - label - 1;
            label = at++;
            if (!*c) break;
        } else {
            if (*c == '#' && !pattern->width++) pattern->digits = at;
            pattern->message[at++] = *c;
        }
    }
    pattern->message[label] = 0;
    memcpy(pattern->message + label + 1, (uint8_t[]){0, 1, 0, 1}, 4);
    pattern->length = label + 5;
}

// Puts a query that is due at `due` into the batch of a port; 0 when its IDs are used up.
static int put(struct port *port, uint64_t due) {
    uint16_t id = port->next;
    if (port->due[id]) return 0;
    port->next++;
    port->due[id] = due;
    int isFresh = fresh.length && number % 10 == 9;
    const struct pattern *pattern = isFresh ? &fresh : &name;
    uint64_t value = isFresh ? first++ : fresh.length ? (number - number / 10) * stride % count
                                                      : (first + number) * stride % count;
    number++;
    int index = port->ready++;
    uint8_t *data = port->data[index];
    memcpy(data, pattern->message, pattern->length);
    data[0] = id >> 8;
    data[1] = id;
    uint64_t rest = value;
    for (size_t i = pattern->width; i-- > 0; rest /= 10) data[pattern->digits + i] = '0' + rest % 10;
    port->parts[index] = (struct iovec){data, pattern->length};
    struct msghdr *header = &port->messages[index].msg_hdr;
    *header = (struct msghdr){.msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &port->parts[index],
                              .msg_iovlen = 1};
    if (sources > 1) {
        header->msg_control = port->control[index];
        header->msg_controllen = sizeof port->control[index];
        struct cmsghdr *c = CMSG_FIRSTHDR(header);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
        struct in_pktinfo info = {.ipi_spec_dst = {htonl(0x7F010000 + value % sources)}};
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
    sent++;
    outstanding++;
    return 1;
}

// Sends the batch of a port.
static void flush(struct port *port) {
    for (int done = 0, n; done < port->ready; done += n) {
        if ((n = sendmmsg(port->fd, port->messages + done, port->ready - done, 0)) > 0) continue;
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR && errno != ECONNREFUSED) fail("sendmmsg");
        n = 0;
        poll(&(struct pollfd){port->fd, POLLOUT, 0}, 1, 1);
    }
    port->ready = 0;
}

// Takes the answers that wait at a port, and how many there were.
static int take(struct port *port) {
    static uint8_t data[BATCH][ANSWER];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){data[i], ANSWER};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(port->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    uint64_t time = n > 0 ? now() : 0;
    for (int i = 0; i < n; i++) {
        uint16_t id = data[i][0] << 8 | data[i][1];
        if (messages[i].msg_len < 12 || !(data[i][2] & 0x80)) {
            wrong++;
            continue;
        }
        if (!port->due[id]) {
            late++;
            continue;
        }
        if ((data[i][3] & 0xF) != code || (data[i][6] << 8 | data[i][7]) < answers) wrong++;
        uint64_t took = time - port->due[id];
        port->due[id] = 0;
        if (received < room) latencies[received] = took > 4000000000u ? 4000000000u : took;
        received++;
        outstanding--;
    }
    return n > 0 ? n : 0;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// Gives up all queries that have no answer.
static void give_up(void) {
    for (int i = 0; i < port_count; i++) memset(ports[i]->due, 0, sizeof ports[i]->due);
    lost += outstanding;
    outstanding = 0;
}

// The latency that a part of the answers did not exceed.
static double percentile(size_t total, double part) {
    return total ? latencies[(size_t)((total - 1) * part)] / 1e3 : 0;
}

// A random time until the next query, in nanoseconds.
static double gap(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return -log(((state >> 11) + 1) / 9007199254740993.0) * 1e9 / rate;
}

static void read_option(const char *text) {
    const char *value = strchr(text, '=');
    size_t length = value ? (size_t)(value - text) : 0;
    struct { const char *key; long *whole; double *real; uint64_t *big; } keys[] = {
        {"sources", &sources, 0, 0}, {"ports", &port_count, 0, 0}, {"window", &window, 0, 0}, {"rate", 0, &rate, 0},
        {"seconds", 0, &seconds, 0}, {"queries", &queries, 0, 0},  {"code", &code, 0, 0}, {"answers", &answers, 0, 0},
        {"first", 0, 0, &first},     {"stride", &stride, 0, 0}};
    if (length == 5 && !strncmp(text, "fresh", 5)) {
        prepare(&fresh, value + 1);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strlen(keys[i].key) != length || strncmp(text, keys[i].key, length)) continue;
        if (keys[i].whole) *keys[i].whole = atol(value + 1);
        if (keys[i].real) *keys[i].real = atof(value + 1);
        if (keys[i].big) *keys[i].big = strtoull(value + 1, NULL, 10);
        return;
    }
    fprintf(stderr, "load: what is %s?\n", text);
    exit(64);
}

int main(int argc, char **argv) {
    if (argc < 4 || (count = atol(argv[3])) <= 0) {
        fprintf(stderr, "usage: load PORT NAME COUNT [key=value ...]\n");
        return 64;
    }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    prepare(&name, argv[2]);
    for (int i = 4; i < argc; i++) read_option(argv[i]);
    if (port_count < 1 || port_count > PORTS || window < 1 || sources < 1 || sources > 65536) {
        fprintf(stderr, "load: a number is out of range\n");
        return 64;
    }
    room = rate > 0 ? rate * seconds * 1.2 + 1000 : 2000000;
    if (!(latencies = malloc(room * sizeof *latencies))) fail("malloc");
    memset(latencies, 0, room * sizeof *latencies);

    int epoll = epoll_create1(0);
    for (int i = 0; i < port_count; i++) {
        struct port *port = ports[i] = calloc(1, sizeof *port);
        if (!port || (port->fd = socket(AF_INET, SOCK_DGRAM, 0)) < 0) fail("socket");
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr = {htonl(sources > 1 ? INADDR_ANY : INADDR_LOOPBACK)}};
        if (bind(port->fd, (struct sockaddr *)&address, sizeof address)) fail("bind");
        setsockopt(port->fd, SOL_SOCKET, SO_RCVBUF, &(int){4 << 20}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = i}};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, port->fd, &event)) fail("epoll_ctl");
    }

    uint64_t start = now(), end = start + seconds * 1e9, time, last = start;
    double next = start;
    int turn = 0, refill = 1;
    while ((time = now()) < end && (!queries || sent < (uint64_t)queries)) {
        if (rate > 0) {
            // Moments that this program has missed, because something else ran in its place, are no server's fault.
            while (next + 1e6 <= time) {
                next += gap();
                skipped++;
            }
            // At random moments, whatever is out; the ports take turns.
            while (next <= time) {
                struct port *port = ports[turn++ % port_count];
                if (!put(port, (uint64_t)next)) lost++;
                next += gap();
                if (port->ready == BATCH) flush(port);
            }
            for (int i = 0; i < port_count; i++) {
                if (ports[i]->ready) flush(ports[i]);
                take(ports[i]);
            }
            continue;
        }
        for (int i = 0; i < port_count; i++) {
            struct port *port = ports[i];
            int answered = take(port);
            if (answered) last = time;
            int more = refill ? (window + port_count - 1) / port_count : answered;
            while (more-- > 0 && outstanding < (uint64_t)window && port->ready < BATCH &&
                   (!queries || sent < (uint64_t)queries) && put(port, time)) {}
            flush(port);
        }
        refill = 0;
        struct epoll_event events[PORTS];
        if (epoll_wait(epoll, events, PORTS, 100) == 0 && time - last > 1000000000) {
            give_up();
            refill = 1;
            last = time;
        }
    }
    double took = (now() - start) / 1e9;
    uint64_t in_time = received;
    for (uint64_t limit = now() + 1000000000; outstanding && now() < limit;) {
        poll(NULL, 0, 1);
        for (int i = 0; i < port_count; i++)
            while (take(ports[i])) {}
    }
    give_up();
    // What never came counts as the longest wait there is.
    for (uint64_t i = 0; i < lost && received + i < room; i++) latencies[received + i] = 4000000000u;
    size_t kept = received + lost < room ? received + lost : room;
    qsort(latencies, kept, sizeof *latencies, compare);
    printf("{\"sent\": %llu, \"received\": %llu, \"lost\": %llu, \"wrong\": %llu, \"late\": %llu, \"skipped\": %llu, "
           "\"seconds\": %.3f, \"rate\": %.0f, "
           "\"next\": %llu, \"p50\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}\n",
           (unsigned long long)sent, (unsigned long long)received, (unsigned long long)lost,
           (unsigned long long)wrong, (unsigned long long)late, (unsigned long long)skipped, took, in_time / took,
           (unsigned long long)(fresh.length ? first : first + number), percentile(kept, 0.5), percentile(kept, 0.99),
           percentile(kept, 0.999), percentile(kept, 1));
}
