import ArgumentParser
import Enforcement

/// Takes the table away: nothing is filtered any more.
struct RemoveCommand: ParsableCommand {
    /// What the command does.
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes the table from nftables; nothing is filtered any more.")

    /// Which table.
    @OptionGroup var options: TableOption

    /// Removes the table, if it is there.
    func run() throws {
        do {
            if try Enforcer.remove(table: options.table) {
                print("removed the table inet \(options.table)")
            } else {
                print("there is no table inet \(options.table)")
            }
        } catch {
            throw Failure(error)
        }
    }
}

/// The option that names the table.
struct TableOption: ParsableArguments {
    /// The name, fit for nftables without quotes.
    @Option(help: "The nftables table, of the family inet.", transform: TableOption.name)
    var table = "dnsproxyd"

    /// Checks a name.
    /// - Throws: `ValidationError` for a name that nftables would not take, or would take for something else.
    private static func name(_ text: String) throws -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch UInt8(ascii: "a") <= byte | 0x20 && byte | 0x20 <= UInt8(ascii: "z") {
            case true: true
            case false: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
        }
        guard let first = text.utf8.first, isName, first > UInt8(ascii: "9"), text.utf8.count <= 63 else {
            throw ValidationError("a table's name has at most 63 letters, digits and underscores, no digit first")
        }
        return text
    }
}

/// An error as one line for people; the exit status is 1.
struct Failure: Error, CustomStringConvertible {
    /// The line.
    let description: String

    /// What nftables says, and what to do.
    init(_ error: NFTablesError) {
        description =
            error.isPermission
            ? "not permitted to change nftables: run as root, or with CAP_NET_ADMIN"
            : "nftables cannot be used: \(error.message)"
    }
}
