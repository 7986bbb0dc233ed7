import ArgumentParser
import DNSProxy
import FQDNPolicy

/// The option `-c` of `serve` and `check`.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var path: String

    /// The file's content.
    /// - Throws: `CommandFailure` with the status 65 when it is bad, after everything wrong with it was written.
    func load() throws(CommandFailure) -> DaemonConfiguration {
        do throws(InvalidConfiguration) {
            return try ConfigurationFile.load(path)
        } catch {
            throw ProblemReport(error.problems).failure
        }
    }
}

/// What there is to say about documents, for standard error: one line for each, as compilers do.
struct ProblemReport {
    /// What there is to say.
    private let problems: [DocumentProblem]

    /// A report of `problems`.
    init(_ problems: [DocumentProblem]) {
        self.problems = problems
    }

    /// Writes every problem.
    func write() {
        for problem in problems { StandardError.write(printable("\(problem)")) }
    }

    /// Writes every problem, and is the failure that ends the command.
    var failure: CommandFailure {
        write()
        return CommandFailure("\(errors) in the documents above", .badDocument)
    }

    /// How many errors there are.
    var errors: String { count(.error, "error") ?? "errors" }

    /// How many warnings and notices there are; nil when there is none.
    var remarks: String? {
        let parts = [count(.warning, "warning"), count(.notice, "notice")].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// How many problems of a severity there are; nil for none.
    private func count(_ severity: DocumentProblem.Severity, _ word: String) -> String? {
        switch problems.count(where: { $0.severity == severity }) {
        case 0: nil
        case 1: "1 \(word)"
        case let count: "\(count) \(word)s"
        }
    }
}
