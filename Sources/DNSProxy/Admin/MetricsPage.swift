import DNSWire
import FQDNCache
import MappingFeed

/// The figures of the daemon as Prometheus reads them. Names have the prefix `dnsproxyd_`, but for those of the process,
/// which are called as everywhere.
struct MetricsPage {
    /// The text so far.
    private var page: MetricsText

    /// The whole page.
    var text: String { page.text }

    /// A page of `metrics` and of the process.
    init(_ metrics: AdminMetrics, process: ProcessFigures, format: MetricsText.Format) {
        page = MetricsText(format)
        let workers = metrics.workers.reduce(WorkerCounters(), +)
        gauge("build_info", "The daemon's version; always 1.", [([("version", metrics.version)], 1)])
        gauge("start_time_seconds", "When the process started, in seconds since the epoch.", metrics.started)
        gauge("ready", "Whether clients may be sent here (1) or not (0); /ready says why not.", metrics.isReady ? 1 : 0)
        gauge("workers", "Worker threads.", Double(metrics.workers.count))
        append(workers)
        append(metrics.durations)
        append(metrics.waiting)
        gauge("connections", "Connections of clients that are open.", Double(metrics.connections))
        append(metrics.answers)
        append(metrics.mappings)
        append(metrics.feed)
        append(metrics.policy)
        append(metrics.upstreams, labelled: metrics.upstreamLabels)
        append(metrics.flows)
        append(process, started: metrics.started)
        page.finish()
    }

    /// What the workers have counted.
    private mutating func append(_ workers: WorkerCounters) {
        for family in WorkerFamily.all {
            counter(
                family.name, family.help, family.samples.map { (family.labels($0.value), workers[keyPath: $0.path]) })
        }
        counter(
            "outcomes_total",
            "Queries by how they ended, each counted once; with queries_waiting the sum is queries_total.",
            QueryOutcome.allCases.map { ([("outcome", $0.label)], workers[$0]) })
        counter(
            "responses_total", "Responses sent, by response code.",
            workers.responses.indices.map { code in
                ([("rcode", "\(ResponseCode(rawValue: UInt16(code)))")], workers.responses[code])
            })
    }

    /// How long queries took.
    private mutating func append(_ durations: WorkerDurations) {
        page.histogram(
            MetricsPage.prefix + "request_duration_seconds",
            "From the receipt of a query to its response. The clock is read once a turn of a worker's loop: queries that "
                + "are answered in the turn that received them count with the length of the whole turn.",
            durations.requests)
        page.histogram(
            MetricsPage.prefix + "upstream_duration_seconds",
            "From a question's way to an upstream to its answer, for each attempt that was answered.",
            durations.upstreams)
        page.histogram(
            MetricsPage.prefix + "hold_duration_seconds",
            "How long finished responses waited for the journal or an enforcer, of those that had to wait.",
            durations.holds)
    }

    /// What waits.
    private mutating func append(_ waiting: AdminMetrics.Waiting) {
        gauge(
            "queries_waiting", "Queries that were received and have not ended, by what they wait for.",
            [
                ([("for", "upstream")], Double(waiting.upstream)), ([("for", "feed")], Double(waiting.feed)),
                ([("for", "worker")], Double(waiting.worker)),
            ])
        gauge("upstream_exchanges", "Questions that are with upstreams.", Double(waiting.exchanges))
    }

    /// The answer cache.
    private mutating func append(_ answers: AnswerStatistics) {
        gauge("cache_entries", "Answers in the cache.", Double(answers.entries))
        gauge("cache_bytes", "Bytes of the answers in the cache.", Double(answers.bytesUsed))
        gauge("cache_capacity_bytes", "Bytes that the cache may occupy.", Double(answers.capacity))
        counter("cache_insertions_total", "Answers stored, replacements included.", answers.insertions)
        counter("cache_evictions_total", "Answers dropped to make room while they could be served.", answers.evictions)
        counter("cache_expirations_total", "Answers dropped at the end of their life.", answers.expirations)
        counter("cache_rejections_total", "Answers that were not stored.", answers.rejected)
    }

    /// The mapping table.
    private mutating func append(_ mappings: AdminMappingTotals) {
        gauge("mapping_identities", "Identities that have a mapping.", Double(mappings.identities))
        gauge("mapping_names", "Names with a mapping, counted for each identity.", Double(mappings.names))
        gauge("mapping_addresses", "Addresses of mappings, counted for each name.", Double(mappings.addresses))
    }

