// The floor of forwarding: what the kernel takes to bring a query to an upstream and its answer back, from random ports.
// It looks at nothing, keeps nothing, and waits for no answer: the ID is replaced by a random one, and put back.
// One epoll loop, as many datagrams with one system call as there are.
//
//   forward PORT UPSTREAM SOCKETS
//
// SOCKETS are those that ask the upstream: each query takes one of them by chance, and after 256 queries another one takes
// its place, as in dnsproxyd. With one there is one port, that stays.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 4096, SOCKETS = 64, USES = 256, IDS = 65536 };

// Who waits for the answer with an ID.
struct waiter { struct sockaddr_in client; uint16_t id; uint8_t waits; };

// A socket that asks the upstream; `out` are the queries without an answer.
static struct upstream { int fd, uses, out; struct waiter waiters[IDS]; } *upstreams[2 * SOCKETS];
static struct sockaddr_in server;
static int epoll, listener, used;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t random_number(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state >> 16;
}

// Watches a socket; `number` is that of the upstream's, or -1.
static void watch(int fd, int number) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = number}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

// Opens the socket at a place, at a port of the kernel's choice.
static void open_upstream(int number) {
    if (!upstreams[number] && !(upstreams[number] = calloc(1, sizeof(struct upstream)))) fail("calloc");
    struct upstream *upstream = upstreams[number];
    upstream->uses = upstream->out = 0;
    if ((upstream->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) < 0) fail("socket");
    if (connect(upstream->fd, (struct sockaddr *)&server, sizeof server)) fail("connect");
    watch(upstream->fd, number);
}

// Has another socket take the place of one that was used enough, which waits for its answers in the other half of the
// places. What still waits there was lost: it has had as long as the whole use of another socket.
static void replace(int place) {
    struct upstream *old = upstreams[place], *retired = upstreams[place + SOCKETS];
    if (!old->out) {
        close(old->fd);
    } else {
        if (retired && retired->out) {
            close(retired->fd);
            memset(retired, 0, sizeof *retired);
        }
        upstreams[place] = retired;
        upstreams[place + SOCKETS] = old;
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = place + SOCKETS}};
        if (epoll_ctl(epoll, EPOLL_CTL_MOD, old->fd, &event)) fail("epoll_ctl");
    }
    open_upstream(place);
}

// The batch that is received into, and the one that is sent.
static uint8_t data[BATCH][SIZE];
static struct sockaddr_in clients[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr received[BATCH], replies[BATCH];

// Takes what waits at a socket.
static int take(int fd) {
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){data[i], SIZE};
        received[i].msg_hdr = (struct msghdr){.msg_name = &clients[i], .msg_namelen = sizeof clients[i],
                                              .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    return recvmmsg(fd, received, BATCH, MSG_DONTWAIT, NULL);
}

// Asks the upstream what clients have asked.
static void ask(void) {
    int count = take(listener);
    for (int i = 0; i < count; i++) {
        if (received[i].msg_len < 12) continue;
        int place = random_number() % used;
        if (used > 1 && upstreams[place]->uses >= USES) replace(place);
        struct upstream *upstream = upstreams[place];
        // One that nobody waits for; where there is none nearby, one whose answer was lost.
        uint16_t id = random_number();
        for (int tries = 0; tries < NEARBY && upstream->waiters[id].waits; tries++) id++;
        struct waiter *waiter = &upstream->waiters[id];
        upstream->out -= waiter->waits;
        *waiter = (struct waiter){clients[i], data[i][0] << 8 | data[i][1], 1};
        data[i][0] = id >> 8;
        data[i][1] = id;
        upstream->uses++;
        upstream->out++;
        if (send(upstream->fd, data[i], received[i].msg_len, 0) < 0) waiter->waits = 0, upstream->out--;
    }
}

// Gives clients what an upstream has answered.
static void answer(int place) {
    struct upstream *upstream = upstreams[place];
    int count = take(upstream->fd), ready = 0;
    for (int i = 0; i < count; i++) {
        struct waiter *waiter = &upstream->waiters[data[i][0] << 8 | data[i][1]];
        if (received[i].msg_len < 12 || !waiter->waits) continue;
        waiter->waits = 0;
        upstream->out--;
        data[i][0] = waiter->id >> 8;
        data[i][1] = waiter->id;
        clients[i] = waiter->client;
        parts[i].iov_len = received[i].msg_len;
        replies[ready].msg_hdr = received[i].msg_hdr;
        replies[ready++].msg_hdr.msg_namelen = sizeof clients[i];
    }
    for (int sent = 0, n; sent < ready; sent += n)
        if ((n = sendmmsg(listener, replies + sent, ready - sent, 0)) <= 0) break;
    if (place >= SOCKETS && !upstream->out) close(upstream->fd);
}

int main(int count, char **arguments) {
    used = count == 4 ? atoi(arguments[3]) : 0;
    if (used < 1 || used > SOCKETS) {
        fprintf(stderr, "usage: forward PORT UPSTREAM SOCKETS\n");
        return 64;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    server = address;
    server.sin_port = htons(atoi(arguments[2]));
    epoll = epoll_create1(0);
    if ((listener = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) < 0) fail("socket");
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) fail("bind");
    watch(listener, -1);
    for (int i = 0; i < used; i++) open_upstream(i);
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < ready; i++)
            if ((int)events[i].data.u32 < 0) ask();
            else answer((int)events[i].data.u32);
    }
}
