import Foundation
import Synchronization

/// A daemon that gives its sockets, of which it has none, to the process that takes over from it, and is gone before it is asked
/// for anything else.
final class DyingPredecessor: Sendable {
    /// What the process that takes over has said.
    private let greeting = Mutex("")

    /// Waits for one process beside the admin socket at `path`, in place of whoever has died there.
    /// - Throws: `HarnessError` when the kernel refuses.
    init(_ path: String) throws {
        let path = path + ".takeover"
        unlink(path)
        let listener = try Socket(socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0))
        guard try bindUnix(listener, path), listen(listener.descriptor, 1) == 0 else {
            throw HarnessError("cannot listen at \(path)")
        }
        Thread.detachNewThread { [self] in
            guard let connection = try? Socket(accept(listener.descriptor, nil, nil)) else { return }
            let word = connection.receive() ?? []
            greeting.withLock { $0 = String(decoding: word, as: UTF8.self) }
            connection.send(Array("all ".utf8))
        }
    }

    /// Whether somebody has asked it for its sockets.
    var wasAsked: Bool { greeting.withLock { $0 == "hello 1" } }
}
