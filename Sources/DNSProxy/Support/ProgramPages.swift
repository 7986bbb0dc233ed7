import Glibc

/// Pages of the program and its libraries. The kernel maps up to sixteen around each that is touched, so that what only a
/// start needs, and what nothing needs, is resident too.
enum ProgramPages {
    /// Unmaps the pages of code. They stay in the kernel's cache of files, and those that are used from here on are mapped again
    /// as they are touched: some hundred, about a microsecond each.
    static func unmap() {
        guard let list = try? TextFile.read("/proc/self/smaps", limit: 1 << 20) else { return }
        for mapping in clean(list) {
            _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: mapping.lowerBound), mapping.count, MADV_DONTNEED)
        }
    }

    /// The mappings of code in `list` (proc_pid_smaps(5)) of whose pages there is no copy that was changed, in memory or
    /// swapped out, as one has who looks at a program with breakpoints: there is nothing in them that is not in the file.
    static func clean(_ list: String) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        var isUnchanged = false
        for line in list.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard words.count > 1, let first = words.first else { continue }
            if first.last != UInt8(ascii: ":") {
                candidate = code(words)
                isUnchanged = false
            } else if first.elementsEqual("Anonymous:".utf8) {
                isUnchanged = words[1].elementsEqual("0".utf8)
            } else if first.elementsEqual("Swap:".utf8), isUnchanged, words[1].elementsEqual("0".utf8) {
                if let candidate { found.append(candidate) }
            }
        }
        return found
    }

    /// The addresses of a mapping by the first line about it, if it is one of code in a file.
    private static func code(_ words: [Substring.UTF8View]) -> Range<UInt>? {
        guard words.count == 6, !words[4].elementsEqual("0".utf8), words[1].elementsEqual("r-xp".utf8) else {
            return nil
        }
        let ends = words[0].split(separator: UInt8(ascii: "-")).map { UInt(Substring($0), radix: 16) }
        guard ends.count == 2, let first = ends[0], let end = ends[1], first < end else { return nil }
        return first..<end
    }
}
