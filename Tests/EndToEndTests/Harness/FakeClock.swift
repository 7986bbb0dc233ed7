import Foundation

/// A wall clock that a test can set, for one process: Debian's libfaketime. The clocks that measure durations are left alone.
final class FakeClock {
    /// The library; nil where it is not installed.
    static let library: String? = {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        return folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }.first { access($0, R_OK) == 0 }
    }()

    /// The folder of the file that the library reads.
    private let workspace: Workspace

    /// A clock that is right.
    init() throws {
        workspace = try Workspace()
        try set(0)
    }

    /// The command that becomes the process.
    func wrapper() throws -> [String] {
        guard let library = FakeClock.library else { throw HarnessError("libfaketime is not installed") }
        return [
            "env", "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(workspace.file("clock"))", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // The library adds a variable to the environment, behind which Swift does not find the arguments of the process.
            // When another program has been the same process before, the variable is there already.
            "env",
        ]
    }

    deinit {
        // The library leaves its shared memory behind when a process is killed.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
        for name in names where name.contains("faketime_") {
            guard let pid = name.split(separator: "_").last, access("/proc/\(pid)", F_OK) != 0 else { continue }
            unlink("/dev/shm/\(name)")
        }
    }

    /// Sets it that many seconds ahead, or behind.
    func set(_ seconds: Int) throws { try workspace.write("clock", seconds < 0 ? "\(seconds)" : "+\(seconds)") }
}
