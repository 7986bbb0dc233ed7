import ArgumentParser
import DNSProxy
import MappingFeed

/// `dnsproxyd feed`
struct FeedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "Look at the mapping feed of a running daemon.",
        discussion: """
            EXAMPLES:
              dnsproxyd feed watch
            """,
        subcommands: [WatchCommand.self])

    /// `dnsproxyd feed watch`
    struct WatchCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "watch", abstract: "Print the feed: a snapshot of the mappings, then every change.",
            discussion: """
                One JSON object a line, as the daemon sends it. Nothing is acknowledged, so no answer waits for it. It \
                ends with 1 when the daemon closes the feed.

                EXAMPLES:
                  dnsproxyd feed watch
                  dnsproxyd feed watch | jq 'select(.event == "upsert") | .name'
                """)

        @OptionGroup var admin: AdminOption

        func run() async throws {
            let status: AdminStatus = try await admin.client.get("/v1/status", [])
            guard let socket = status.feed.socket else {
                throw CommandFailure("the daemon's feed has no socket; set feed.socket in its configuration")
            }
            do {
                let client = try await FeedClient.connect(to: socket)
                for try await line in client.lines {
                    try StandardOutput.line(line)
                    try StandardOutput.flush()
                }
            } catch let error as FeedClientError {
                throw CommandFailure(error.description, .unreachable)
            } catch let failure as CommandFailure {
                throw failure
            } catch {
                throw CommandFailure("\(socket): \(error)")
            }
            throw CommandFailure("\(socket): the daemon has closed the feed")
        }
    }
}
