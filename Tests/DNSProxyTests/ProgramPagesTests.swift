import Glibc
import Testing

@testable import DNSProxy

/// What a daemon gives back when its start is over.
@Suite struct ProgramPagesTests {
    /// Some of the many lines about a mapping, with the kilobytes of copies in memory and swapped out.
    private static func mapping(_ first: String, anonymous: Int = 0, swapped: Int = 0) -> String {
        "\(first)\nRss:  8 kB\nAnonymous:  \(anonymous) kB\nSwap:  \(swapped) kB\nSwapPss:  0 kB\nVmFlags: rd mr mw me\n"
    }

    @Test(arguments: [
        ("code", "r-xp 00001000 fe:00 4711   /usr/bin/dnsproxyd", 0, 0, true),
        ("a path with blanks", "r-xp 00000000 fe:00 4711   /opt/a 0 b/dnsproxyd", 0, 0, true),
        ("a replaced program", "r-xp 00000000 fe:00 4711   /usr/bin/dnsproxyd (deleted)", 0, 0, true),
        ("code with a breakpoint", "r-xp 00000000 fe:00 4711   /usr/bin/dnsproxyd", 4, 0, false),
        ("code with one that is swapped out", "r-xp 00000000 fe:00 4711   /usr/bin/dnsproxyd", 0, 4, false),
        ("constants, which may be relocated", "r--p 00000000 fe:00 4711   /usr/bin/dnsproxyd", 0, 0, false),
        ("variables", "rw-p 00000000 fe:00 4711   /usr/bin/dnsproxyd", 0, 0, false),
        ("a file that is shared", "rw-s 00000000 fe:00 4711   /tmp/shared", 0, 0, false),
        ("memory", "rw-p 00000000 00:00 0", 0, 0, false),
        ("the heap", "rw-p 00000000 00:00 0   [heap]", 0, 0, false),
        ("the kernel's code", "r-xp 00000000 00:00 0   [vdso]", 0, 0, false),
    ])
    func `only pages that are in a file, as they are, are given back`(
        _ what: String, _ facts: String, _ anonymous: Int, _ swapped: Int, _ isGivenBack: Bool
    ) {
        let others = Self.mapping("1000-2000 rw-p 00000000 00:00 0", anonymous: 4)
        let mapping = Self.mapping("55a0000-55a2000 \(facts)", anonymous: anonymous, swapped: swapped)
        let found = ProgramPages.clean(others + mapping + others)
        #expect(found == (isGivenBack ? [0x55a_0000..<0x55a_2000] : []), "\(what)")
    }

    @Test(arguments: ["55a0000", "55a2000-55a0000", "55a0000-55a0000", "g-h", "-", "1-10000000000000000", ""])
    func `what is no range of addresses is left alone`(_ addresses: String) {
        #expect(ProgramPages.clean(Self.mapping("\(addresses) r-xp 00000000 fe:00 4711 /usr/bin/x")) == [])
    }

    @Test func `a list that ends in the middle gives back what it is complete about`() {
        let whole = Self.mapping("1000-3000 r-xp 00000000 fe:00 4711 /usr/bin/dnsproxyd")
        let half = "5000-6000 r-xp 00000000 fe:00 4711 /usr/bin/x\nAnonymous:  0 kB\n"
        #expect(ProgramPages.clean(whole + half) == [0x1000..<0x3000])
        #expect(ProgramPages.clean("") == [])
    }

    @Test func `what is given back is not resident, and works when it is needed again`() throws {
        let before = try residentPagesOfFiles()
        ProgramPages.unmap()
        let after = try residentPagesOfFiles()
        #expect(after < before, "\(before) pages of files before, \(after) after")
        #expect(ProgramPages.clean("") == [])
    }

    /// Pages of files that this process has mapped (proc(5)).
    private func residentPagesOfFiles() throws -> Int {
        let fields = try TextFile.read("/proc/self/statm", limit: 4_096).split(separator: " ")
        return try #require(Int(fields[2]))
    }
}
