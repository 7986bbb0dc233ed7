internal import Glibc

/// The two clocks of the machine, as a journal reads them: what the lines say is on the wall clock, which can be set.
public struct JournalClock: Sendable {
    /// The boot of the machine, within which the offset means something.
    let boot: String
    /// Seconds since the epoch at which the boot-time clock was zero; changes when the wall clock is set.
    let offset: @Sendable () -> Double

    /// Seconds by which the wall clock may move before it counts as set; what it is slewed by is no step.
    private static let tolerance = 0.5

    /// Whether the wall clock was set between two looks at it in one boot.
    static func isStep(from old: ClockMark, to new: ClockMark) -> Bool { abs(new.offset - old.offset) >= tolerance }

    /// Clocks that say what they are told.
    init(boot: String, offset: @escaping @Sendable () -> Double) {
        self.boot = boot
        self.offset = offset
    }

    /// The clocks of this machine.
    public static let system = JournalClock(boot: bootID()) {
        wallSeconds() - seconds(CLOCK_BOOTTIME)
    }

    /// Seconds since the epoch.
    static func wallSeconds() -> Double { seconds(CLOCK_REALTIME) }

    /// How the clocks stand now.
    var mark: ClockMark { ClockMark(boot: boot, offset: offset()) }

    /// Reads one kernel clock.
    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// What tells this boot of the machine from others; empty where the kernel does not say.
    private static func bootID() -> String {
        var bytes: [UInt8] = []
        guard let file = try? File("/proc/sys/kernel/random/boot_id", O_RDONLY),
            (try? file.read(64, at: 0, into: &bytes)) != nil
        else { return "" }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
