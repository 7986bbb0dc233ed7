import CAllocator
import FQDNPolicy
import Glibc

/// What went wrong with an input.
struct InputError: Error, CustomStringConvertible {
    /// The sentence for the user.
    let description: String
}

/// The files that a measurement reads.
enum Inputs {
    /// The lines of a file.
    static func lines(_ path: String) throws -> [Substring] {
        guard let file = unsafe fopen(path, "r") else { throw InputError(description: "\(path): cannot be read") }
        defer { _ = unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// The patterns of a file of rules.
    static func patterns(_ path: String) throws -> [PatternEntry] {
        try lines(path).enumerated().map { number, line in
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0] == "name" || parts[0] == "pattern" else {
                throw InputError(description: "\(path):\(number + 1): expected \"name NAME\" or \"pattern PATTERN\"")
            }
            let field: Pattern.Field = parts[0] == "name" ? .matchName : .matchPattern
            return PatternEntry(try Pattern(field, String(parts[1])), line: number + 1)
        }
    }
}

/// What the allocator has given out, in bytes.
func allocatedBytes() -> Int {
    let information = mallinfo2()
    return Int(information.uordblks) + Int(information.hblkhd)
}

/// CPU time of this thread in seconds: what other processes do does not count.
func cpuTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
