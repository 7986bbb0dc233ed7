import Foundation

/// A small ext4 file system on a loop device that can be made to fail as one does whose device has failed: the kernel lets
/// nobody write any more, whatever is open. Unmounted with its last owner. Needs root.
final class FailingDisk {
    /// Whether this process may have one: root, loop devices, e2fsprogs, and a kernel that takes errors for tests.
    static let isAvailable = geteuid() == 0 && (try? FailingDisk())?.trigger() != nil

    /// Where it is.
    let path: String
    /// The folder of everything.
    private let workspace: Workspace
    /// The file that the device stands for.
    private var image: String { workspace.file("image") }

    /// An empty one.
    init() throws {
        workspace = try Workspace()
        path = workspace.file("disk")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FailingDisk.check("truncate", "-s", "8M", image)
        try FailingDisk.check("mkfs.ext4", "-q", image)
        try mount()
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Waits until everything that was written is on the device.
    func synchronize() throws { try FailingDisk.check("sync", "-f", path) }

    /// Fails from now on.
    func fail() throws {
        guard let trigger = trigger() else { throw HarnessError("this kernel takes no errors for tests") }
        try Data("1".utf8).write(to: URL(fileURLWithPath: trigger))
    }

    /// What an operator does when nobody uses it any more: checks it, and mounts it anew.
    func repair() throws {
        guard umount2(path, 0) == 0 else { throw HarnessError("cannot unmount: \(String(cString: strerror(errno)))") }
        // 1 says that something was put right.
        let result = try run(["e2fsck", "-p", image])
        guard result.status <= 1 else { throw HarnessError("e2fsck: \(result.output) \(result.errors)") }
        try mount()
    }

    /// Mounts it as systems do that want to lose nothing more after an error.
    private func mount() throws { try FailingDisk.check("mount", "-o", "loop,errors=remount-ro", image, path) }

    /// The file of the kernel that makes the file system fail; nil if there is none.
    private func trigger() -> String? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let device = attributes[.systemNumber] as? Int
        else { return nil }
        // As makedev(3) puts them together; a loop device has small numbers.
        let number = "\(device >> 8 & 0xFFF):\(device & 0xFF)"
        guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/sys/dev/block/\(number)")
        else { return nil }
        let trigger = "/sys/fs/ext4/\((link as NSString).lastPathComponent)/trigger_fs_error"
        return access(trigger, W_OK) == 0 ? trigger : nil
    }

    /// Runs a command that has to succeed.
    private static func check(_ command: String...) throws {
        let result = try run(command)
        guard result.status == 0 else { throw HarnessError("\(command): \(result.output) \(result.errors)") }
    }
}
