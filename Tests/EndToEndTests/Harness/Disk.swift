import Foundation

/// A small file system of its own, in memory, unmounted with its last owner. Needs root.
final class Disk {
    /// Whether this process may mount one.
    static let isAvailable = geteuid() == 0 && (try? Disk(room: 4_096)) != nil

    /// Where it is.
    let path: String
    /// The folder that it is mounted in.
    private let workspace: Workspace
    /// Bytes that there are.
    private var room: Int

    /// A disk with room for `room` bytes.
    init(room: Int) throws {
        workspace = try Workspace()
        path = workspace.file("disk")
        self.room = room
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(room)") == 0 else {
            throw HarnessError("cannot mount: \(String(cString: strerror(errno)))")
        }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Uses up what room there is, to the last byte.
    func fill() throws {
        let file = open("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw HarnessError("cannot fill: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let bytes = [UInt8](repeating: 0, count: 4_096)
        while write(file, bytes, bytes.count) > 0 {}
    }

    /// Gives back what `fill` has used up.
    func clear() throws { try FileManager.default.removeItem(atPath: "\(path)/filler") }

    /// Lets nobody write any more.
    func makeReadOnly() throws {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), "size=\(room)") == 0 else {
            throw HarnessError("cannot remount: \(String(cString: strerror(errno)))")
        }
    }
}
