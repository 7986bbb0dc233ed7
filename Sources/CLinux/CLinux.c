#include "CLinux.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_prctl(int option, unsigned long first, unsigned long second) {
    return prctl(option, first, second, 0UL, 0UL);
}

int clinux_niceness(void) { return getpriority(PRIO_PROCESS, 0); }

int clinux_set_niceness(int niceness) { return setpriority(PRIO_PROCESS, 0, niceness); }

// Of linux/sched/types.h, which glibc 2.36 cannot stand beside its own sched.h: the first version, which every kernel takes.
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

int clinux_set_slice(uint64_t nanoseconds) {
    struct scheduling scheduling;
    if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof scheduling, 0U) != 0) return -1;
    scheduling.runtime = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &scheduling, 0U);
}

int64_t clinux_slice(void) {
    struct scheduling scheduling;
    if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof scheduling, 0U) != 0) return -1;
    return (int64_t)scheduling.runtime;
}

int clinux_set_users(uid_t user) { return setresuid(user, user, user); }

int clinux_set_groups(gid_t group) { return setresgid(group, group, group); }

int clinux_is_user(uid_t user) {
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) == 0 && real == user && effective == user && saved == user;
}

int clinux_is_group(gid_t group) {
    gid_t real, effective, saved;
    return getresgid(&real, &effective, &saved) == 0 && real == group && effective == group && saved == group;
}

uint64_t clinux_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets) != 0) return UINT64_MAX;
    uint64_t all = 0;
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
        all |= (uint64_t)(sets[word].effective | sets[word].permitted | sets[word].inheritable) << (32 * word);
    }
    return all;
}

int clinux_drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &header, none);
}