    /// The feed.
    private mutating func append(_ feed: AdminMetrics.Feed) {
        let counters = feed.counters
        gauge("feed_sequence", "The last sequence number of the feed.", Double(feed.sequence))
        gauge("feed_released_sequence", "Everything up to it is journalled and acknowledged.", Double(feed.released))
        gauge("feed_queue_length", "Changes that wait to be written.", Double(counters.queued))
        gauge("feed_subscribers", "Connected subscribers.", Double(counters.subscribers))
        gauge(
            "feed_acknowledging_subscribers", "Connected subscribers that acknowledge.", Double(feed.acknowledging))
        gauge("feed_lag_events", "Changes that the slowest subscriber is behind.", Double(feed.lag))
        gauge("feed_journal_bytes", "Bytes of the current journal file.", Double(counters.journalBytes))
        counter("feed_published_total", "Changes of mappings and identities that were published.", counters.published)
        counter("feed_refused_total", "Changes that found the queue full.", counters.refused)
        counter("feed_journal_errors_total", "Writes to the journal that failed.", counters.journalErrors)
        counter("feed_journal_compactions_total", "Compactions of the journal.", counters.compactions)
        counter("feed_acknowledgements_total", "Acknowledgements from subscribers.", counters.acks)
        counter("feed_rejections_total", "Changes that a subscriber could not put in force.", counters.nacks)
        counter("feed_snapshots_total", "Subscribers that were sent a snapshot.", counters.snapshots)
        counter("feed_resumes_total", "Subscribers that went on where they had been.", counters.resumes)
        // All reasons from the start, so that the first disconnection is seen as growth.
        counter(
            "feed_disconnects_total", "Subscribers that left or were disconnected, by reason.",
            FeedDisconnectReason.allCases.map { ([("reason", $0.rawValue)], counters.disconnects[$0] ?? 0) })
    }

    /// The policy.
    private mutating func append(_ policy: AdminMetrics.Policy) {
        gauge("policy_generation", "Number of the policy snapshot in force.", Double(policy.generation))
        gauge("policy_documents", "Policy documents in force.", Double(policy.policies))
        gauge("policy_rules", "Rules in them.", Double(policy.rules))
        gauge("policy_identities", "Identities, reserved:unknown not counted.", Double(policy.identities))
        counter(
            "policy_reloads_total", "Reloads, by result.",
            [([("result", "success")], policy.reloads), ([("result", "failure")], policy.failedReloads)])
    }

    /// The upstreams: how many servers there are of each kind, whatever their routes, and if they are `labelled` each of
    /// them; one that is in several routes of the same domains is there once.
    private mutating func append(_ upstreams: [AdminUpstream], labelled: Bool) {
        let servers = Set(upstreams.map(\.server)).count
        let up = Set(upstreams.filter(\.isUp).map(\.server)).count
        gauge(
            "upstreams", "Upstreams by whether they are used (up) or not (down), each server once.",
            [([("state", "up")], Double(up)), ([("state", "down")], Double(servers - up))])
        guard labelled else { return }
        appendEach(upstreams)
    }

    /// Each of the upstreams.
    private mutating func appendEach(_ upstreams: [AdminUpstream]) {
        var seen: Set<[String]> = []
        let distinct = upstreams.filter { seen.insert([$0.server] + $0.domains).inserted }
        let labels = distinct.map { [("server", $0.server), ("domains", $0.domains.joined(separator: ","))] }
        let servers = zip(labels, distinct)
        gauge(
            "upstream_up", "Whether an upstream is used (1) or not (0).",
            servers.map { labels, upstream in (labels, upstream.isUp ? 1 : 0) })
        gauge(
            "upstream_round_trip_seconds",
            "How long an upstream takes to answer, smoothed; absent before its first answer.",
            servers.compactMap { labels, upstream in upstream.roundTrip.map { (labels, $0) } })
    }

    /// What is kept of finished queries.
    private mutating func append(_ flows: AdminMetrics.Flows) {
        counter("flows_noted_total", "Finished queries that were noted for people to look at.", flows.noted)
        counter(
            "flows_lost_total",
            "Flows that were not noted because of flows.rate or flows.watchedRate, that a reader was too slow for, or that "
                + "could not be exported, by reason.",
            [
                ([("reason", FlowLoss.Reason.rate.rawValue)], flows.leftOut),
                ([("reason", FlowLoss.Reason.overtaken.rawValue)], flows.overtaken),
                ([("reason", "export")], flows.unwritten),
            ])
        counter("flows_exported_total", "Flows that were exported.", flows.exported)
        gauge("flow_readers", "Readers that follow the flows, the exporter included.", Double(flows.readers))
    }

    /// The process.
    private mutating func append(_ process: ProcessFigures, started: Double) {
        page.counter(
            "process_cpu_seconds_total", "User and system CPU time of the process, in seconds.",
            seconds: process.processorSeconds)
        page.gauge("process_start_time_seconds", "When the process started, in seconds since the epoch.", started)
        page.gauge("process_resident_memory_bytes", "Resident memory of the process.", Double(process.residentBytes))
        page.gauge("process_virtual_memory_bytes", "Virtual memory of the process.", Double(process.virtualBytes))
        page.gauge("process_open_fds", "File descriptors that are open.", Double(process.openDescriptors))
        page.gauge("process_max_fds", "File descriptors that may be open.", Double(process.descriptorLimit))
    }
}

/// Families of this daemon.
extension MetricsPage {
    /// What the names of our own metrics begin with.
    private static let prefix = "dnsproxyd_"

    /// A counter without labels.
    private mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        page.counter(MetricsPage.prefix + name, help, value)
    }

    /// A counter.
    private mutating func counter(_ name: String, _ help: String, _ samples: [MetricsText.Sample<UInt64>]) {
        page.counter(MetricsPage.prefix + name, help, samples)
    }

    /// A gauge without labels.
    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        page.gauge(MetricsPage.prefix + name, help, value)
    }

    /// A gauge.
    private mutating func gauge(_ name: String, _ help: String, _ samples: [MetricsText.Sample<Double>]) {
        page.gauge(MetricsPage.prefix + name, help, samples)
    }
}
