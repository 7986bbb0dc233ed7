import DNSWire
import FQDNPolicy
import Hummingbird

/// The query parameters of one request.
struct AdminParameters {
    /// Values by name; those that are empty count as absent.
    let values: [String: String]

    /// Takes the parameters of `request`.
    /// - Throws: `AdminRequestError` for a parameter that is not `known` or that is there twice.
    init(_ request: Request, known: [String]) throws(AdminRequestError) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            let name = String(name)
            guard known.contains(name) else {
                let expected = known.isEmpty ? "there are none here" : "expected \(known.joined(separator: ", "))"
                throw AdminRequestError("unknown parameter \(quoted(name)); \(expected)", parameter: name)
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw AdminRequestError("the parameter \(name) is there twice", parameter: name)
            }
        }
        self.values = values.filter { !$0.value.isEmpty }
    }

    /// The value that `parse` makes of the parameter, or `fallback` when it is absent; `expected` finishes the sentence
    /// "expected …".
    /// - Throws: `AdminRequestError` when `parse` returns nil, or the parameter is absent and there is no fallback.
    func value<Value>(
        _ name: String, _ expected: String, default fallback: Value? = nil, _ parse: (String) -> Value?
    ) throws(AdminRequestError) -> Value {
        guard let text = values[name] else {
            if let fallback { return fallback }
            throw AdminRequestError("the parameter \(name) is missing: \(expected)", parameter: name)
        }
        guard let value = parse(text) else {
            throw AdminRequestError("\(name): expected \(expected), found \(quoted(text))", parameter: name)
        }
        return value
    }

    /// A domain name, which must be there.
    /// - Throws: `AdminRequestError` when it is not.
    func name(_ name: String) throws(AdminRequestError) -> DomainName {
        let text = try value(name, "a domain name") { $0 }
        do throws(NameError) {
            return try DomainName(text)
        } catch {
            throw AdminRequestError("\(name): \(quoted(text)) is not a domain name: \(error)", parameter: name)
        }
    }

    /// The parameter `pattern`; every name when it is absent.
    /// - Throws: `AdminRequestError` when it is not a pattern.
    func names() throws(AdminRequestError) -> NameFilter {
        guard let text = values["pattern"] else { return .all }
        do throws(PatternError) {
            return try NameFilter(text)
        } catch {
            throw AdminRequestError("pattern \(quoted(text)) \(error)", parameter: "pattern")
        }
    }

    /// The parameter `identity`: the number of an identity, its name, or `namespace/name`; nil when it is absent.
    ///
    /// A number need not be one of `identities`, since mappings outlive their identity for a while.
    /// - Throws: `AdminRequestError` when no identity has the name.
    func identities(among identities: () async -> [AdminIdentity]) async throws(AdminRequestError) -> Set<UInt64>? {
        guard let text = values["identity"] else { return nil }
        if let number = UInt64(text) { return [number] }
        let found = await identities().filter { $0.isCalled(text) }
        guard !found.isEmpty else {
            throw AdminRequestError(
                "identity: there is no identity \(quoted(text))", parameter: "identity", status: .notFound)
        }
        return Set(found.map(\.id))
    }

    /// The parameter `source`: why mappings are open; nil for whatever reason.
    /// - Throws: `AdminRequestError` when there is no such reason.
    func source() throws(AdminRequestError) -> MappingListing.Source? {
        guard values["source"] != nil else { return nil }
        return try value("source", "lookup or connection") { MappingListing.Source(rawValue: $0) }
    }

    /// The parameter `identity`, which must be there and name one identity.
    /// - Throws: `AdminRequestError` when it does not.
    func identity(among identities: () async -> [AdminIdentity]) async throws(AdminRequestError) -> UInt64 {
        let text = try value("identity", "the number of an identity, or namespace/name") { $0 }
        let found = try await self.identities(among: identities) ?? []
        guard let identity = found.first, found.count == 1 else {
            throw AdminRequestError(
                "identity: \(found.count) identities have the name \(quoted(text)); say namespace/name",
                parameter: "identity")
        }
        return identity
    }
}
