import Foundation

/// A user of this machine.
struct SystemUser: Sendable {
    /// The name.
    let name: String
    /// The number.
    let user: uid_t
    /// The number of the group.
    let group: gid_t

    /// The user that every machine has, and that owns nothing.
    static let nobody: SystemUser? = SystemUser("nobody")

    /// The user `name`; nil when there is none.
    init?(_ name: String) {
        guard let entry = getpwnam(name) else { return nil }
        self.name = name
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Gives the file or folder at `path` to this user.
    /// - Throws: `HarnessError` without root.
    func own(_ path: String) throws {
        guard chown(path, user, group) == 0 else { throw HarnessError("cannot give \(path) to \(name)") }
    }

    /// The command that starts another one as this user, with the capabilities `capabilities` and no other.
    func command(keeping capabilities: [String] = []) -> [String] {
        let sets = (["-all"] + capabilities.map { "+\($0)" }).joined(separator: ",")
        return [
            "setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--inh-caps=\(sets)",
            "--ambient-caps=\(sets)", "--bounding-set=\(sets)",
        ]
    }
}
