import Glibc
import Testing

@testable import DNSProxy

/// The file of the admin socket.
@Suite struct AdminSocketTests {
    /// A path in a new folder.
    private static func path() throws -> String {
        var template = Array("/tmp/dnsproxyd-admin-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/run/admin.sock"
    }

    /// A bound socket at `path`, listening or not.
    private static func bound(
        _ path: String, type: __socket_type = SOCK_STREAM, isListening: Bool
    ) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(type.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, !isListening || listen(descriptor, 1) == 0 else { throw SystemError("bind \(path)") }
        return descriptor
    }

    @Test func `the folder is made, for owner and group only`() throws {
        let path = try AdminSocketTests.path()
        try AdminSocket.prepare(path)
        var status = stat()
        #expect(stat(TextFile.folder(of: path), &status) == 0 && status.st_mode & 0o777 == 0o750)
    }

    @Test func `a socket that nobody listens on is removed`() throws {
        let path = try AdminSocketTests.path()
        try AdminSocket.prepare(path)
        let stale = try AdminSocketTests.bound(path, isListening: false)
        #expect(access(path, F_OK) == 0)
        try AdminSocket.prepare(path)
        #expect(access(path, F_OK) != 0)
        close(stale)
    }

    @Test(arguments: [SOCK_STREAM.rawValue, SOCK_SEQPACKET.rawValue])
    func `a socket that somebody listens on stays, and the error says so`(type: UInt32) throws {
        let path = try AdminSocketTests.path()
        try AdminSocket.prepare(path)
        let living = try AdminSocketTests.bound(path, type: __socket_type(type), isListening: true)
        let error = try #require(throws: SystemError.self) { try AdminSocket.prepare(path) }
        #expect("\(error)".contains(path) && "\(error)".contains("another process"))
        #expect(access(path, F_OK) == 0)
        close(living)
    }

    @Test func `a file that is no socket stays, and the error says so`() throws {
        let path = try AdminSocketTests.path()
        try AdminSocket.prepare(path)
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        let error = try #require(throws: SystemError.self) { try AdminSocket.prepare(path) }
        #expect("\(error)".contains("\(path), which is not a socket"))
        #expect(access(path, F_OK) == 0)
    }
}
