internal import DNSWire

/// A report of live connections of one identity.
struct ConnectionReport {
    /// Whose connections.
    let identity: UInt64
    /// Where they lead to, each address once, with the hash of identity and address.
    let addresses: [(address: IPAddress, hash: UInt32)]
    /// Until when the addresses are to stay.
    let until: Moment
    /// The present.
    let now: Moment

    /// An address that expires from this moment on is left as it is: half of the time that is wanted.
    ///
    /// Reports come again and again; so only every other one, about, has something to publish.
    var threshold: Moment { until.adding(nanoseconds: -(until.nanoseconds(since: now) / 2)) }
}

/// What enforcers say about addresses: that they are used, or that they are not in force.
extension MappingShard {
    /// Extends what connections use, publishing one upsert for each mapping. What is over but still here is extended as
    /// well: expiry was late then, not the connection.
    mutating func keep(
        _ report: ConnectionReport, _ commons: borrowing MappingCommons, _ publish: (MappingChange) -> UInt64
    ) -> KeepOutcome {
        var outcome = KeepOutcome()
        let threshold = report.threshold
        var uses: [UInt32: [IPAddress]] = [:]
        for (address, hash) in report.addresses {
            forEachSlot(report.identity, hash: hash) { uses[$0, default: []].append(address) }
        }
        for (slot, addresses) in uses.sorted(by: { $0.key < $1.key }) {
            let indices = records[slot].indices(of: addresses).filter { records[slot].expiry(at: $0) < threshold }
            guard !indices.isEmpty else { continue }
            let extended = indices.map { index in
                let learned = records[slot][index].learned
                return LearnedAddress(
                    address: learned.address, ttl: learned.ttl, expires: report.until, source: .connection)
            }
            let sequence = publish(records[slot].change(.upsert, extended))
            guard sequence != 0 else {
                outcome.refused = true
                break
            }
            for index in indices { records[slot].extend(index, until: report.until, sequence: sequence) }
            records[slot].learnedAt = report.now
            outcome.extended += indices.count
        }
        return outcome
    }

    /// Notes that addresses of a mapping are not in force, and tells how many of them it has.
    mutating func unconfirm(
        _ identity: UInt64, _ name: borrowing NameBuffer, hash: UInt32, _ addresses: [IPAddress],
        _ commons: borrowing MappingCommons
    ) -> Int {
        guard let slot = find(identity, name, hash: hash) else { return 0 }
        let indices = records[slot].indices(of: addresses)
        guard !indices.isEmpty else { return 0 }
        commons.revoke()
        for index in indices { records[slot].setSequence(MappedAddress.unconfirmed, of: index) }
        return indices.count
    }
}
