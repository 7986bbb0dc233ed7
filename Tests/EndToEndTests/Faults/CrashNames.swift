import Foundation

/// The names that crash tests ask for: each has one address, which tells which name it is.
enum CrashNames {
    /// How many there are: enough that most questions are new, and few enough that the journal is compacted now and then.
    static let count = 2_000

    /// The name with this number.
    static func name(_ number: Int) -> String { "n\(number).test.example" }

    /// Its address.
    static func address(_ number: Int) -> [UInt8] { [198, 18, UInt8(number / 250), UInt8(number % 250 + 1)] }

    /// Its address as text.
    static func text(_ number: Int) -> String { address(number).map(String.init).joined(separator: ".") }

    /// The zone that has them, for so long that none ends in a test.
    static let zone = "$TTL 86400\n" + (0..<count).map { "n\($0) IN A \(text($0))" }.joined(separator: "\n")
}
