import CLinux
import Glibc
import Synchronization

/// Where a running daemon waits for the process that takes over from it: a Unix socket beside the admin socket, for the same
/// user and root only.
final class TakeoverOffer: Sendable {
    /// The path of the socket.
    private let path: String
    /// The listening socket.
    private let descriptor: FileDescriptorBox
    /// Whether nobody is waited for any more.
    private let isWithdrawn = Atomic<Bool>(false)

    /// Microseconds until it is tried again to take a connection for which there were no descriptors or no memory.
    private static let pause: useconds_t = 200_000

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
            await BackgroundThread.run(.normal) { [self] in
                while true {
                    let accepted = clinux_accept(descriptor.rawValue)
                    guard accepted >= 0 else {
                        guard TakeoverOffer.passes(errno), !isWithdrawn.load(ordering: .acquiring) else { return nil }
                        continue
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
        isWithdrawn.store(true, ordering: .releasing)
        AdminSocket.remove(path)
        _ = clinux_shutdown(descriptor.rawValue)
    }

    /// Whether another connection may be taken after this error; returns after a while if that is a matter of time.
    private static func passes(_ error: Int32) -> Bool {
        switch error {
        case EINTR, ECONNABORTED: return true
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            usleep(pause)
            return true
        default: return false
        }
    }

    /// A new socket.
    private static func socket() throws(SystemError) -> FileDescriptor {
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        return try FileDescriptor(Glibc.socket(AF_UNIX, type, 0), "create a Unix socket")
    }
}
