package import DNSWire
package import Logging
package import MappingFeed

/// Brings the kernel's table into line with the feed, and says so to the daemon.
package actor Enforcer {
    /// What is open, as the feed tells it.
    private var state = FeedState()
    /// What is in the kernel.
    private var table: KernelTable
    /// The way into the kernel.
    private let nftables: any PacketFilter
    /// Where acknowledgements go.
    private let session: FeedSession
    /// Where to tell people.
    private let logger: Logger
    /// How long transactions took.
    private var times = TransactionTimes()
    /// What is not in force although the feed says so.
    private var refused = RefusedChanges()
    /// Whether there was a snapshot; before it the table is what an earlier enforcer left.
    private var hasSnapshot = false
    /// When everything was last written anew because something was wrong.
    private var repaired = -Double.infinity

    /// Sees to it that the table is there; what is already in it stays until the first snapshot.
    /// - Throws: `NFTablesError` when nftables cannot be used.
    package init(
        ruleset: Ruleset, nftables: sending any PacketFilter, session: FeedSession, logger: Logger
    ) throws(NFTablesError) {
        self.nftables = nftables
        table = KernelTable(ruleset: ruleset)
        self.session = session
        self.logger = logger
        if try nftables.objects(in: ruleset.table)?.chains.contains(Ruleset.baseChain) != true {
            var empty = KernelTable(ruleset: ruleset)
            let found = try nftables.objects(in: ruleset.table) ?? KernelObjects()
            try nftables.run(empty.rewrite(FeedState(), found: found, now: 0))
            logger.info("made the table", metadata: ["table": "\(ruleset.table)", "policy": "\(ruleset.policy)"])
        }
    }

    /// Takes the table away; false if it was not there.
    /// - Throws: `NFTablesError` when nftables cannot be used.
    package static func remove(table: String) throws(NFTablesError) -> Bool {
        let nftables = try NFTables()
        guard try nftables.objects(in: table) != nil else { return false }
        try nftables.run("delete table inet \(table)")
        return true
    }

    /// Puts a batch of events in force, and acknowledges it.
    package func apply(_ events: [FeedEvent]) {
        for event in events { note(event) }
        let changes = state.apply(events.map(BootClock.event))
        for sequence in Set(changes.refused).sorted() { reject(sequence, "a limit of the enforcer is reached") }
        let work = changes.identities.map(TableChange.identity) + changes.openings.map(TableChange.opening)
        if changes.isSnapshot {
            takeSnapshot(work)
        } else if let last = changes.sequence {
            var batch = Batch(events: events, last: last)
            let retries = refused.isEmpty ? [] : refused.retries(batch.upserts, beside: changes, in: state)
            commit(work + retries, of: &batch)
        }
        if let sequence = changes.sequence { session.acknowledge(sequence) }
    }

    /// Greets a new connection. Then, and when nothing happens, it is time to look whether the table is still there.
    private func note(_ event: FeedEvent) {
        switch event {
        case .hello(let hello):
            logger.info("connected", metadata: ["instance": "\(hello.instance)", "sequence": "\(hello.sequence)"])
            checkTable()
        case .ping: checkTable()
        case .snapshotBegin, .snapshotEnd, .identity, .upsert, .delete, .lagging, .error: break
        }
    }

    /// Writes the table anew if somebody has changed it, or if the kernel has refused something.
    private func checkTable() {
        guard hasSnapshot else { return }
        do {
            let found = try nftables.objects(in: table.ruleset.table)
            guard !refused.isEmpty || !table.isWhole(found) else { return }
            logger.warning("writing the whole table anew, because it is not what it should be")
            try rewrite()
        } catch {
            logger.error("cannot write the table: \(error)")
        }
    }

    /// Makes the table equal to a snapshot, of which `work` is what is new.
    private func takeSnapshot(_ work: [TableChange]) {
        hasSnapshot = true
        do {
            try rewrite()
            logger.info(
                "took a snapshot", metadata: ["identities": "\(state.identities.count)", "changes": "\(work.count)"])
        } catch {
            logger.error("cannot write the table at once, trying it in parts: \(error)")
            var batch = Batch(events: [], last: 0)
            commit(work, of: &batch)
        }
    }

    // MARK: Transactions

    /// Events that are put in force together.
    private struct Batch {
        /// The events, and what else came with them.
        let events: [FeedEvent]
        /// The number of the last; the events of a snapshot that goes on have a higher one.
        let last: UInt64
        /// Changes of it that were rejected.
        var rejections = 0

        /// The upserts among them.
        var upserts: [MappingUpsert] {
            events.compactMap { event in
                if case .upsert(let upsert) = event, upsert.sequence <= last { upsert } else { nil }
            }
        }
    }

    /// Makes the table equal to the state.
    private func rewrite() throws(NFTablesError) {
        let found = try nftables.objects(in: table.ruleset.table) ?? KernelObjects()
        var new = table
        let text = new.rewrite(state, found: found, now: BootClock.now)
        try run(text, changes: state.identities.count)
        table = new
        refused = RefusedChanges()
    }

    /// Puts changes in force. If the kernel does not take them the table is written anew, at most once in ten seconds, for
    /// somebody may have removed it; if that fails too they are tried in halves, and those that fail alone are rejected.
    /// After so many rejections the rest is rejected without a trial.
    private func commit(_ changes: [TableChange], of batch: inout Batch) {
        guard !changes.isEmpty else { return }
        do {
            try transact(changes)
        } catch {
            guard batch.rejections < Enforcer.rejectionLimit else { return reject(changes, of: &batch, error.message) }
            // An element may time out between its addition and its deletion in one transaction; then it goes well now.
            do { return try transact(changes) } catch {}
            if BootClock.now - repaired > 10 {
                repaired = BootClock.now
                logger.warning("writing the whole table anew, because a transaction failed: \(error)")
                do { return try rewrite() } catch { logger.error("cannot write the table: \(error)") }
            }
            guard changes.count > 1 else { return reject(changes, of: &batch, error.message) }
            commit(Array(changes.prefix(changes.count / 2)), of: &batch)
            commit(Array(changes.dropFirst(changes.count / 2)), of: &batch)
        }
    }

    /// Changes of one batch that are rejected one by one.
    private static let rejectionLimit = 64

    /// Gives changes up.
    private func reject(_ changes: [TableChange], of batch: inout Batch, _ reason: String) {
        for change in changes { refused.insert(change) }
        let upserts = batch.upserts
        let sequences = changes.reduce(into: Set()) { $0.formUnion(Enforcer.sequences(of: $1, in: upserts)) }
        for sequence in sequences.sorted() { reject(sequence, reason) }
        batch.rejections += changes.count
    }

    /// The events that say what `change` says: several of `upserts` may, and then it tells only of the last.
    private static func sequences(of change: TableChange, in upserts: [MappingUpsert]) -> Set<UInt64> {
        guard case .opening(let change) = change, let opening = change.new ?? change.old else {
            return [change.sequence]
        }
        let same = upserts.filter { upsert in
            upsert.identity == opening.identity && upsert.addresses.contains { $0.ip == opening.address }
        }
        return Set(same.map(\.sequence)).union([change.sequence])
    }

    /// Puts changes in force, all or none.
    private func transact(_ changes: [TableChange]) throws(NFTablesError) {
        var new = table
        let text = new.commands(for: changes, in: state, now: BootClock.now)
        if !text.isEmpty { try run(text, changes: changes.count) }
        table = new
        for change in changes { refused.remove(change) }
    }

    /// Runs a transaction and takes its time.
    private func run(_ text: String, changes: Int) throws(NFTablesError) {
        logger.trace("\(text)")
        let start = ContinuousClock.now
        try nftables.run(text)
        let time = ContinuousClock.now - start
        times.add(time)
        logger.debug("transaction", metadata: ["changes": "\(changes)", "microseconds": "\(time.microseconds)"])
    }

    /// Gives a change up.
    private func reject(_ sequence: UInt64, _ reason: String) {
        logger.error("cannot put a change in force: \(reason)", metadata: ["sequence": "\(sequence)"])
        session.reject(sequence, error: reason)
    }

    /// How long transactions took, for the log; nil if there were none.
    package var summary: String? { times.summary }

    // MARK: Connections in use

    /// The addresses of openings that live connections go to, by identity.
    package func inUse(_ connections: some Sequence<Connection>) -> [UInt64: Set<IPAddress>] {
        var found: [UInt64: Set<IPAddress>] = [:]
        for connection in connections {
            let identity = table.identity(of: connection.source) ?? Ruleset.unknown
            for address in connection.destinations where state.opening(identity, address) != nil {
                found[identity, default: []].insert(address)
            }
        }
        return found
    }
}
