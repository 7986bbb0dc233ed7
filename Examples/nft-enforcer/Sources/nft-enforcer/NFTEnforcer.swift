import ArgumentParser

/// The command line.
@main
struct NFTEnforcer: AsyncParsableCommand {
    /// What the program is and does.
    static let configuration = CommandConfiguration(
        commandName: "nft-enforcer",
        abstract: "Opens in nftables what dnsproxyd learned, before the client hears of it.",
        subcommands: [RunCommand.self, RemoveCommand.self],
        defaultSubcommand: RunCommand.self)
}
