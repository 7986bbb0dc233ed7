/// Counters of the workers that are one family of metrics, told apart by one label.
struct WorkerFamily: Sendable {
    /// A counter by the value of the label.
    typealias Sample = (value: String, path: any KeyPath<WorkerCounters, UInt64> & Sendable)

    /// The family's name without the prefix.
    let name: String
    /// What it counts.
    let help: String
    /// The label's name; nil for a single counter without one.
    let label: String?
    /// The counters.
    let samples: [Sample]

    /// A family whose members differ in `label`.
    private init(_ name: String, _ help: String, by label: String, _ samples: [Sample]) {
        self.name = name
        self.help = help
        self.label = label
        self.samples = samples
    }

    /// A family of one counter.
    private init(_ name: String, _ help: String, _ path: any KeyPath<WorkerCounters, UInt64> & Sendable) {
        self.name = name
        self.help = help
        label = nil
        samples = [("", path)]
    }

    /// The labels of the counter whose label has `value`.
    func labels(_ value: String) -> [(String, String)] {
        label.map { [($0, value)] } ?? []
    }

    /// Every counter of `WorkerCounters` but those of response codes and outcomes.
    static let all = [
        WorkerFamily(
            "queries_total", "Queries received, by transport.", by: "transport",
            [("udp", \.queriesUDP), ("tcp", \.queriesTCP)]),
        WorkerFamily(
            "verdicts_total", "Verdicts of the policy.", by: "verdict",
            [
                ("allowed", \.allowed), ("denied", \.denied), ("audited", \.audited), ("prohibited", \.prohibited),
            ]),
        WorkerFamily(
            "queries_dropped_total", "Queries that got no answer, by reason.", by: "reason",
            [
                ("not_query", \.droppedNotQuery), ("oversized", \.droppedOversized),
                ("not_allowed", \.droppedNotAllowed), ("overloaded", \.droppedOverloaded),
                ("no_host", \.droppedNoHost), ("own_listener", \.droppedOwnListener),
                ("rate_limited", \.droppedRateLimited),
            ]),
        WorkerFamily(
            "receive_drops_total", "Datagrams that the kernel dropped: no room for them, or their client flooded.",
            \.receiveDrops),
        WorkerFamily("floods_total", "Times that a client's datagrams began to be thinned out.", \.floods),
        WorkerFamily(
            "replies_unsent_total", "Replies that the kernel did not take; their queries are counted as answered.",
            \.repliesUnsent),
        WorkerFamily(
            "queries_rejected_total", "Queries answered with an error because of what they are, by reason.",
            by: "reason",
            [
                ("malformed", \.rejectedMalformed), ("opcode", \.rejectedOpcode),
                ("edns_version", \.rejectedVersion), ("unsupported", \.rejectedUnsupported),
            ]),
        WorkerFamily(
            "connections_refused_total", "Connections closed at once because there were too many.",
            \.connectionsRefused),
        WorkerFamily(
            "connections_closed_total", "Connections closed because their clients were too slow, by what they did.",
            by: "reason", [("slow_reader", \.connectionsSlowReader), ("slow_writer", \.connectionsSlowWriter)]),
        WorkerFamily(
            "accept_failures_total", "Times that no connection could be taken for want of descriptors or memory.",
            \.acceptFailures),
        WorkerFamily(
            "queries_overloaded_total", "Queries answered SERVFAIL, or TC (rate), because of a limit, by which.",
            by: "limit",
            [
                ("table", \.overloaded), ("client", \.overloadedClient), ("server", \.overloadedServer),
                ("rate", \.overloadedRate),
            ]),
        WorkerFamily(
            "queries_shed_total", "Waiting queries that made room for a client with fewer.", \.shed),
        WorkerFamily("cache_hits_total", "Queries that the cache had an answer for within its lifetime.", \.cacheHits),
        WorkerFamily("cache_misses_total", "Queries that the cache had no answer for.", \.cacheMisses),
        WorkerFamily(
            "cache_stale_answers_total", "Queries that an expired answer was found for in time.", \.staleAnswers),
        WorkerFamily("local_answers_total", "Queries that local records had the answer for.", \.localAnswers),
        WorkerFamily("queries_coalesced_total", "Misses that joined an exchange in flight.", \.coalesced),
        WorkerFamily(
            "queries_steered_total", "Misses passed to the worker whose exchange they join.", \.steered),
        WorkerFamily("upstream_queries_total", "Messages sent to upstreams, retries included.", \.upstreamQueries),
        WorkerFamily("upstream_timeouts_total", "Attempts at an upstream without an answer.", \.upstreamTimeouts),
        WorkerFamily("upstream_errors_total", "Attempts that an upstream answered with an error.", \.upstreamErrors),
        WorkerFamily(
            "upstream_mismatches_total", "Messages from upstreams that answered no question.", \.upstreamMismatches),
        WorkerFamily(
            "upstream_records_dropped_total", "Records left out of upstream answers: foreign, or there twice.",
            \.upstreamRecordsDropped),
        WorkerFamily("upstream_failures_total", "Exchanges that failed at every upstream.", \.upstreamFailures),
        WorkerFamily(
            "upstream_races_total", "Questions put to a second upstream because the first was slow.", \.upstreamRaces),
        WorkerFamily(
            "upstream_probes_total", "Questions put to an upstream that is down, to see how it does.",
            \.upstreamProbes),
        WorkerFamily(
            "upstream_case_changes_total", "Answers that changed the case of the question.", \.upstreamCaseChanges),
        WorkerFamily(
            "upstream_untrusted_total", "Questions that failed because a certificate proved nothing.",
            \.upstreamUntrusted),
        WorkerFamily("answers_held_total", "Answers that waited for the feed.", \.held),
        WorkerFamily("hold_timeouts_total", "Answers whose wait ended with maxDelay.", \.holdTimeouts),
        WorkerFamily(
            "hold_rejections_total", "Answers whose mapping an enforcer could not put in force.", \.holdRejections),
        WorkerFamily("hold_refusals_total", "Mapping changes that the feed had no room for.", \.feedRefusals),
        WorkerFamily("addresses_denied_total", "Addresses of answers that may never be learned.", \.addressesDenied),
        WorkerFamily("answers_cut_total", "Answers with more addresses than a name may have.", \.answersCut),
    ]
}
