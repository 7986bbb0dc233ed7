import DNSWire
import FQDNCache
import FQDNPolicy

/// How often which identity was denied which name in the last minutes, counted from the flows. The list of a page has to
/// last longer than the ring, which a burst of misses fills in seconds.
struct DenialTally {
    /// What was denied.
    struct Key: Hashable {
        /// To whom.
        let identity: IdentityID
        /// The name.
        let name: DomainName
    }

    /// How often, and by what query last.
    struct Count {
        /// Queries.
        var count = 0
        /// When the last one ended.
        var last = Moment(nanoseconds: 0)
        /// Who sent the last one.
        var client = IPAddress(ipv4: 0)
        /// How the last one came.
        var transport = QueryTransport.udp
    }

    /// What was counted in one window of time.
    private struct Window {
        /// When it began.
        let start: Moment
        /// By identity and name.
        var counts: [Key: Count] = [:]
        /// Whether everything was counted.
        var isComplete = true
    }

    /// Names of a window; further ones are not counted.
    static let capacity = 1_024
    /// Seconds of a window; the list shows the last two, so that nothing leaves it sooner.
    static let window: Int64 = 300

    /// How far in the ring the tally is.
    private var position: FlowRing.Position
    /// The window before, and the current one.
    private var windows: [Window]

    /// An empty tally that begins with what `ring` still has.
    init(_ ring: FlowRing, now: Moment) {
        position = ring.oldest
        windows = [Window(start: now)]
    }

    /// Since when it has counted.
    var since: Moment { windows[0].start }

    /// Whether everything since then was counted.
    var isComplete: Bool { windows.allSatisfy(\.isComplete) }

    /// Counts what was noted in `ring` since the last time.
    mutating func catchUp(_ ring: FlowRing, now: Moment) {
        if now.seconds(since: windows[windows.count - 1].start) >= DenialTally.window {
            windows = [windows[windows.count - 1], Window(start: now)]
        }
        var batch: [FlowEntry] = []
        repeat {
            batch.removeAll(keepingCapacity: true)
            let loss = ring.read(from: &position, limit: FlowListing.batchSize, into: &batch)
            if loss.overtaken > 0 || loss.leftOut > 0 { windows[windows.count - 1].isComplete = false }
            for entry in batch where entry.outcome == .denied || entry.outcome == .prohibited { count(entry) }
        } while batch.count == FlowListing.batchSize
    }

    /// Counts a query that was denied.
    private mutating func count(_ entry: FlowEntry) {
        guard let name = entry.decoded.name else { return }
        let key = Key(identity: entry.identity, name: name)
        let place = windows.count - 1
        guard windows[place].counts[key] != nil || windows[place].counts.count < DenialTally.capacity else {
            windows[place].isComplete = false
            return
        }
        windows[place].counts[key, default: Count()].add(1, entry.ended, entry.client, entry.transport)
    }

    /// What was denied most, `limit` names at most.
    func most(_ limit: Int) -> [(key: Key, count: Count)] {
        guard limit > 0 else { return [] }
        let sums = windows.dropFirst().reduce(into: windows[0].counts) { sums, window in
            for (key, part) in window.counts {
                sums[key, default: Count()].add(part.count, part.last, part.client, part.transport)
            }
        }
        // Of those with the same count the latest, so that the list does not jump about.
        let sorted = sums.sorted { ($0.value.count, $0.value.last) > ($1.value.count, $1.value.last) }
        return sorted.prefix(limit).map { ($0.key, $0.value) }
    }
}

extension DenialTally.Count {
    /// Adds queries of which the last one ended at `moment`, which is not before those that are counted already.
    fileprivate mutating func add(_ number: Int, _ moment: Moment, _ client: IPAddress, _ transport: QueryTransport) {
        count += number
        last = moment
        self.client = client
        self.transport = transport
    }
}
