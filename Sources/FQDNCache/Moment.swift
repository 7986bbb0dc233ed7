/// A point on the monotonic clock that counts from boot, suspended time included; it never goes back and never
/// overflows.
public struct Moment: Comparable, Hashable, Sendable {
    /// Nanoseconds since boot.
    public let nanoseconds: Int64

    /// The moment that many nanoseconds after boot.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment that many whole seconds after boot, or the nearest one that can be told.
    @inlinable
    public init(seconds: Int64) {
        self = Moment(nanoseconds: 0).adding(seconds: seconds)
    }

    /// Later than anything that happens.
    public static let distantFuture = Moment(nanoseconds: .max)

    /// Whole seconds since boot, rounded down.
    @inlinable
    public var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// The moment `seconds` later (earlier if negative), stopping at the ends of what can be told.
    @inlinable
    public func adding(seconds: Int64) -> Moment {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return adding(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : product)
    }

    /// The moment `nanoseconds` later (earlier if negative), stopping at the ends of what can be told.
    @inlinable
    public func adding(nanoseconds: Int64) -> Moment {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Moment(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }

    /// Nanoseconds from `earlier` to this moment, negative if it is later, stopping at the ends of what can be told.
    @inlinable
    public func nanoseconds(since earlier: Moment) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? (earlier.nanoseconds < 0 ? .max : .min) : difference
    }

    /// Whole seconds from `earlier` to this moment, towards zero.
    @inlinable
    public func seconds(since earlier: Moment) -> Int64 {
        nanoseconds(since: earlier) / 1_000_000_000
    }

    /// Whether the first is earlier.
    @inlinable
    public static func < (left: Moment, right: Moment) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
