// A client that sends the same queries as fast as it can and reads no answers: what a broken or hostile program does.
//
//   flood ADDRESS PORT NAME COUNT SECONDS [PORTS]
//
// NAME may have a run of #, where a number from 0 to COUNT - 1 goes, round and round; PORTS sockets take turns. Prints how
// many were sent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 300 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: flood ADDRESS PORT NAME COUNT SECONDS [PORTS]\n");
        return 64;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    const char *name = argv[3];
    uint64_t count = strtoull(argv[4], NULL, 10), number = 0, sent = 0;
    int ports = argc > 6 ? atoi(argv[6]) : 1;
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || strlen(name) > 250 || !count || ports < 1 || ports > 64) {
        fprintf(stderr, "flood: an argument is not right\n");
        return 64;
    }
    int sockets[64];
    for (int i = 0; i < ports; i++) {
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (sockets[i] < 0 || connect(sockets[i], (struct sockaddr *)&server, sizeof server)) {
            perror("flood");
            return 1;
        }
    }
    static uint8_t data[BATCH][SIZE];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    for (double end = now() + atof(argv[5]); now() < end;) {
        for (int i = 0; i < BATCH; i++, number++) {
            uint8_t *message = data[i];
            memcpy(message, (uint8_t[]){number >> 8, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, 12);
            uint64_t rest = number % count;
            size_t label = 12, at = 13;
            for (const char *c = name; *c; c++) {
                if (*c == '.') {
                    message[label] = at - label - 1;
                    label = at++;
                } else {
                    message[at++] = *c;
                }
            }
            message[label] = at - label - 1;
            for (size_t place = at; place-- > 13;)
                if (message[place] == '#') {
                    message[place] = '0' + rest % 10;
                    rest /= 10;
                }
            memcpy(message + at, (uint8_t[]){0, 0, 1, 0, 1}, 5);
            parts[i] = (struct iovec){message, at + 5};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        }
        int n = sendmmsg(sockets[number / BATCH % ports], messages, BATCH, 0);
        if (n > 0) sent += n;
    }
    printf("%llu\n", (unsigned long long)sent);
}
