import DequeModule
import FQDNCache
import ServiceLifecycle

/// Looks once a second, keeps what the charts show, and tells the viewers, if there are any.
struct PageTicker: Service {
    /// Who knows.
    let backend: any AdminBackend
    /// Who is told.
    let events: PageEvents

    /// Seconds over which figures are taken: calm enough to read, and soon to show a change.
    static let window = 5
    /// Names of the list of denials.
    private static let denials = 12

    /// What was counted at one moment.
    private struct Reading {
        /// The moment.
        let at: Moment
        /// What the workers had counted.
        let counters: WorkerCounters
        /// How long responses had taken.
        let requests: DurationHistogram
    }

    /// Looks until a graceful shutdown, then ends every viewer's events.
    func run() async {
        await cancelWhenGracefulShutdown {
            var readings = Deque<Reading>()
            while (try? await Task.sleep(for: .seconds(1))) != nil { await tick(&readings) }
        }
        events.close()
    }

    /// Takes the next reading.
    private func tick(_ readings: inout Deque<Reading>) async {
        let metrics = await backend.metrics()
        let now = Reading(
            at: SystemClock.now(), counters: metrics.workers.reduce(WorkerCounters(), +),
            requests: metrics.durations.requests)
        defer {
            readings.append(now)
            if readings.count > PageTicker.window { readings.removeFirst() }
        }
        guard let last = readings.last, let first = readings.first else { return }
        let wall = SystemClock.wallSeconds()
        let sample = PageSample(
            at: wall, from: last.counters, to: now.counters, seconds: PageTicker.seconds(last.at, now.at))
        events.note(sample)
        // Asked for even when nobody looks, so that there is something to see for whoever comes.
        let denials = await backend.denials(limit: events.viewerCount > 0 ? PageTicker.denials : 0)
        guard events.viewerCount > 0 else { return }
        let span = PageSample(
            at: wall, from: first.counters, to: now.counters, seconds: PageTicker.seconds(first.at, now.at))
        let figures = PageState.Figures(
            queries: span.queries, denied: span.denied, failed: span.failed, cacheShare: span.cacheShare,
            median: now.requests.quantile(0.5, since: first.requests),
            p99: now.requests.quantile(0.99, since: first.requests))
        events.tell(await state(sample, figures, now.counters, metrics, denials))
    }

    /// Everything that is told of one moment.
    private func state(
        _ sample: PageSample, _ figures: PageState.Figures, _ counters: WorkerCounters, _ metrics: AdminMetrics,
        _ denials: AdminDenials
    ) async -> PageState {
        let status = await backend.status()
        return PageState(
            sample: sample, figures: figures,
            totals: PageState.Totals(
                queries: counters.queriesUDP + counters.queriesTCP, cache: counters.ended(.cache),
                denied: counters.ended(.denied), failed: counters.ended(.failed),
                waiting: metrics.waiting.queries),
            host: System.hostName, version: status.version, started: status.started, notReady: status.notReady,
            policy: PageState.Policy(
                enforcement: status.policy.enforcement, generation: status.policy.generation,
                policies: status.policy.policies, identities: status.policy.identities, loaded: status.policy.loaded,
                errors: status.policy.problems.count),
            upstreams: status.upstreams, subscribers: status.feed.subscribers, mappings: status.mappings,
            cacheBytes: status.answers.bytes, cacheCapacity: status.answers.capacity,
            denials: denials)
    }

    /// Seconds from one moment to another.
    private static func seconds(_ first: Moment, _ second: Moment) -> Double {
        Double(second.nanoseconds(since: first)) / 1e9
    }
}
