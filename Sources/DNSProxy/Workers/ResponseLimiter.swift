import DNSWire
import FQDNCache
import Synchronization

/// How many responses over UDP each client may have in a second, over all workers: a token bucket for each, as the moment up
/// to which what it had is paid for. After a quiet second it may have a second's worth at once.
///
/// The table has a fixed size. A client that finds no place in it takes that of the one in its set that owes least, so that
/// a flood from very many addresses makes the limit lenient and nothing else.
@safe final class ResponseLimiter: @unchecked Sendable {
    /// The account of one client.
    private struct Account: ~Copyable {
        /// Keyed hash of the client; 0 for nobody.
        let client = Atomic<UInt64>(0)
        /// Nanoseconds on the monotonic clock up to which what it had is paid for.
        let paid = Atomic<Int64>(0)
    }

    /// Accounts that there are, 16 bytes each.
    static let capacity = 65_536
    /// Accounts of a set, among which a client has its own.
    private static let ways = 4
    /// Nanoseconds' worth of responses that may come at once.
    private static let burst: Int64 = 1_000_000_000

    /// The accounts, those of a set behind each other.
    private let accounts: UnsafeMutablePointer<Account>
    /// Nanoseconds that a response costs.
    private let interval: Int64
    /// The bits of the upper and the lower half of an IPv6 address that tell clients apart.
    private let mask: (high: UInt64, low: UInt64)
    /// What makes the hash unpredictable.
    private let seed: (first: UInt64, second: UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max) | 1)

    /// Lets each client have `perSecond` responses, one at least; those whose IPv6 addresses have the same first
    /// `ipv6PrefixLength` bits are one client.
    init(perSecond: Int, ipv6PrefixLength: Int) {
        interval = ResponseLimiter.burst / Int64(max(perSecond, 1))
        mask = (
            ipv6PrefixLength >= 64 ? .max : ~(.max >> UInt64(ipv6PrefixLength)),
            ipv6PrefixLength <= 64 ? 0 : ~(UInt64.max >> UInt64(ipv6PrefixLength - 64))
        )
        unsafe accounts = .allocate(capacity: ResponseLimiter.capacity)
        for index in 0..<ResponseLimiter.capacity { unsafe (accounts + index).initialize(to: Account()) }
    }

    deinit {
        unsafe accounts.deinitialize(count: ResponseLimiter.capacity)
        unsafe accounts.deallocate()
    }

    /// Whether `client` may have another response at `now`; if so it is charged for it.
    func admits(_ client: IPAddress, now: Moment) -> Bool {
        let key = hash(client)
        let first = Int(truncatingIfNeeded: key) & (ResponseLimiter.capacity - ResponseLimiter.ways)
        var least = first
        var leastPaid = Int64.max
        for index in first..<first + ResponseLimiter.ways {
            if unsafe accounts[index].client.load(ordering: .relaxed) == key { return charge(index, now: now) }
            let paid = unsafe accounts[index].paid.load(ordering: .relaxed)
            if paid < leastPaid { (least, leastPaid) = (index, paid) }
        }
        // Of two workers that do so at once one is forgotten, and a client has a response more.
        unsafe accounts[least].client.store(key, ordering: .relaxed)
        unsafe accounts[least].paid.store(now.nanoseconds + interval, ordering: .relaxed)
        return true
    }

    /// Charges the account at `index` for a response, if it has enough.
    private func charge(_ index: Int, now: Moment) -> Bool {
        var paid = unsafe accounts[index].paid.load(ordering: .relaxed)
        while true {
            let next = max(paid, now.nanoseconds) + interval
            guard next - now.nanoseconds <= ResponseLimiter.burst else { return false }
            let (exchanged, original) = unsafe accounts[index].paid.weakCompareExchange(
                expected: paid, desired: next, ordering: .relaxed)
            if exchanged { return true }
            paid = original
        }
    }

    /// The keyed hash of a client, never 0.
    private func hash(_ client: IPAddress) -> UInt64 {
        let isIPv4 = client.isIPv4
        let high = isIPv4 ? client.high : client.high & mask.high
        let low = isIPv4 ? client.low : client.low & mask.low
        let first = (high ^ seed.first).multipliedFullWidth(by: seed.second)
        let second = (first.high ^ first.low ^ low).multipliedFullWidth(by: seed.second)
        return (second.high ^ second.low) | 1 << 63
    }
}
