/// The files and directories that policies and identities are read from.
public struct PolicySources: Sendable {
    /// Files, or directories of `*.yaml` and `*.yml`, with policy documents.
    public let policies: [String]
    /// Likewise with identities documents; a file may have both kinds, wherever it is listed.
    public let identities: [String]
    /// The settings to compile with.
    public let options: PolicyOptions

    /// A snapshot, and what else there is to say about its documents.
    public struct Loaded: Sendable {
        /// The compiled documents.
        public let snapshot: PolicySnapshot
        /// Warnings and notices, no errors.
        public let problems: [DocumentProblem]
    }

    /// Everything that is wrong with the documents; nothing was loaded.
    public struct LoadError: Error, Sendable, CustomStringConvertible {
        /// All problems, at least one of them an error.
        public let problems: [DocumentProblem]

        /// One problem a line.
        public var description: String { problems.map(\.description).joined(separator: "\n") }
    }

    /// Sources from their paths; nothing is read yet.
    public init(policies: [String] = [], identities: [String] = [], options: PolicyOptions = PolicyOptions()) {
        self.policies = policies
        self.identities = identities
        self.options = options
    }

    /// Reads and compiles everything.
    /// - Throws: `LoadError` with all problems when there is an error in any document.
    public func load(generation: UInt64) throws(LoadError) -> Loaded {
        try load(generation: generation, limits: DocumentLimits())
    }

    /// As above, with other limits for each file.
    package func load(generation: UInt64, limits: DocumentLimits) throws(LoadError) -> Loaded {
        let problems = DocumentProblems()
        let documents = read(limits, problems)
        guard let snapshot = compile(documents, generation, problems) else {
            throw LoadError(problems: problems.list)
        }
        return Loaded(snapshot: snapshot, problems: problems.list)
    }

    /// Everything there is to say about the documents: what `load` says, and, when they have no errors, what is
    /// probably not meant: rules without effect, selectors without identities, patterns that reach names of strangers.
    public func check(suffixes: PublicSuffixes = .system()) -> [DocumentProblem] {
        let problems = DocumentProblems()
        let documents = read(DocumentLimits(), problems)
        if let snapshot = compile(documents, 1, problems) {
            PolicyLint(policies: documents.policies, snapshot: snapshot, suffixes: suffixes, problems: problems).run()
        }
        return problems.list
    }

    /// Reads all files.
    private func read(_ limits: DocumentLimits, _ problems: DocumentProblems) -> DocumentDispatcher {
        var documents = DocumentDispatcher(problems: problems)
        for file in DocumentFiles.list(policies + identities, problems) {
            guard let text = DocumentFiles.text(of: file, limits: limits, problems) else { continue }
            documents.read(text, file: file, limits: limits)
        }
        return documents
    }

    /// Compiles what was read; nil when there is an error in any of it.
    private func compile(
        _ documents: DocumentDispatcher, _ generation: UInt64, _ problems: DocumentProblems
    ) -> PolicySnapshot? {
        let (snapshot, found) = PolicyCompiler.compile(
            policies: documents.policies, identities: documents.identities, options: options, generation: generation)
        for problem in found { problems.add(problem) }
        return problems.hasErrors ? nil : snapshot
    }

    /// A number that changes when a file is added, removed, replaced or written; for a watcher that polls.
    public func fingerprint() -> UInt64 {
        DocumentFiles.fingerprint(policies + identities)
    }
}
