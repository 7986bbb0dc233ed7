import DNSWire
import Glibc
import Testing

@testable import MappingFeed

/// A folder of its own for a test, removed with the value.
final class TemporaryFolder: Sendable {
    /// The folder.
    let path: String

    /// Makes the folder.
    init() {
        var template = Array("/tmp/mapping-feed.XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer {
            $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/dev/null"
        }
    }

    /// Makes the folder a file system of its own, in memory, with room for `bytes`. Needs root.
    convenience init(room bytes: Int) throws {
        self.init()
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            throw JournalError(.makeDirectory, path, errno)
        }
    }

    /// Gives the file system of the folder room for `bytes` from now on.
    func resize(to bytes: Int) throws {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(bytes)") == 0 else {
            throw JournalError(.write, path, errno)
        }
    }

    /// Removes the folder and all in it.
    deinit {
        // Nothing happens where nothing is mounted.
        umount2(path, Int32(MNT_DETACH))
        TemporaryFolder.remove(path)
    }

    /// The path of a file in it.
    func file(_ name: String) -> String { path + "/" + name }

    /// The content of a file; nil if there is none.
    func read(_ name: String) -> String? {
        guard let file = try? File(file(name), O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        while let count = try? file.read(4096, at: bytes.count, into: &bytes), count > 0 {}
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Makes or replaces a file.
    func write(_ name: String, _ text: String) throws {
        let file = try File(file(name), O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(Array(text.utf8).span)
    }

    /// Copies the files of a folder in it to a new one, as they are at this moment.
    func copy(_ name: String, to copy: String) throws {
        guard mkdir(file(copy), 0o750) == 0 else { throw JournalError(.makeDirectory, file(copy), errno) }
        for entry in TemporaryFolder.names(file(name)) {
            try write("\(copy)/\(entry)", try #require(read("\(name)/\(entry)")))
        }
    }

    /// The permissions of a file, or of the folder for an empty name.
    func mode(_ name: String) -> mode_t {
        var status = stat()
        return lstat(name.isEmpty ? path : file(name), &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// The files, in order of their names.
    var names: [String] { TemporaryFolder.names(path) }

    /// What is in a folder.
    private static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder and all in it.
    private static func remove(_ path: String) {
        for name in names(path) {
            let child = path + "/" + name
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(path)
    }
}

/// An upsert of the `number`th name.
func upsert(_ number: UInt64, sequence: UInt64 = 0, expires: Double = 2_000_000_000) -> MappingUpsert {
    MappingUpsert(
        sequence: sequence, identity: 1, client: IPAddress(ipv4: 0x0A00_0001),
        name: DomainName(canonicalBytes: Array("\u{4}host".utf8) + [3] + Array(String(100 + number % 900).utf8) + [0]),
        addresses: [MappedAddress(ip: IPAddress(ipv4: 0xC000_0200 | UInt32(number & 255)), ttl: 60, expires: expires)],
        rules: [MappingRule(policy: "default/web", ports: [MappingPort(port: 443, transport: .tcp)])])
}
