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

            EXAMPLE: dnsproxyd check -c /etc/dnsproxyd/dnsproxyd.yaml
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.load()
        let problems = configuration.problems + Engine.check(configuration.engine)
        let report = ProblemReport(problems)
        guard !problems.hasErrors else { throw report.failure }
        report.write()
        try StandardOutput.line("\(file.path): no errors\(report.remarks.map { ", \($0)" } ?? "")")
    }
}
