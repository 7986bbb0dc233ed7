import DNSWire
import FQDNPolicy
import Hummingbird

extension FlowRequest {
    /// The parts of a filter.
    private static let filters = ["verdict", "outcome", "name", "identity", "client", "type", "rcode"]

    /// What stands before a part of the filter that leaves flows out.
    fileprivate static let negation = "not-"

    /// The parts of the filter that leaves flows out.
    fileprivate static let negated = filters.map { negation + $0 }

    /// The parameters that say which flows are wanted.
    static let parameters = ["last", "since", "follow"] + filters + negated
}

extension AdminParameters {
    /// Values of one parameter at most.
    private static let listLimit = 100

    /// The flows that the parameters ask for; those of the filters are lists, with commas.
    /// - Throws: `AdminRequestError` when one of them makes no sense.
    func flows(among identities: () async -> [AdminIdentity]) async throws(AdminRequestError) -> FlowRequest {
        var request = FlowRequest()
        if values["last"] != nil {
            request.last = try value("last", "a number of flows from 0 to 1000000") { text in
                Int(text).flatMap { (0...1_000_000).contains($0) ? $0 : nil }
            }
        }
        if values["since"] != nil {
            request.sinceMilliseconds = try value("since", TimeSpan.expected) { text in
                TimeSpan(text).flatMap { $0.milliseconds <= 1_000_000_000_000 ? $0.milliseconds : nil }
            }
        }
        request.follows = try value("follow", "true or false", default: false) { Bool($0) }
        request.filter = try await filter("", among: identities)
        if FlowRequest.negated.contains(where: { values[$0] != nil }) {
            request.exclusion = try await filter(FlowRequest.negation, among: identities)
        }
        return request
    }

    /// The filter of the parameters whose names begin with `prefix`.
    /// - Throws: `AdminRequestError` when one of them makes no sense.
    private func filter(
        _ prefix: String, among identities: () async -> [AdminIdentity]
    ) async throws(AdminRequestError) -> FlowFilter {
        var filter = FlowFilter()
        filter.verdicts = Set(
            try list(prefix + "verdict", "a verdict: FORWARDED, DROPPED, AUDIT or ERROR") {
                FlowVerdict(rawValue: $0.uppercased())
            })
        filter.outcomes = Set(
            try list(prefix + "outcome", "an outcome such as hit, upstream or failed") { QueryOutcome(label: $0) })
        filter.names = try patterns(prefix + "name")
        filter.clients = try list(prefix + "client", "an address or a network such as 10.0.0.0/8") { IPPrefix($0) }
        filter.types = Set(try list(prefix + "type", "a record type such as AAAA") { RecordType($0) })
        filter.responseCodes = Set(
            try list(prefix + "rcode", "a response code such as NXDOMAIN") { ResponseCode($0) })
        filter.identities = try await numbers(prefix + "identity", among: identities)
        return filter
    }

    /// The elements of the parameter `name`, each as `parse` understands it; none when it is absent.
    /// - Throws: `AdminRequestError` when `parse` does not, or there are too many.
    private func list<Value>(
        _ name: String, _ expected: String, _ parse: (String) -> Value?
    ) throws(AdminRequestError) -> [Value] {
        var values: [Value] = []
        for element in try elements(name) {
            guard let value = parse(element) else {
                throw AdminRequestError("\(name): expected \(expected), found \(quoted(element))", parameter: name)
            }
            values.append(value)
        }
        return values
    }

    /// The texts between the commas of the parameter `name`; none when it is absent.
    /// - Throws: `AdminRequestError` when there are too many, or one of them is empty: that would filter nothing.
    private func elements(_ name: String) throws(AdminRequestError) -> [String] {
        guard let text = values[name] else { return [] }
        let elements = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !elements.contains("") else {
            throw AdminRequestError("\(name): a value is empty in \(quoted(text))", parameter: name)
        }
        guard elements.count <= AdminParameters.listLimit else {
            throw AdminRequestError("\(name): more than \(AdminParameters.listLimit) values", parameter: name)
        }
        return elements
    }

    /// The patterns of the parameter `name`.
    /// - Throws: `AdminRequestError` when one of them is none.
    private func patterns(_ name: String) throws(AdminRequestError) -> [NameFilter] {
        var patterns: [NameFilter] = []
        for text in try elements(name) {
            do throws(PatternError) {
                patterns.append(try NameFilter(text))
            } catch {
                throw AdminRequestError("\(name): pattern \(quoted(text)) \(error)", parameter: name)
            }
        }
        return patterns
    }

    /// The numbers of the identities of the parameter `name`; nil when it is absent.
    /// - Throws: `AdminRequestError` when there is no such identity.
    private func numbers(
        _ name: String, among identities: () async -> [AdminIdentity]
    ) async throws(AdminRequestError) -> Set<UInt64>? {
        let texts = try elements(name)
        guard !texts.isEmpty else { return nil }
        let known = await identities()
        var numbers: Set<UInt64> = []
        for text in texts {
            if let number = UInt64(text) {
                numbers.insert(number)
                continue
            }
            let found = known.filter { $0.isCalled(text) }
            guard !found.isEmpty else {
                throw AdminRequestError(
                    "\(name): there is no identity \(quoted(text))", parameter: name, status: .notFound)
            }
            numbers.formUnion(found.map(\.id))
        }
        return numbers
    }
}
