import FoundationEssentials
import Glibc

/// Finds and reads the files that documents are in.
package enum DocumentFiles {
    /// The files that `paths` mean, each once: a file as it is, a directory as its `*.yaml` and `*.yml` in order of
    /// name, without hidden ones (a Kubernetes ConfigMap has its old and new versions in those).
    package static func list(_ paths: [String], _ problems: DocumentProblems) -> [String] {
        var files: [String] = []
        var seen: Set<String> = []
        for path in paths {
            for file in expand(path, problems) where seen.insert(file).inserted { files.append(file) }
        }
        return files
    }

    /// The text of a file; nil, and an error, when it cannot be read, is too large or is not UTF-8.
    package static func text(of path: String, limits: DocumentLimits, _ problems: DocumentProblems) -> String? {
        // Non-blocking, so that a pipe that nobody writes to does not stop the daemon.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            problems.add(DocumentProblem(file: path, message: reason(errno)))
            return nil
        }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            problems.add(DocumentProblem(file: path, message: "is not a regular file"))
            return nil
        }
        guard status.st_size <= limits.bytes else {
            problems.add(
                DocumentProblem(
                    file: path, message: "the file has \(status.st_size) bytes, more than the limit of \(limits.bytes)")
            )
            return nil
        }
        guard let bytes = contents(of: descriptor, atMost: limits.bytes) else {
            problems.add(DocumentProblem(file: path, message: "cannot be read to its end"))
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.add(DocumentProblem(file: path, message: "is not UTF-8 text"))
            return nil
        }
        return text.hasPrefix("\u{FEFF}") ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// A number that changes with names, sizes, times and inodes of the files that `paths` mean.
    package static func fingerprint(_ paths: [String]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ value: UInt64) {
            let product = (hash ^ value).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low ^ 0x2545_F491_4F6C_DD1D
        }
        for file in list(paths, DocumentProblems()) {
            for byte in file.utf8 { add(UInt64(byte)) }
            var status = stat()
            guard unsafe stat(file, &status) == 0 else {
                add(0)
                continue
            }
            add(UInt64(truncatingIfNeeded: status.st_ino))
            add(UInt64(truncatingIfNeeded: status.st_size))
            add(UInt64(truncatingIfNeeded: status.st_mtim.tv_sec))
            add(UInt64(truncatingIfNeeded: status.st_mtim.tv_nsec))
        }
        return hash
    }

    /// The files that one path means.
    private static func expand(_ path: String, _ problems: DocumentProblems) -> [String] {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            problems.add(DocumentProblem(file: path, message: reason(errno)))
            return []
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [path] }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            return names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }
                .sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
        } catch {
            problems.add(DocumentProblem(file: path, message: "the directory cannot be listed: check its permissions"))
            return []
        }
    }

    /// All bytes up to the end; nil when there are more than `limit`, or on an error.
    private static func contents(of descriptor: Int32, atMost limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// What an error number means for a path.
    private static func reason(_ code: Int32) -> String {
        switch code {
        case ENOENT, ENOTDIR: "there is no such file or directory"
        case EACCES, EPERM: "permission denied: make it readable for the user that the daemon runs as"
        case ELOOP: "has too many symbolic links"
        case EMFILE, ENFILE: "too many open files"
        default: "cannot be opened (error \(code))"
        }
    }
}
