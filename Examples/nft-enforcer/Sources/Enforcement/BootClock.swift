internal import Glibc
internal import MappingFeed

/// The clock that nobody can set: seconds since the machine was started.
enum BootClock {
    /// The time.
    static var now: Double { seconds(CLOCK_BOOTTIME) }

    /// `event` with its times of the wall clock, which may be set later, as times of this one.
    static func event(_ event: FeedEvent) -> FeedEvent {
        guard case .upsert(var upsert) = event else { return event }
        let offset = seconds(CLOCK_REALTIME) - now
        for index in upsert.addresses.indices { upsert.addresses[index].expires -= offset }
        return .upsert(upsert)
    }

    /// What a clock of the system shows.
    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
