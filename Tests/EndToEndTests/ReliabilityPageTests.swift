import Foundation
import Testing

extension EndToEnd {
    /// What `docs/RELIABILITY.md` and `docs/TESTING.md` say is tested, is: every test that they name exists.
    @Suite struct NamedTests {
        /// The text of all tests, and the names of all suites in it.
        private static let sources: (text: String, suites: Set<String>) = {
            var text = ""
            for root in ["Tests", "Examples/nft-enforcer/Tests"] {
                let folder = "\(repositoryRoot)/\(root)"
                for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init()
                where name.hasSuffix(".swift") {
                    text += (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
                }
            }
            let names = text.matches(of: /(?:struct|class|enum) ([A-Z][A-Za-z0-9]*)/).map { String($0.output.1) }
            return (text, Set(names))
        }()

        /// The cells of the column called "test" in every table of a page.
        private static func cells(_ page: String) throws -> [String] {
            let text = try String(contentsOfFile: "\(repositoryRoot)/docs/\(page)", encoding: .utf8)
            var column: Int?
            var cells: [String] = []
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                guard line.hasPrefix("| ") else {
                    if !line.hasPrefix("|-") { column = nil }
                    continue
                }
                let fields = line.components(separatedBy: "|").dropFirst().dropLast()
                    .map { $0.trimmingCharacters(in: .whitespaces) }
                if let column, fields.indices.contains(column) { cells.append(fields[column]) }
                if column == nil { column = fields.firstIndex(of: "test") }
            }
            return cells
        }

        @Test func `every test in the table of faults exists under its full name`() throws {
            var tests = 0
            for cell in try NamedTests.cells("RELIABILITY.md") {
                for entry in cell.components(separatedBy: "; ") {
                    let parts = entry.split(separator: ":", maxSplits: 1)
                        .map { $0.trimmingCharacters(in: .whitespaces) }
                    try #require(parts.count == 2 && parts[0].hasPrefix("`"), "\(entry)")
                    let suite = parts[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
                    #expect(NamedTests.sources.suites.contains(suite), "\(entry)")
                    // A long name may stand on the line behind its `func`.
                    let exists = NamedTests.sources.text.contains("`\(parts[1])`(")
                    #expect(exists, "\(entry)")
                    tests += 1
                }
            }
            #expect(tests > 20, "\(tests)")
        }

        @Test func `every suite that the page about tests names exists`() throws {
            let cells = try NamedTests.cells("TESTING.md")
            #expect(cells.count > 40)
            for cell in cells {
                for match in cell.matches(of: /`(?:[A-Za-z]+\/)?([A-Z][A-Za-z]+)`/) {
                    #expect(NamedTests.sources.suites.contains(String(match.output.1)), "\(match.output.0)")
                }
            }
        }
    }
}
