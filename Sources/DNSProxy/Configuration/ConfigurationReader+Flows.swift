import DNSWire
import FQDNPolicy

/// `flows`: which queries are kept for people to look at, and which are written to a file.
extension ConfigurationReader {
    /// `flows`; switched off, nothing is noted and nothing exported.
    mutating func readFlows(_ root: inout DocumentMapping) {
        guard let node = root.value("flows") else { return }
        if isOff(node) {
            engine.flows.recent = 0
            return
        }
        node.mapping(problems) { flows in
            engine.flows.recent = flows.integer("recent", in: 1...65_536) ?? engine.flows.recent
            engine.flows.rate = flows.integer("rate", in: 0...1_000_000) ?? engine.flows.rate
            engine.flows.watchedRate = flows.integer("watchedRate", in: 1...1_000_000) ?? engine.flows.watchedRate
            guard let export = flows.value("export"), !isOff(export) else { return }
            readExport(export)
        }
    }

    /// `flows.export`.
    private mutating func readExport(_ node: DocumentNode) {
        var export = EngineConfiguration.Flows.Export()
        node.mapping(problems) { keys in
            if let file = keys.value("file", required: true) {
                let isStandardOutput = file.string(problems) == "stdout"
                export.file = isStandardOutput ? nil : absolutePath(file)
            }
            if let size = keys.value("maxSize"), let value = size.value(ByteSize.expected, problems, { ByteSize($0) }) {
                if (1_000...1 << 40).contains(value.bytes) {
                    export.maxSize = value.bytes
                } else {
                    problems.error(size, "expected a size from 1KB to 1TiB")
                }
            }
            export.maxFiles = keys.integer("maxFiles", in: 0...1_000) ?? export.maxFiles
            export.allow = keys.elements("allow")?.map { filter($0) } ?? []
            export.deny = keys.elements("deny")?.map { filter($0) } ?? []
            let kept = fields("fields", of: &keys)
            export.fields = HubbleFields(kept: kept, redacted: fields("redact", of: &keys) ?? [])
        }
        engine.flows.export = export
    }

    /// A filter of flows: its keys all have to fit, of the values of a key any.
    private func filter(_ node: DocumentNode) -> FlowFilter {
        var filter = FlowFilter()
        node.mapping(problems) { keys in
            filter.verdicts = Set(
                keys.elements("verdict")?.compactMap { $0.choice(FlowVerdict.self, problems) } ?? [])
            filter.outcomes = Set(
                keys.values("outcome", "an outcome such as hit, upstream or failed") { QueryOutcome(label: $0) } ?? [])
            filter.names = names(&keys)
            filter.identityNames = Set(keys.strings("identity") ?? [])
            filter.clients = keys.value("client").flatMap { networks($0) } ?? []
            filter.types = Set(keys.values("type", "a record type such as AAAA") { RecordType($0) } ?? [])
            filter.responseCodes = Set(
                keys.values("rcode", "a response code such as NXDOMAIN") { ResponseCode($0) } ?? [])
        }
        return filter
    }

    /// The patterns under `name`.
    private func names(_ keys: inout DocumentMapping) -> [NameFilter] {
        keys.elements("name")?.compactMap { node in
            guard let text = node.string(problems) else { return nil }
            do throws(PatternError) {
                return try NameFilter(text)
            } catch {
                problems.error(node, "pattern \(quoted(text)) \(error)")
                return nil
            }
        } ?? []
    }

    /// Paths of fields under `key`; nil when there is no such key.
    private func fields(_ key: String, of keys: inout DocumentMapping) -> Set<String>? {
        keys.elements(key).map { elements in
            Set(
                elements.compactMap { node in
                    guard let path = node.string(problems) else { return nil }
                    guard HubbleFields.known.contains(path) else {
                        problems.error(
                            node, "there is no field \(quoted(path))\(suggestion(for: path, among: HubbleFields.known))"
                        )
                        return nil
                    }
                    return path
                })
        }
    }
}
