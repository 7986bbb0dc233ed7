import ArgumentParser
import DNSProxy
import FQDNPolicy

/// `dnsproxyd check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the configuration and every document it names, and report what is wrong.",
        discussion: """
            Nothing is written and nothing listens, so it can run beside a daemon with the same file. The exit status \
            is 65 when there is an error; warnings and notices do not change it.

            EXAMPLES:
              dnsproxyd check -c /etc/dnsproxyd/dnsproxyd.yaml
              dnsproxyd check -c dnsproxyd.yaml -o json | jq .problems
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var output: TextOutputOption

    /// What is said about the documents.
    private struct Report: Encodable {
        /// The configuration file.
        let file: String
        /// Whether a daemon would start with them.
        let valid: Bool
        /// Everything there is to say.
        let problems: [ReportedProblem]
    }

    func run() throws {
        Progress.begin("reading documents")
        let (problems, isValid) = findings()
        Progress.end()
        let report = ProblemReport(problems)
        try output.format.write(
            Report(file: file.path, valid: isValid, problems: problems.map(ReportedProblem.init))
        ) {
            guard isValid else { throw report.failure }
            report.write()
            try StandardOutput.line("\(file.path): no errors\(report.remarks.map { ", \($0)" } ?? "")")
        }
        guard isValid else { throw CommandFailure("\(report.errors) in the documents", .badDocument) }
    }

    /// Everything that is wrong, and whether a daemon would start nevertheless.
    private func findings() -> (problems: [DocumentProblem], isValid: Bool) {
        do throws(InvalidConfiguration) {
            let configuration = try ConfigurationFile.load(file.path)
            let problems = configuration.problems + Engine.check(configuration.engine, file: file.path)
            return (problems, !problems.hasErrors)
        } catch {
            return (error.problems, false)
        }
    }
}

/// A problem of a document, for programs.
private struct ReportedProblem: Encodable {
    /// `error`, `warning` or `notice`.
    let severity: String
    /// The file as it was named.
    let file: String
    /// Line, counted from 1; 0 when it is about the whole file.
    let line: Int
    /// Column, counted from 1; 0 when it is about the whole file.
    let column: Int
    /// Key path from the root of the document; empty for the root.
    let path: String
    /// What is wrong.
    let message: String

    /// `problem` for programs.
    init(_ problem: DocumentProblem) {
        severity = problem.severity.rawValue
        file = problem.file
        line = problem.line
        column = problem.column
        path = problem.path
        message = problem.message
    }
}
