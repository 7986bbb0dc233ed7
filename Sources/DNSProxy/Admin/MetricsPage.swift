import DNSWire
import FQDNCache
import MappingFeed

/// The figures of the daemon in the text format of Prometheus, version 0.0.4.
struct MetricsPage {
    /// The page so far.
    private(set) var text = ""

    /// A page of `metrics`.
    init(_ metrics: AdminMetrics) {
        let workers = metrics.workers.reduce(WorkerCounters(), +)
        gauge("build_info", "The daemon's version; always 1.", [([("version", metrics.version)], 1)])
        gauge("start_time_seconds", "When the process started, in seconds since the epoch.", metrics.started)
        gauge("workers", "Worker threads.", Double(metrics.workers.count))
        for family in WorkerFamily.all {
            counter(
                family.name, family.help, family.samples.map { (family.labels($0.value), workers[keyPath: $0.path]) })
        }
        counter(
            "responses_total", "Responses sent, by response code.",
            workers.responses.indices.map { code in
                ([("rcode", "\(ResponseCode(rawValue: UInt16(code)))")], workers.responses[code])
            })
        append(metrics.answers)
        append(metrics.mappings)
        append(metrics.feed)
        append(metrics.policy)
        append(metrics.upstreams)
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
        gauge("feed_journal_bytes", "Bytes of the current journal file.", Double(counters.journalBytes))
        counter("feed_published_total", "Changes of mappings and identities that were published.", counters.published)
        counter("feed_refused_total", "Changes that found the queue full.", counters.refused)
        counter("feed_journal_errors_total", "Writes to the journal that failed.", counters.journalErrors)
        counter("feed_journal_compactions_total", "Compactions of the journal.", counters.compactions)
        counter("feed_acknowledgements_total", "Acknowledgements from subscribers.", counters.acks)
        counter("feed_rejections_total", "Changes that a subscriber could not put in force.", counters.nacks)
        counter("feed_snapshots_total", "Subscribers that were sent a snapshot.", counters.snapshots)
        counter("feed_resumes_total", "Subscribers that went on where they had been.", counters.resumes)
        let disconnects = counters.disconnects.sorted { $0.key.rawValue < $1.key.rawValue }
        counter(
            "feed_disconnects_total", "Subscribers that left or were disconnected, by reason.",
            disconnects.map { ([("reason", $0.key.rawValue)], $0.value) })
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

    /// The upstreams; a server that is in several routes of the same domains is there once.
    private mutating func append(_ upstreams: [AdminUpstream]) {
        var seen: Set<[String]> = []
        let distinct = upstreams.filter { seen.insert([$0.server] + $0.domains).inserted }
        gauge(
            "upstream_up", "Whether an upstream is used (1) or not (0).",
            distinct.map { upstream in
                let labels = [("server", upstream.server), ("domains", upstream.domains.joined(separator: ","))]
                return (labels, upstream.isUp ? 1 : 0)
            })
    }
}

/// The text format itself.
extension MetricsPage {
    /// Labels with the value that has them.
    private typealias Sample<Value> = (labels: [(String, String)], value: Value)

    /// A counter without labels.
    private mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        counter(name, help, [([], value)])
    }

    /// A counter.
    private mutating func counter(_ name: String, _ help: String, _ samples: [Sample<UInt64>]) {
        family(name, "counter", help, samples.map { ($0.labels, "\($0.value)") })
    }

    /// A gauge without labels.
    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        gauge(name, help, [([], value)])
    }

    /// A gauge.
    private mutating func gauge(_ name: String, _ help: String, _ samples: [Sample<Double>]) {
        family(
            name, "gauge", help,
            samples.map { ($0.labels, Int(exactly: $0.value).map(String.init) ?? "\($0.value)") })
    }

    /// A family with its lines; nothing at all when it has no sample.
    private mutating func family(_ name: String, _ type: String, _ help: String, _ samples: [Sample<String>]) {
        guard !samples.isEmpty else { return }
        text += "# HELP dnsproxyd_\(name) \(help)\n# TYPE dnsproxyd_\(name) \(type)\n"
        for (labels, value) in samples {
            let list = labels.map { "\($0)=\"\(MetricsPage.escaped($1))\"" }.joined(separator: ",")
            text += "dnsproxyd_\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
        }
    }

    /// A label value with backslashes, quotes and line feeds escaped.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
