import CLinux
import FQDNPolicy
import Glibc
import MappingFeed

/// A user of this machine with the groups that a process of it has.
struct Account: Equatable, Sendable {
    /// Its name; its number where it has none.
    let name: String
    /// Its number, never that of root.
    let user: uid_t
    /// The group that its files belong to.
    let group: gid_t
    /// Its further groups.
    let groups: [gid_t]

    /// The user that `configuration` names, a member of the feed's group too; nil when it names none.
    /// - Throws: `EngineError.system` when there is no such user or group, or the user is root.
    init?(_ configuration: EngineConfiguration) throws(EngineError) {
        guard let user = configuration.user else { return nil }
        try self.init(user: user, group: configuration.group, further: configuration.feed.group)
    }

    /// The user that is given by name or number, in the group `group` or else its own, and in `further` too if there is such
    /// a group.
    /// - Throws: `EngineError.system` when there is no such user or group, or the user is root.
    init(user: String, group: String?, further: String?) throws(EngineError) {
        let entry = Account.entry(of: user)
        guard let number = entry?.user ?? Account.number(user) else {
            throw .system("there is no user \(quoted(user)); make it with `useradd --system`, or set another `user`")
        }
        guard number != 0 else {
            throw .system("the user \(quoted(user)) is root, who would give up nothing; set another `user`, or none")
        }
        let main: gid_t
        if let group {
            guard let number = GroupDatabase.number(of: group) else {
                throw .system(
                    "there is no group \(quoted(group)); make it with `groupadd --system`, or set another `group`")
            }
            main = number
        } else {
            guard let entry else {
                throw .system("the user \(user) has no entry and so no group of its own; set `group` too")
            }
            main = entry.group
        }
        var groups = entry.map { Account.groups(of: $0.name, with: main) } ?? []
        if let further = further.flatMap({ GroupDatabase.number(of: $0) }) { groups.insert(further) }
        groups.remove(main)
        self.group = main
        self.groups = groups.sorted()
        name = entry?.name ?? user
        self.user = number
    }

    /// Whether the calling thread is of this user and group, for good.
    var isOurs: Bool { clinux_is_user(user) != 0 && clinux_is_group(group) != 0 }

    /// What the user database says of a user.
    private struct Entry {
        /// The name.
        let name: String
        /// The number.
        let user: uid_t
        /// The group.
        let group: gid_t
    }

    /// The number that `text` is; nil for anything but digits, and for the highest, which means "do not change".
    private static func number(_ text: String) -> uid_t? {
        guard text.utf8.allSatisfy({ $0 &- 48 < 10 }), let number = uid_t(text), number != .max else { return nil }
        return number
    }

    /// The entry of a user that is given by name or number; nil if there is none.
    private static func entry(of user: String) -> Entry? {
        var size = 1_024
        while size <= 1 << 20 {
            var entry = unsafe passwd()
            var result: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: size)
            let code =
                if let number = number(user) {
                    unsafe getpwuid_r(number, &entry, &buffer, buffer.count, &result)
                } else {
                    unsafe getpwnam_r(user, &entry, &buffer, buffer.count, &result)
                }
            if code == 0 {
                guard unsafe result != nil, let name = unsafe entry.pw_name else { return nil }
                return unsafe Entry(name: String(cString: name), user: entry.pw_uid, group: entry.pw_gid)
            }
            guard code == ERANGE else { return nil }
            size *= 4
        }
        return nil
    }

    /// The groups that the user `name` is in, `group` among them.
    private static func groups(of name: String, with group: gid_t) -> Set<gid_t> {
        var count: Int32 = 64
        while count <= 65_536 {
            var groups = [gid_t](repeating: 0, count: Int(count))
            var found = count
            if unsafe getgrouplist(name, group, &groups, &found) >= 0 { return Set(groups.prefix(Int(found))) }
            count *= 4
        }
        return [group]
    }
}

extension Account: CustomStringConvertible {
    /// `dnsproxyd (999)`, or the number alone where it has no name.
    var description: String { name == "\(user)" ? name : "\(name) (\(user))" }
}
