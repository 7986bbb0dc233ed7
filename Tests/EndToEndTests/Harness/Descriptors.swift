import Foundation

/// File descriptors of the tests themselves.
enum Descriptors {
    /// Lets this process have `count` of them, if it may.
    static func raise(to count: UInt) {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < count else { return }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
        _ = setrlimit(files, &limit)
    }
}
