/// Why nftables did not do something.
package struct NFTablesError: Error, CustomStringConvertible, Sendable {
    /// What the kernel or the library says, in one line.
    package let message: String

    /// An error with a message of our own.
    package init(message: String) {
        self.message = message
    }

    /// The first error in what the library printed: what stands behind `Error:`, without the place and the source line.
    init(output: String) {
        let line = output.split(separator: "\n").first { $0.contains("Error: ") } ?? output.split(separator: "\n").first
        let text = line.map(String.init) ?? "nftables failed and did not say why"
        message = text.firstRange(of: "Error: ").map { String(text[$0.upperBound...]) } ?? text
    }

    /// Whether the process may not do this.
    package var isPermission: Bool { message.contains("Operation not permitted") }

    /// The message.
    package var description: String { message }
}
