package import Glibc

/// Who is at the other end of a Unix socket, as the kernel noted it when the connection was made.
package struct PeerCredentials: Sendable {
    /// The process.
    let process: Int32
    /// Its effective user.
    package let user: uid_t
    /// Its effective group.
    let group: gid_t
    /// Its further groups.
    let groups: [gid_t]

    /// `SO_PEERGROUPS` (socket.h), which the Glibc module does not name.
    private static let peerGroups: Int32 = 59
    /// Groups that a process may have (`NGROUPS_MAX`).
    private static let maxGroups = 65_536

    /// What the kernel says about the peer of the connected socket `descriptor`; nil if it says nothing.
    package init?(_ descriptor: Int32) {
        // struct ucred: pid, uid, gid.
        var credentials: InlineArray<3, UInt32> = [0, 0, 0]
        var length = socklen_t(MemoryLayout<InlineArray<3, UInt32>>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0,
            length == MemoryLayout<InlineArray<3, UInt32>>.size
        else { return nil }
        process = Int32(bitPattern: credentials[0])
        user = credentials[1]
        group = credentials[2]
        groups = PeerCredentials.groups(descriptor)
    }

    /// Credentials that are known.
    init(process: Int32, user: uid_t, group: gid_t, groups: [gid_t]) {
        self.process = process
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// The further groups of the peer; none if the kernel (before Linux 4.13) does not tell.
    private static func groups(_ descriptor: Int32) -> [gid_t] {
        var count = 64
        while count <= maxGroups {
            var groups = [gid_t](repeating: 0, count: count)
            var length = socklen_t(count * MemoryLayout<gid_t>.stride)
            if unsafe getsockopt(descriptor, SOL_SOCKET, peerGroups, &groups, &length) == 0 {
                return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.stride))
            }
            guard errno == ERANGE else { return [] }
            count *= 4
        }
        return []
    }

    /// Whether the peer may use a socket of `owner` and `group`: root, the owner, and members of the group may.
    func isPermitted(owner: uid_t, group: gid_t) -> Bool {
        user == 0 || user == owner || self.group == group || groups.contains(group)
    }
}
