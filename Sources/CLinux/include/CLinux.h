// What the Glibc module does not show: batched datagrams, epoll, eventfd, control messages, the rights of a process
// and how it allocates.
// Import Glibc beside it, or bind() and its like want other pointer types.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

// Other modules see fd_set as it is without _GNU_SOURCE; the compiler refuses two definitions of one structure.
#include <features.h>
#pragma push_macro("__USE_XOPEN")
#undef __USE_XOPEN
#include <sys/select.h>
#pragma pop_macro("__USE_XOPEN")

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/// Bytes of control data that one datagram needs for its local address, either family.
enum { CLINUX_CONTROL_SIZE = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

/// Asks for the local address of every datagram that arrives at `fd`; 0, or -1 and errno.
static inline int clinux_enable_packet_info(int fd, int family) {
    int on = 1;
    return family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                              : setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

/// Keeps the local address of a received datagram and drops the rest of its control data, so that the same
/// header sends the reply from the address that was asked. The interface is kept only for link-local addresses.
static inline void clinux_keep_local_address(struct msghdr *message) {
    size_t kept = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            info.ipi_spec_dst = info.ipi_spec_dst.s_addr ? info.ipi_spec_dst : info.ipi_addr;
            info.ipi_ifindex = 0;
            struct cmsghdr *out = (struct cmsghdr *)message->msg_control;
            out->cmsg_level = IPPROTO_IP;
            out->cmsg_type = IP_PKTINFO;
            out->cmsg_len = CMSG_LEN(sizeof info);
            memcpy(CMSG_DATA(out), &info, sizeof info);
            kept = CMSG_SPACE(sizeof info);
            break;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
            struct cmsghdr *out = (struct cmsghdr *)message->msg_control;
            out->cmsg_level = IPPROTO_IPV6;
            out->cmsg_type = IPV6_PKTINFO;
            out->cmsg_len = CMSG_LEN(sizeof info);
            memcpy(CMSG_DATA(out), &info, sizeof info);
            kept = CMSG_SPACE(sizeof info);
            break;
        }
    }
    message->msg_controllen = kept;
}

/// Takes a connection from a listening socket, close-on-exec; -1 and errno.
static inline int clinux_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC); }

/// Ends both directions of a socket, for whoever has it open.
static inline int clinux_shutdown(int fd) { return shutdown(fd, SHUT_RDWR); }

/// Descriptors that one message carries at most.
enum { CLINUX_MAX_DESCRIPTORS = 64 };

/// Sends one message with so many descriptors (SCM_RIGHTS, unix(7)); its bytes, or -1 and errno.
static inline ssize_t clinux_send_descriptors(int fd, const void *bytes, size_t length, const int *descriptors,
                                              int count) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_DESCRIPTORS)];
        struct cmsghdr alignment;
    } control = {{0}};
    struct iovec part = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > CLINUX_MAX_DESCRIPTORS) count = CLINUX_MAX_DESCRIPTORS;
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/// Receives one message and the descriptors with it, close-on-exec, for which there is room for
/// CLINUX_MAX_DESCRIPTORS; its bytes, 0 at the end, or -1 and errno.
static inline ssize_t clinux_receive_descriptors(int fd, void *bytes, size_t length, int *descriptors, int *count) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_DESCRIPTORS)];
        struct cmsghdr alignment;
    } control;
    struct iovec part = {bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    *count = 0;
    ssize_t received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        int own = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors + *count, CMSG_DATA(c), sizeof(int) * (size_t)own);
        *count += own;
    }
    return received;
}

/// Processors in a set.
static inline int clinux_cpu_count(const cpu_set_t *set) { return CPU_COUNT(set); }

/// How much the calling thread gives way to others (nice(2)).
int clinux_niceness(void);

/// Sets that, for the calling thread alone; 0, or -1 and errno.
int clinux_set_niceness(int niceness);

/// Nanoseconds that the calling thread gets of its core at a time beside others; -1 and errno where the kernel does not say.
int64_t clinux_slice(void);

/// Asks for that, 100,000 to 100,000,000; a kernel before 6.12 takes it and does nothing. 0, or -1 and errno.
int clinux_set_slice(uint64_t nanoseconds);

/// Names a thread for `top` and `ps`; the kernel keeps 15 characters.
static inline void clinux_name_thread(pthread_t thread, const char *name) { pthread_setname_np(thread, name); }

/// `prctl(2)` with two arguments, for the calling thread; its result, or -1 and errno.
int clinux_prctl(int option, unsigned long first, unsigned long second);

/// Makes `user` the real, effective and saved user of all threads; 0, or -1 and errno.
int clinux_set_users(uid_t user);

/// Makes `group` the real, effective and saved group of all threads; 0, or -1 and errno.
int clinux_set_groups(gid_t group);

/// Whether `user` is the real, effective and saved user of the calling thread.
int clinux_is_user(uid_t user);

/// Whether `group` is the real, effective and saved group of the calling thread.
int clinux_is_group(gid_t group);

/// The capabilities that are in one of the calling thread's sets, effective, permitted or inheritable; a bit each.
uint64_t clinux_capabilities(void);

/// Takes all capabilities out of these sets of the calling thread; 0, or -1 and errno.
int clinux_drop_capabilities(void);

#endif
