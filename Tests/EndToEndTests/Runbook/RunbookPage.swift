import Foundation
import Testing

/// The commands of `docs/OPERATIONS.md` with what they print, in the state that each scene of the page is about.
///
/// `<!-- state: NAME -->` begins a scene; the blocks marked `console` behind it are run in order against one stage. In
/// them, `$ ` begins a command, what follows is its output, standard error included, and `[exit status N]` stands
/// behind that of a command that does not end with 0.
struct RunbookPage {
    /// A command with what it prints.
    struct Step {
        /// The line of shell.
        let command: String
        /// Its output, line by line.
        var output: [String] = []
        /// How it ends.
        var status: Int32 = 0
    }

    /// The commands of one state.
    struct Scene: CustomTestStringConvertible {
        /// The heading above.
        let section: String
        /// The state.
        let state: String
        /// The commands.
        var steps: [Step] = []

        var testDescription: String { "\(section): \(state)" }
    }

    /// The scenes, in order.
    let scenes: [Scene]
    /// Commands outside of a scene, which nobody would run.
    let strays: [String]

    /// Takes a page apart.
    init(_ text: String) {
        var scenes: [Scene] = []
        var strays: [String] = []
        var section = ""
        var fence: String?
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                fence = fence == nil ? String(line.dropFirst(3)) : nil
            } else if fence == "console" {
                guard !scenes.isEmpty, scenes[scenes.count - 1].section == section else {
                    strays.append(line)
                    continue
                }
                RunbookPage.append(line, to: &scenes[scenes.count - 1].steps)
            } else if fence == nil, line.hasPrefix("## ") {
                section = String(line.dropFirst(3))
            } else if fence == nil, let match = line.wholeMatch(of: /<!-- state: ([a-z-]+) -->/) {
                scenes.append(Scene(section: section, state: String(match.output.1)))
            }
        }
        self.scenes = scenes
        self.strays = strays
    }

    /// Takes one line of a block.
    private static func append(_ line: String, to steps: inout [Step]) {
        if line.hasPrefix("$ ") {
            steps.append(Step(command: String(line.dropFirst(2))))
        } else if let match = line.wholeMatch(of: /\[exit status ([0-9]+)\]/), let status = Int32(match.output.1) {
            steps[steps.count - 1].status = status
        } else if !steps.isEmpty {
            steps[steps.count - 1].output.append(line)
        }
    }

    /// Whether `actual` is what the page shows: `…` stands for anything in a line, a line of its own for any lines. A
    /// number stands for any other one that is not 0, a time for any time, and the width of columns does not count.
    /// Addresses and words have to be the same.
    static func shows(_ shown: [String], _ actual: [String]) -> Bool {
        guard let first = shown.first else { return actual.allSatisfy(\.isEmpty) }
        let rest = Array(shown.dropFirst())
        if first == "…" { return (0...actual.count).contains { shows(rest, Array(actual.dropFirst($0))) } }
        guard let line = actual.first, matches(normal(first), normal(line)) else { return false }
        return shows(rest, Array(actual.dropFirst()))
    }

    /// Whether a line is what the page shows.
    private static func matches(_ shown: String, _ actual: String) -> Bool {
        var parts = shown.components(separatedBy: "…")
        let last = parts.removeLast()
        guard !parts.isEmpty else { return last == actual }
        var rest = actual[...]
        for (index, part) in parts.enumerated() where !part.isEmpty {
            guard let range = rest.range(of: part), index > 0 || range.lowerBound == rest.startIndex else {
                return false
            }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    /// `line` without what differs from one run to the next.
    private static func normal(_ line: String) -> String {
        line.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/, with: "TIME")
            .replacing(/[0-9]+(\.[0-9]+)*/) { match in
                let number = match.output.0
                if number.count(where: { $0 == "." }) == 3 { return String(number) }
                return number.allSatisfy { $0 == "0" || $0 == "." } ? "0" : "1"
            }
            .split(separator: " ").joined(separator: " ")
    }
}
