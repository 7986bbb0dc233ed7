import Foundation
import MappingFeed

/// An enforcer that outlives the daemon, and knows what must be true of it: what it has acknowledged is what it has, and
/// what clients were told is among that.
final class CrashOracle {
    /// The path of the feed.
    private let socket: String
    /// The connection; nil while there is none.
    private var subscriber: FeedSubscriber?
    /// Lines of the connection that were taken.
    private var taken = 0
    /// The last change that was acknowledged.
    private var position: FeedPosition?
    /// What the enforcer has: addresses by name.
    private(set) var held: [String: Set<String>] = [:]
    /// The lines of a snapshot that has not ended.
    private var snapshot: [String: Set<String>]?
    /// When each name was first acknowledged.
    private(set) var inForce: [String: ContinuousClock.Instant] = [:]
    /// What must not have come.
    private(set) var unexpected: [String] = []
    /// Connections so far.
    private(set) var connections = 0
    /// Those of them that began with a snapshot; the others went on where the one before had ended.
    private(set) var snapshots = 0

    /// An enforcer on the feed at `socket`, not connected yet.
    init(_ socket: String) { self.socket = socket }

    /// Connects; two times of three where the connection before ended, else without a past.
    func connect() throws {
        let resumes = !connections.isMultiple(of: 3)
        subscriber = try FeedSubscriber(
            socket, acknowledge: true, after: .zero, resume: resumes ? position : nil)
        connections += 1
        taken = 0
    }

    /// Takes what has come until the daemon closed the connection.
    func drain() throws {
        guard let subscriber else { return }
        try eventually("the connection to a daemon that is gone stays open") { subscriber.isClosed }
        try take()
        snapshot = nil
        self.subscriber = nil
    }

    /// Takes what has come until the enforcer has exactly the mappings that the daemon `lists`.
    func agree(with lists: () throws -> [String: Set<String>]) throws {
        var listed: [String: Set<String>] = [:]
        try eventually("the enforcer has other mappings than the daemon: \(difference(listed))") {
            try take()
            listed = try lists()
            return snapshot == nil && held == listed
        }
    }

    /// What one of both has and the other has not, for people.
    private func difference(_ listed: [String: Set<String>]) -> String {
        let missing = listed.filter { held[$0.key] != $0.value }.map { "only the daemon: \($0.key) \($0.value)" }
        let extra = held.filter { listed[$0.key] != $0.value }.map { "only the enforcer: \($0.key) \($0.value)" }
        return (missing + extra).prefix(10).joined(separator: ", ")
    }

    /// Takes the lines that have come and are acknowledged.
    private func take() throws {
        guard let subscriber else { return }
        let arrivals = subscriber.arrivals
        while taken < arrivals.count {
            let event = arrivals[taken].event
            // A line is taken when the daemon may know that it is in force.
            if event.isChange, snapshot == nil, let sequence = event.sequence {
                guard let moment = subscriber.acknowledged(sequence) else { return }
                acknowledge(sequence, names(event), moment)
            }
            if case .snapshotEnd(let mark) = event {
                guard let moment = subscriber.acknowledged(mark.sequence) else { return }
                held = snapshot ?? [:]
                snapshot = nil
                acknowledge(mark.sequence, Array(held.keys), moment)
            }
            apply(event)
            taken += 1
        }
    }

    /// Notes that everything up to `sequence` is acknowledged, and with it `names`.
    private func acknowledge(_ sequence: UInt64, _ names: [String], _ moment: ContinuousClock.Instant) {
        position?.sequence = sequence
        for name in names where inForce[name] == nil { inForce[name] = moment }
    }

    /// The names that an event maps.
    private func names(_ event: FeedEvent) -> [String] {
        if case .upsert(let upsert) = event { ["\(upsert.name)"] } else { [] }
    }

    /// Does what a line says.
    private func apply(_ event: FeedEvent) {
        switch event {
        case .hello(let hello):
            if position?.instance == hello.instance { return }
            position = FeedPosition(instance: hello.instance, sequence: 0)
        case .snapshotBegin:
            snapshot = [:]
            snapshots += 1
        case .upsert(let upsert):
            let addresses = upsert.addresses.map { "\($0.ip)" }
            if snapshot == nil {
                held["\(upsert.name)", default: []].formUnion(addresses)
            } else {
                snapshot?["\(upsert.name)", default: []].formUnion(addresses)
            }
        case .delete, .error, .lagging:
            unexpected.append("\(event)")
        default: break
        }
    }
}
