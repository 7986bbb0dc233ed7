import CLinux
import Glibc

/// Rights beyond those of any user, and how the process gives them up for good.
///
/// Capabilities belong to a thread, and those that it starts have its; only users and groups are changed for all threads at
/// once. So all of this is for a process that has one thread.
enum Privileges {
    /// Whether the process has any capability. Root without one has no rights but those of its files' owner.
    static var hasCapabilities: Bool { clinux_capabilities() != 0 }

    /// Keeps programs that are executed from having more rights than this one (`no_new_privs`).
    /// - Throws: `SystemError` when the kernel does not know of it (before Linux 3.5).
    static func refuseMore() throws(SystemError) {
        guard clinux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0) == 0 else { throw SystemError("refuse new rights") }
    }

    /// Becomes `account`, if there is one, and gives up every capability and all ways to get one.
    /// - Throws: `SystemError` when the kernel does not let it, or would let it go back.
    static func drop(to account: Account?) throws(SystemError) {
        try refuseMore()
        // This takes a capability of its own; who has not got it can execute nothing that has more, for the above.
        var number: UInt = 0
        while clinux_prctl(PR_CAPBSET_READ, number, 0) >= 0 {
            _ = clinux_prctl(PR_CAPBSET_DROP, number, 0)
            number += 1
        }
        _ = clinux_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL), 0)
        if let account, !account.isOurs { try become(account) }
        guard clinux_drop_capabilities() == 0 else { throw SystemError("give up capabilities") }
        try verify(account)
    }

    /// Changes groups and users, in the order in which each step still may.
    private static func become(_ account: Account) throws(SystemError) {
        let what = "become the user \(account)"
        guard unsafe setgroups(account.groups.count, account.groups) == 0, clinux_set_groups(account.group) == 0,
            clinux_set_users(account.user) == 0
        else { throw SystemError(what) }
    }

    /// Looks whether all of it is in force, and whether the way back is closed by trying it.
    private static func verify(_ account: Account?) throws(SystemError) {
        let isDropped =
            clinux_capabilities() == 0 && clinux_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) == 1 && account?.isOurs != false
        guard isDropped, clinux_set_users(0) != 0, !hasCapabilities else {
            throw SystemError("give up the rights of root: the kernel gives them back", code: EPERM)
        }
    }
}
