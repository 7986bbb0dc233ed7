public import FQDNPolicy
public import Logging

/// The daemon's configuration file: one YAML document whose keys `docs/CONFIGURATION.md` lists.
public enum ConfigurationFile {
    /// Where the parts of the daemon are when the file does not say.
    public enum DefaultPath {
        /// The socket of the mapping feed.
        public static let feedSocket = "/run/dnsproxyd/feed.sock"
        /// The folder of the journal.
        public static let journal = "/var/lib/dnsproxyd"
        /// The socket of the admin API.
        public static let adminSocket = "/run/dnsproxyd/admin.sock"
    }

    /// Largest file in bytes.
    static let sizeLimit = 1 << 20

    /// Reads the file at `path`; relative paths in it start from its folder.
    /// - Throws: `InvalidConfiguration` with everything that is wrong, each with its place.
    public static func load(_ path: String) throws(InvalidConfiguration) -> DaemonConfiguration {
        let text: String
        do throws(DocumentProblem) {
            text = try TextFile.read(path, limit: sizeLimit)
        } catch {
            throw InvalidConfiguration(problems: [error])
        }
        return try read(text, file: path)
    }

    /// Reads `text` as the content of the file named `file`.
    /// - Throws: `InvalidConfiguration` with everything that is wrong, each with its place.
    public static func read(_ text: String, file: String) throws(InvalidConfiguration) -> DaemonConfiguration {
        let problems = DocumentProblems()
        let limits = DocumentLimits(bytes: sizeLimit, values: 100_000, depth: 16)
        let documents = DocumentNode.documents(in: text, file: file, limits: limits, problems: problems)
        var reader = ConfigurationReader(folder: TextFile.folder(of: file), problems: problems)
        if let root = documents.first {
            reader.read(root)
        }
        for surplus in documents.dropFirst() {
            problems.error(surplus, "the configuration is one document; a second one starts here")
        }
        guard !problems.hasErrors else { throw InvalidConfiguration(problems: problems.list) }
        return DaemonConfiguration(engine: reader.engine, log: reader.log, problems: problems.list)
    }
}

/// Everything that a configuration file says.
public struct DaemonConfiguration: Sendable {
    /// For the engine.
    public var engine: EngineConfiguration
    /// For the log.
    public var log: LogConfiguration
    /// Warnings and notices; errors are thrown instead.
    public var problems: [DocumentProblem]
}

/// How the daemon logs, always to standard error.
public struct LogConfiguration: Equatable, Sendable {
    /// The least severe messages that are written.
    public var level: Logger.Level = .info
    /// How a message is written.
    public var format: Format = .text

    /// The defaults.
    public init() {}

    /// How a message is written.
    public enum Format: String, CaseIterable, Sendable {
        /// A line for people.
        case text
        /// A JSON object a line.
        case json
    }
}

/// A configuration file that cannot be used.
public struct InvalidConfiguration: Error, Equatable, Sendable {
    /// What there is to say about it, at least one error among it.
    public let problems: [DocumentProblem]
}
