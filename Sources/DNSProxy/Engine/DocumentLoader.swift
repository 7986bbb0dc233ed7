import FQDNPolicy

/// Reads everything that a snapshot is made of, from the same paths again and again.
struct DocumentLoader: Sendable {
    /// The policy documents and the identities.
    private let sources: PolicySources
    /// Zone files.
    let zones: [String]

    /// A loader of what `configuration` names.
    init(_ configuration: EngineConfiguration) {
        sources = PolicySources(
            policies: configuration.policies, identities: configuration.identities,
            options: PolicyOptions(
                enforcement: configuration.enforcement, unknownClients: configuration.unknownClients))
        zones = configuration.zones
    }

    /// Reads all documents, in place of those of `previous`; the snapshot is nil when any of the problems is an error.
    func load(generation: UInt64, after previous: EngineSnapshot? = nil) -> (
        snapshot: EngineSnapshot?, problems: [DocumentProblem]
    ) {
        let (local, zoneProblems) = ZoneFile.load(zones)
        do throws(PolicySources.LoadError) {
            let loaded = try sources.load(generation: generation)
            let problems = loaded.problems + zoneProblems
            guard !problems.contains(where: { $0.severity == .error }) else { return (nil, problems) }
            let snapshot = EngineSnapshot(
                generation: generation, policy: loaded.snapshot, zones: local.withSpecialNames, after: previous)
            return (snapshot, problems)
        } catch {
            return (nil, error.problems + zoneProblems)
        }
    }

    /// Everything there is to say about the documents, what is probably not meant included.
    func check() -> [DocumentProblem] { sources.check() + ZoneFile.load(zones).1 }

    /// Changes when any of the files is added, removed, replaced or written.
    func fingerprint() -> [UInt64] {
        [sources.fingerprint(), DocumentFiles.fingerprint(zones)]
    }
}
