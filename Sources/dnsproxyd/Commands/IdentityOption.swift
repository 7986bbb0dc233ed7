import ArgumentParser
import DNSProxy
import Dispatch
import NIOCore
import Synchronization

/// The option `-e` of commands that can be about one identity.
struct IdentityOption: ParsableArguments {
    @Option(
        name: [.customShort("e"), .customLong("identity"), .customLong("endpoint")],
        help: "Only what belongs to this identity: its number, its name, or namespace/name.",
        completion: IdentityOption.completion)
    var identity: String?

    /// The identities that the running daemon knows, for shells; nothing when there is none.
    static let completion = CompletionKind.custom { words, _, _ in
        let socket = socket(in: words)
        let names = Mutex<[String]>([])
        let isDone = DispatchSemaphore(value: 0)
        // Arguments are read by the main thread, which runs no tasks.
        Task.detached {
            let found = await identities(socket)
            names.withLock { $0 = found }
            isDone.signal()
        }
        isDone.wait()
        return names.withLock { $0 }
    }

    /// The names of the identities that the daemon at `socket` knows, as far as it tells them at once.
    private static func identities(_ socket: String) async -> [String] {
        var client = AdminClient(socket: socket)
        // Nobody waits longer for a key to do something.
        client.timeLimit = .seconds(2)
        var names: [String] = []
        try? await client.each("/v1/identities", []) { (identity: AdminIdentity) in
            names.append(identity.namespace.isEmpty ? identity.name : "\(identity.namespace)/\(identity.name)")
        }
        return names.sorted()
    }

    /// The admin socket that a command line names.
    private static func socket(in words: [String]) -> String {
        for (word, next) in zip(words, words.dropFirst()) where word == "--admin" { return next }
        let prefix = "--admin="
        return words.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            ?? AdminOption.defaultPath
    }
}
