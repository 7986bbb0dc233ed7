import DNSWire
import FQDNCache
public import FQDNPolicy
import Glibc
import Logging
import MappingFeed
import Synchronization

/// What happened to the documents so far.
struct ReloadState {
    /// Loads that took effect, the one at start included.
    var succeeded: UInt64 = 0
    /// Loads that changed nothing because of an error.
    var failed: UInt64 = 0
    /// What was wrong with the last load if it failed.
    var errors: [DocumentProblem] = []
    /// When the snapshot in force was loaded, in seconds since the epoch.
    var loadedAt = 0.0

    /// Notes a load that took effect.
    mutating func loaded(_ problems: [DocumentProblem], at seconds: Double) {
        succeeded += 1
        loadedAt = seconds
        errors = []
    }
}

extension Engine {
    /// Microseconds for each mapping in which workers may judge it anew, and for all of them at most.
    private static let (judging, longestJudging) = (30, 300_000)

    /// Seconds after a reload in which a turn of a worker has ended, and every question to an upstream.
    private static let lateAnswers: [Int64] = [1, 6]

    /// Nanoseconds that a reload waits for enforcers at most, so that nothing waits long for a reload.
    private static let longestAnnouncement: Int64 = 5_000_000_000

    /// Rules that are read in a tenth of a second of a core.
    private static let fewRules = 10_000

    /// Reads every document again and, when none has an error, puts them into force as one; otherwise nothing
    /// changes. Returns everything there is to say about the documents.
    @discardableResult
    public func reload() async -> [DocumentProblem] {
        exporter?.reopen()
        return await reloader.run {
            // Before that `ready` is not true, and `run` says so itself when it is.
            let isListening = self.isListening.load(ordering: .acquiring)
            if isListening { self.manager.notify(.reloading) }
            defer { if isListening { self.manager.notify(.ready) } }
            return self.reloadNow()
        }
    }

    /// Everything there is to say about what `configuration`, the content of `file`, names: the user, and the documents.
    /// Nothing is started.
    public static func check(_ configuration: EngineConfiguration, file: String) -> [DocumentProblem] {
        let problems = DocumentLoader(configuration).check()
        do throws(EngineError) {
            _ = try Account(configuration)
            return problems
        } catch {
            return [DocumentProblem(file: file, message: "\(error)")] + problems
        }
    }

