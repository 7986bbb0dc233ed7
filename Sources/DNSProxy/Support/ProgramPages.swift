import Glibc

/// Pages of the program and its libraries. The kernel maps up to sixteen around each that is touched, so that what only a
/// start needs, and what nothing needs, is resident too.
enum ProgramPages {
    /// Unmaps the pages of code and constants. They stay in the kernel's cache of files, and those that are used from here on
    /// are mapped again as they are touched: some hundred, about a microsecond each.
    static func unmap() {
        guard let list = try? TextFile.read("/proc/self/smaps", limit: 1 << 20) else { return }
        for mapping in clean(list) {
            _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: mapping.lowerBound), mapping.count, MADV_DONTNEED)
        }
    }

    /// The mappings in `list` (proc_pid_smaps(5)) that nobody may write to, and of whose pages there is no copy that was
    /// changed before, as relocations change them: there is nothing in them that is not in the file.
    static func clean(_ list: String) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in list.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard words.count > 1, let first = words.first else { continue }
            if first.last != UInt8(ascii: ":") {
                candidate = fileMapping(words)
            } else if first.elementsEqual("Anonymous:".utf8), let mapping = candidate {
                if words[1].elementsEqual("0".utf8) { found.append(mapping) }
                candidate = nil
            }
        }
        return found
    }

    /// The addresses of a mapping by the first line about it, if it is one of a file that can only be read or executed.
    private static func fileMapping(_ words: [Substring.UTF8View]) -> Range<UInt>? {
        guard words.count == 6, !words[4].elementsEqual("0".utf8),
            words[1].elementsEqual("r-xp".utf8) || words[1].elementsEqual("r--p".utf8)
        else { return nil }
        let ends = words[0].split(separator: UInt8(ascii: "-")).map { UInt(Substring($0), radix: 16) }
        guard ends.count == 2, let first = ends[0], let end = ends[1], first < end else { return nil }
        return first..<end
    }
}
