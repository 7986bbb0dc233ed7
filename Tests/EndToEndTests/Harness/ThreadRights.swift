import Foundation

/// What a thread may do, as the kernel tells in its `status` (proc_pid_status(5)).
struct ThreadRights: Equatable {
    /// Real, effective and saved user, and that of files.
    let users: [uid_t]
    /// Likewise the groups.
    let groups: [gid_t]
    /// The further groups.
    let further: [gid_t]
    /// The sets of capabilities that are not empty, by name: `CapPrm`, `CapBnd` and so on.
    let capabilities: [String: UInt64]
    /// Whether nothing that it executes gets further rights.
    let refusesMore: Bool

    /// A thread of `user` that may do nothing that another user may not.
    init(nothingBut user: SystemUser, further: [gid_t] = []) {
        users = [user.user, user.user, user.user, user.user]
        groups = [user.group, user.group, user.group, user.group]
        self.further = further
        capabilities = [:]
        refusesMore = true
    }

    /// What the file `path` says.
    private init(status path: String) throws {
        var fields: [Substring: [Substring]] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
        }
        users = fields["Uid", default: []].compactMap { uid_t($0) }
        groups = fields["Gid", default: []].compactMap { gid_t($0) }
        further = fields["Groups", default: []].compactMap { gid_t($0) }
        var capabilities: [String: UInt64] = [:]
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            guard let text = fields[name[...]]?.first, let set = UInt64(text, radix: 16) else {
                throw HarnessError("\(path) does not tell \(name)")
            }
            if set != 0 { capabilities[name] = set }
        }
        self.capabilities = capabilities
        refusesMore = fields["NoNewPrivs"] == ["1"]
    }

    /// The rights of all threads of the process `pid`. Those that come or go meanwhile may be left out.
    static func all(of pid: pid_t) throws -> [ThreadRights] {
        let folder = "/proc/\(pid)/task"
        return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { thread in
            let path = "\(folder)/\(thread)/status"
            do {
                return try ThreadRights(status: path)
            } catch {
                // It has ended.
                guard access(path, R_OK) != 0 else { throw error }
                return nil
            }
        }
    }
}
