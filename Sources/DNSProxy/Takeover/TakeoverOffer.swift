import CLinux
import Glibc

/// Where a running daemon waits for the process that takes over from it: a Unix socket beside the admin socket, for the same
/// user and root only.
final class TakeoverOffer: Sendable {
    /// The path of the socket.
    private let path: String
    /// The listening socket.
    private let descriptor: FileDescriptorBox

    /// The path of the socket that belongs to an admin socket.
    static func path(besideAdminSocket path: String) -> String { path + ".takeover" }

    /// Listens at `path`; a socket there that nobody listens on any more is replaced.
    /// - Throws: `SystemError` when it cannot, for example because another daemon does.
    init(_ path: String) throws(SystemError) {
        try AdminSocket.prepare(path)
        let descriptor = try TakeoverOffer.socket()
        guard let address = UnixAddress(path) else { throw SystemError("listen on \(path)", code: ENAMETOOLONG) }
        // Nobody can connect before listen(2), so the mode is right from the first connection on.
        guard unsafe address.withSockaddr({ unsafe bind(descriptor.rawValue, $0, $1) }) == 0,
            unsafe chmod(path, 0o600) == 0, listen(descriptor.rawValue, 1) == 0
        else { throw SystemError("listen on \(path)") }
        self.path = path
        self.descriptor = FileDescriptorBox(descriptor)
    }

    /// Connects to the daemon that listens at `path`; nil when there is none.
    static func connect(_ path: String) -> TakeoverChannel? {
        guard let address = UnixAddress(path), let descriptor = try? socket(),
            unsafe address.withSockaddr({ unsafe Glibc.connect(descriptor.rawValue, $0, $1) }) == 0
        else { return nil }
        return TakeoverChannel(descriptor)
    }

    /// Waits for the next process that may take over; nil once it was withdrawn.
    func next() async -> TakeoverChannel? {
        await withTaskCancellationHandler {
            await BackgroundThread.run(givesWay: false) { [descriptor] in
                while true {
                    let accepted = clinux_accept(descriptor.rawValue)
                    guard accepted >= 0 else {
                        if errno == EINTR || errno == ECONNABORTED { continue }
                        return nil
                    }
                    guard let connection = try? FileDescriptor(accepted, "accept") else { return nil }
                    let channel = TakeoverChannel(connection)
                    if let user = channel.peer?.user, user == 0 || user == geteuid() { return channel }
                    channel.send(.refused("only root and the daemon's own user may take over"))
                }
            }
        } onCancel: {
            withdraw()
        }
    }

    /// Removes the socket: nobody can connect any more, and who waits for somebody waits no longer.
    func withdraw() {
        AdminSocket.remove(path)
        _ = clinux_shutdown(descriptor.rawValue)
    }

    /// A new socket.
    private static func socket() throws(SystemError) -> FileDescriptor {
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        return try FileDescriptor(Glibc.socket(AF_UNIX, type, 0), "create a Unix socket")
    }
}
