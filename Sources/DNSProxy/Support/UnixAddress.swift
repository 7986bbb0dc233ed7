import CLinux
import Glibc

/// The address of a Unix socket.
struct UnixAddress {
    /// The bytes of the path; the first is 0 in the abstract namespace.
    private let bytes: [UInt8]

    /// The socket at `path`, with `@` in front in the abstract namespace; nil when the path is empty or too long.
    init?(_ path: String) {
        var bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        self.bytes = bytes
    }

    /// Calls `body` with the address as the kernel wants it.
    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in bytes.enumerated() { unsafe place[index] = byte }
        }
        let path = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // An abstract name has its length; a path ends with a zero.
        let length = path + bytes.count + (bytes[0] == 0 ? 0 : 1)
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
        }
    }
}
