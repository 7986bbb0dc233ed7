import Glibc

/// A system call that failed, in words for the person who has to mend it.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, on what.
    public let action: String
    /// The kernel's error number.
    public let code: Int32

    /// The failure of `action` with `code`, by default the current `errno`.
    init(_ action: String, code: Int32 = errno) {
        self.action = action
        self.code = code
    }

    /// `cannot bind UDP 127.0.0.1:53: Permission denied (…what to do…)`.
    public var description: String {
        let reason = unsafe String(cString: strerror(code))
        return "cannot \(action): \(reason)\(advice.map { " (\($0))" } ?? "")"
    }

    /// What usually mends it.
    private var advice: String? {
        switch code {
        case EADDRINUSE: "another program listens there; `ss -lnup` and `ss -lntp` show which"
        case EADDRNOTAVAIL: "no interface of this host has that address; `ip addr` lists them"
        case EACCES, EPERM: "ports below 1024 need root or CAP_NET_BIND_SERVICE; files need the right owner"
        case EMFILE: "raise the limit of open files: `ulimit -n`, or LimitNOFILE= in the unit"
        default: nil
        }
    }
}
