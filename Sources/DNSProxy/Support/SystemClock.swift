import FQDNCache
import Glibc

/// The two clocks of the daemon, read at this one place.
enum SystemClock {
    /// Nanoseconds since the machine started, time asleep included: what every duration and expiry is measured with.
    @inline(__always)
    static func now() -> Moment {
        Moment(nanoseconds: read(CLOCK_BOOTTIME))
    }

    /// Seconds since the epoch, for what leaves the process.
    static func wallSeconds() -> Double {
        Double(read(CLOCK_REALTIME)) / 1e9
    }

    /// Reads one kernel clock in nanoseconds.
    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Translates between moments of the monotonic clock and seconds since the epoch, as the two clocks stood when it was
/// made: a step of the wall clock moves what is written from then on, and nothing that the daemon does.
struct WallClock: Sendable {
    /// Seconds since the epoch at the monotonic clock's zero.
    private let offset: Double

    /// Reads both clocks.
    init() {
        offset = SystemClock.wallSeconds() - Double(SystemClock.now().nanoseconds) / 1e9
    }

    /// Seconds since the epoch at `moment`, to the millisecond.
    func seconds(at moment: Moment) -> Double {
        ((offset + Double(moment.nanoseconds) / 1e9) * 1000).rounded() / 1000
    }

    /// The moment at which the wall clock shows `seconds`; the distant future or boot for what cannot be told.
    func moment(at seconds: Double) -> Moment {
        let nanoseconds = (seconds - offset) * 1e9
        guard nanoseconds < 9.2e18 else { return .distantFuture }
        return Moment(nanoseconds: nanoseconds > 0 ? Int64(nanoseconds) : 0)
    }
}
