// The floor that the kernel sets: answers every query with the query itself and one A record, and looks at nothing.
// One epoll loop a thread, as many datagrams with one system call as there are, like the fastest of servers.
//
//   echo PORT THREADS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 4096, CONNECTIONS = 1024 };

// Owner (the question), A, IN, a day, and the address.
static const uint8_t record[16] = {0xC0, 12, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 198, 18, 0, 1};
static int port;

// Turns a query into its response, in place; its new length, or 0 for what is no query.
static size_t respond(uint8_t *message, size_t length) {
    if (length < 17 || length + sizeof record > SIZE || message[2] & 0x80) return 0;
    message[2] |= 0x80;
    message[3] = 0x80;
    message[7] = 1;
    if (message[11]) return length;  // what follows an OPT record would be no answer
    memcpy(message + length, record, sizeof record);
    return length + sizeof record;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

// A socket on the port that other threads may share.
static int bound(int kind) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, kind | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0) fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) fail("bind");
    return fd;
}

// Answers the datagrams that wait.
static void answer_datagrams(int fd) {
    static _Thread_local uint8_t data[BATCH][SIZE];
    static _Thread_local struct sockaddr_in clients[BATCH];
    static _Thread_local struct iovec parts[BATCH];
    static _Thread_local struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){data[i], SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &clients[i], .msg_namelen = sizeof clients[i],
                                              .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int received = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL), ready = 0;
    for (int i = 0; i < received; i++) {
        size_t length = respond(data[i], messages[i].msg_len);
        if (!length) continue;
        parts[i].iov_len = length;
        messages[ready++].msg_hdr = messages[i].msg_hdr;
    }
    for (int sent = 0, n; sent < ready; sent += n)
        if ((n = sendmmsg(fd, messages + sent, ready - sent, 0)) <= 0) return;
}

// Bytes of a connection that have no end yet.
static struct stream { size_t length; uint8_t data[16 * SIZE]; } *streams[CONNECTIONS];

// Answers the queries of a connection that have come as a whole; 0 when it is over.
static int answer_stream(int fd) {
    static _Thread_local uint8_t output[32 * SIZE];
    struct stream *stream = streams[fd];
    ssize_t n = read(fd, stream->data + stream->length, sizeof stream->data - stream->length);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    stream->length += n;
    size_t start = 0, end = 0;
    while (stream->length - start >= 2) {
        size_t length = stream->data[start] << 8 | stream->data[start + 1];
        if (length > SIZE / 2) return 0;
        if (stream->length - start < 2 + length || end + 2 + SIZE > sizeof output) break;
        memcpy(output + end + 2, stream->data + start + 2, length);
        size_t full = respond(output + end + 2, length);
        output[end] = full >> 8;
        output[end + 1] = full;
        end += 2 + full;
        start += 2 + length;
    }
    memmove(stream->data, stream->data + start, stream->length -= start);
    return end == 0 || write(fd, output, end) == (ssize_t)end;
}

static void *serve(void *unused) {
    int epoll = epoll_create1(0), datagrams = bound(SOCK_DGRAM), listener = bound(SOCK_STREAM);
    if (listen(listener, 128)) fail("listen");
    int fds[] = {datagrams, listener};
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fds[i]}};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event)) fail("epoll_ctl");
    }
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == datagrams) {
                answer_datagrams(fd);
            } else if (fd == listener) {
                int on = 1, client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0) continue;
                struct epoll_event event = {.events = EPOLLIN, .data = {.fd = client}};
                if (client >= CONNECTIONS || !(streams[client] = calloc(1, sizeof(struct stream))) ||
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
                    epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event))
                    close(client);
            } else if (!answer_stream(fd)) {
                free(streams[fd]);
                streams[fd] = NULL;
                close(fd);
            }
        }
    }
    return unused;
}

int main(int count, char **arguments) {
    int threads = count == 3 ? atoi(arguments[2]) : 0;
    if (count != 3 || (port = atoi(arguments[1])) <= 0 || threads <= 0) {
        fprintf(stderr, "usage: echo PORT THREADS\n");
        return 64;
    }
    pthread_t thread;
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread, NULL, serve, NULL)) fail("pthread_create");
    serve(NULL);
}
