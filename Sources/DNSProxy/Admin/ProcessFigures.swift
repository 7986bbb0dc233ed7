import Glibc

/// What the kernel says about this process; 0 for what cannot be read.
struct ProcessFigures {
    /// User and system CPU time in seconds.
    var processorSeconds = 0.0
    /// Resident memory in bytes.
    var residentBytes = 0
    /// Virtual memory in bytes.
    var virtualBytes = 0
    /// File descriptors that are open.
    var openDescriptors = 0
    /// File descriptors that may be open.
    var descriptorLimit = 0

    /// Nothing known.
    init() {}

    /// The figures of this moment.
    static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        var usage = rusage()
        if unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            figures.processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        // Size and resident set in pages (proc(5)).
        let pages = (try? TextFile.read("/proc/self/statm", limit: 4_096))?.split(separator: " ").prefix(2) ?? []
        let bytes = pages.compactMap { Int($0) }.map { $0 * Int(getpagesize()) }
        if bytes.count == 2 { (figures.virtualBytes, figures.residentBytes) = (bytes[0], bytes[1]) }
        figures.openDescriptors = openDescriptors()
        var limit = rlimit()
        if unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.descriptorLimit = Int(clamping: limit.rlim_cur)
        }
        return figures
    }

    /// Entries of `/proc/self/fd`, but for the one that this look itself needs.
    private static func openDescriptors() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = -3
        while unsafe readdir(folder) != nil { count += 1 }
        return max(count, 0)
    }

    /// A time of the kernel in seconds.
    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