    /// Reloads whenever a file has changed and then stayed the same for a moment, so that a file that is being
    /// written is not read halfway. Looks once a second: that sees renames, links that are switched and editors that
    /// write in place alike, on every file system.
    func watchDocuments() async {
        var settled = loader.fingerprint()
        var last = settled
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let seen = loader.fingerprint()
            defer { last = seen }
            guard seen != settled, seen == last else { continue }
            settled = seen
            logger.info("documents have changed")
            await reload()
        }
    }

    /// Does the work of `reload`, one at a time.
    private func reloadNow() -> [DocumentProblem] {
        let old = shared.snapshots.load()
        // All of the time that this takes is spent there. A few rules are soon read, whatever else runs.
        let isLong = old.policy.ruleCount > Engine.fewRules
        let (snapshot, problems) = BackgroundThread.wait(isLong ? .lowest : .low) { [loader] in
            loader.load(generation: old.generation + 1, after: old)
        }
        Engine.log(problems, to: logger)
        guard let snapshot else {
            reloads.withLock {
                $0.failed += 1
                $0.errors = problems.filter { $0.severity == .error }
            }
            logger.error("reload refused: the documents in force stay", metadata: ["generation": "\(old.generation)"])
            return problems
        }
        // An identity is told before anything is learned for it, and withdrawn when its mappings are.
        awaitEnforcers(shared.learning.hub.announce(snapshot.policy.identities.map { FeedIdentity($0) }))
        shared.snapshots.publish { _ in snapshot }
        for worker in workers { worker.mailbox.wake() }
        reloads.withLock { $0.loaded(problems, at: SystemClock.wallSeconds()) }
        let forgotten = forgetLocalAnswers(old.zones, snapshot.zones)
        leaveToWorkers()
        let removed = reviseMappings().removed
        logger.info(
            "documents reloaded",
            metadata: [
                "generation": "\(snapshot.generation)", "policies": "\(snapshot.policy.policyCount)",
                "mappingsRemoved": "\(removed)", "answersForgotten": "\(forgotten)",
            ])
        return problems
    }

    /// Waits until enforcers have confirmed the change `sequence`, `feed.maxDelay` or 5 s at most, and not once the daemon stops: an
    /// address that is new to an identity is answered as that from when they know whose it is, because the mappings of the identity
    /// are in force already.
    private func awaitEnforcers(_ sequence: UInt64) {
        let limit = min(shared.learning.maxDelayNanoseconds, Engine.longestAnnouncement)
        let end = SystemClock.now().adding(nanoseconds: limit)
        while shared.learning.released < sequence, SystemClock.now() < end, !isStopping.load(ordering: .relaxed) {
            usleep(1_000)
        }
    }

    /// Waits while the workers judge anew what is asked for, so that they have their cores alone: what was learned is brought into
    /// line when that is over.
    private func leaveToWorkers() {
        guard !shared.learnsEverything else { return }
        usleep(UInt32(min(shared.learning.table.statistics.names * Engine.judging, Engine.longestJudging)))
    }

    /// Drops cached answers about names of local zones, old and new, which may have changed: now, and again when no worker has the
    /// old ones any more, and when no upstream that was asked before can answer any more.
    private func forgetLocalAnswers(_ old: LocalZones, _ new: LocalZones) -> Int {
        let apexes = Array(Set(old.configuredApexes + new.configuredApexes))
        guard !apexes.isEmpty else { return 0 }
        let now = SystemClock.now()
        staleAnswers.withLock { list in
            for seconds in Engine.lateAnswers { list.append((now.adding(seconds: seconds), apexes)) }
        }
        return forgetAnswers(apexes)
    }

    /// Drops cached answers about local names that may have been kept after the reload that changed them.
    func forgetLateAnswers() {
        let now = SystemClock.now()
        let due = staleAnswers.withLock { list in
            defer { list.removeAll { $0.due <= now } }
            return list.filter { $0.due <= now }
        }
        if !due.isEmpty { _ = forgetAnswers(Array(Set(due.flatMap(\.apexes)))) }
    }

    /// Drops cached answers about names at or below `apexes`; returns how many.
    private func forgetAnswers(_ apexes: [DomainName]) -> Int {
        var name = NameBuffer()
        return shared.cache.remove { bytes in
            var cursor = MessageCursor(offset: 0)
            cursor.readName(bytes, into: &name)
            return apexes.contains { name.isEqualToOrBelow($0) }
        }
    }

    /// Brings what was learned, and who there is, into line with the policy in force, while no reload puts another one into force;
    /// false when the feed had no room, so that it has to be done again.
    func revise() async -> Bool {
        await reloader.run {
            guard !self.reviseMappings().refused else { return false }
            let identities = self.shared.snapshots.load().policy.identities
            self.shared.learning.hub.withdrawIdentities(except: Set(identities.map(\.id.rawValue)))
            let known = Set(identities.map(\.id))
            self.shared.seenNames.forget { !known.contains($0) }
            return true
        }
    }

    /// Brings what was learned into line with the policy in force: mappings that no rule selects any more, or whose identity is
    /// gone, are taken back, those that other rules select are published with the new ones. Returns how many were taken back, and
    /// whether the feed had no room, so that it has to be done again.
    @discardableResult
    private func reviseMappings() -> (removed: Int, refused: Bool) {
        let learning = shared.learning
        let policy = shared.snapshots.load().policy
        let indices = Dictionary(policy.identities.enumerated().map { ($1.id.rawValue, $0) }) { first, _ in first }
        let learnsEverything = shared.learnsEverything
        var name = NameBuffer()
        var memory = RuleSetMemory()
        let outcome = learning.table.remove(
            where: { identity, bytes, chain in
                guard let index = indices[identity] else { return true }
                if learnsEverything { return false }
                var cursor = MessageCursor(offset: 0)
                cursor.readName(bytes, into: &name)
                return memory.selection(
                    identity: index, name: name, aliases: chain, policy, learning.ruleSets
                ).isEmpty
            }, reason: .policy, publish: learning.publish)
        var refused = outcome.refused
        var next: MappingCursor? = learnsEverything ? nil : MappingCursor()
        while let cursor = next, !refused {
            next = learning.table.list(from: cursor, limit: MappingTable.mappingsPerLock) { mapping in
                guard let index = indices[mapping.identity] else { return }
                let name = NameBuffer(mapping.name)
                let rules = memory.selection(
                    identity: index, name: name, aliases: mapping.chain, policy, learning.ruleSets
                ).ruleSet
                guard rules != mapping.ruleSet else { return }
                let changed = learning.table.learn(
                    identity: mapping.identity, client: mapping.client, name: name, chain: mapping.chain,
                    addresses: mapping.addresses.map(\.learned), ruleSet: rules, now: SystemClock.now(),
                    standing: learning.standing, publish: learning.publish)
                refused = refused || changed.refused
            }
        }
        return (outcome.removed, refused)
    }
}

/// Runs reloads, and what brings things into line behind them, one after the other, on threads that give way to those that answer.
final class Reloader: Sendable {
    /// Held by the one that is under way.
    private let turn = Mutex(())

    /// Runs `body` when no other one is under way.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await BackgroundThread.run(.low) { self.turn.withLock { _ in body() } }
    }
}
