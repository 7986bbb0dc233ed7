import ArgumentParser
import FQDNPolicy

/// The option `-p` of commands about names: a pattern in the language of policies.
struct PatternOption: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("pattern"), .customLong("matchpattern")],
        help: "Only names that this matchPattern of rules.dns matches, such as '*.example.com'.",
        transform: PatternOption.checked)
    var pattern: String?

    /// `text`, if it is a pattern.
    /// - Throws: `ValidationError` that says in the words of the policy reader what is wrong with it.
    private static func checked(_ text: String) throws -> String {
        do throws(PatternError) {
            _ = try Pattern(.matchPattern, text)
            return text
        } catch {
            throw ValidationError("the pattern \(error)")
        }
    }
}
