import Foundation

extension Daemon {
    /// An answer as `cache list --answers -o json` has it.
    struct CachedAnswer: Decodable, Equatable {
        /// The name.
        let name: String
        /// The response code.
        let rcode: String
        /// The records' data.
        let data: [String]
    }

    /// A mapping as `cache list -o json` has it.
    struct ListedMapping: Decodable, Equatable {
        /// The name.
        let fqdn: String
        /// Its addresses.
        let ips: [String]
    }

    /// The answers in the cache.
    func cachedAnswers() throws -> [CachedAnswer] { try list([CachedAnswer].self, "--answers") }

    /// The mapping table.
    func mappings() throws -> [ListedMapping] { try list([ListedMapping].self) }

    /// What `cache list -o json` prints with further arguments.
    private func list<Element: Decodable>(_ type: [Element].Type, _ arguments: String...) throws -> [Element] {
        let command = [Daemon.program, "cache", "list", "-o", "json", "--admin", adminSocket]
        let result = try run(command + arguments)
        guard result.status == 0 else { throw HarnessError("cache list: \(result.errors)") }
        return try JSONDecoder().decode(type, from: Data(result.output.utf8))
    }
}
