import Foundation

/// A process that begins to take over from a daemon, says what it is told to, and dies.
struct BrokenSuccessor {
    /// How far it gets.
    enum End: String, CaseIterable {
        /// It connects.
        case connected
        /// It has asked for the sockets.
        case greeted
        /// It says something else instead.
        case confused
        /// It has the sockets.
        case equipped
        /// It has asked for everything, and may have been given it.
        case asked
        /// It was given everything, and never answers.
        case given
    }

    /// Goes as far as `end` with the daemon whose admin socket is at `path`.
    /// - Throws: `HarnessError` when the daemon does not play its part.
    static func act(_ path: String, until end: End) throws {
        guard let socket = try connectUnix(path + ".takeover", type: SOCK_SEQPACKET) else {
            throw HarnessError("nobody can take over at \(path).takeover")
        }
        socket.setTimeout(.seconds(20))
        guard end != .connected else { return }
        socket.send(Array((end == .confused ? "help me" : "hello 1").utf8))
        guard end != .greeted, end != .confused else { return }
        try wait(for: "all ", on: socket)
        guard end != .equipped else { return }
        socket.send(Array("ready ".utf8))
        guard end != .asked else { return }
        try wait(for: "yours ", on: socket)
    }

    /// Receives until a message is `word`.
    private static func wait(for word: String, on socket: Socket) throws {
        while let message = socket.receive() {
            if message == Array(word.utf8) { return }
        }
        throw HarnessError("the daemon did not say \(word)")
    }
}
