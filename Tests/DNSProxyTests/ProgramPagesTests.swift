import Glibc
import Testing

@testable import DNSProxy

/// What a daemon gives back when its start is over.
@Suite struct ProgramPagesTests {
    /// Two lines of many about a mapping.
    private static func mapping(_ first: String, anonymous: Int) -> String {
        "\(first)\nSize:  8 kB\nRss:  8 kB\nAnonymous:  \(anonymous) kB\nVmFlags: rd mr mw me\n"
    }

    @Test(arguments: [
        ("code", "55a0000-55a2000 r-xp 00001000 fe:00 4711                       /usr/bin/dnsproxyd", 0, true),
        ("constants", "55a0000-55a2000 r--p 00000000 fe:00 4711                  /usr/bin/dnsproxyd", 0, true),
        ("a path with blanks", "55a0000-55a2000 r-xp 00000000 fe:00 4711         /opt/a 0 b/dnsproxyd", 0, true),
        (
            "a replaced program", "55a0000-55a2000 r-xp 00000000 fe:00 4711         /usr/bin/dnsproxyd (deleted)", 0,
            true
        ),
        ("relocated constants", "55a0000-55a2000 r--p 00000000 fe:00 4711        /usr/bin/dnsproxyd", 8, false),
        ("code with a breakpoint", "55a0000-55a2000 r-xp 00000000 fe:00 4711     /usr/bin/dnsproxyd", 4, false),
        ("variables", "55a0000-55a2000 rw-p 00000000 fe:00 4711                  /usr/bin/dnsproxyd", 0, false),
        ("a file that is shared", "55a0000-55a2000 rw-s 00000000 fe:00 4711      /tmp/shared", 0, false),
        ("memory", "55a0000-55a2000 rw-p 00000000 00:00 0", 0, false),
        ("the heap", "55a0000-55a2000 rw-p 00000000 00:00 0                      [heap]", 0, false),
        ("the kernel's code", "55a0000-55a2000 r-xp 00000000 00:00 0             [vdso]", 0, false),
        ("no addresses", "55a0000 r-xp 00000000 fe:00 4711                       /usr/bin/dnsproxyd", 0, false),
        ("addresses the wrong way round", "55a2000-55a0000 r-xp 00000000 fe:00 4711 /usr/bin/dnsproxyd", 0, false),
        ("no numbers", "g-h r-xp 00000000 fe:00 4711                             /usr/bin/dnsproxyd", 0, false),
    ])
    func `only pages that are in a file, as they are, are given back`(
        _ what: String, _ line: String, _ anonymous: Int, _ isGivenBack: Bool
    ) {
        let others = Self.mapping("1000-2000 rw-p 00000000 00:00 0", anonymous: 4)
        let list = others + Self.mapping(line, anonymous: anonymous) + others
        #expect(ProgramPages.clean(list) == (isGivenBack ? [0x55a_0000..<0x55a_2000] : []), "\(what)")
    }

    @Test func `a list that ends in the middle gives back what it is complete about`() {
        let whole = Self.mapping("1000-3000 r-xp 00000000 fe:00 4711 /usr/bin/dnsproxyd", anonymous: 0)
        #expect(
            ProgramPages.clean(whole + "5000-6000 r-xp 00000000 fe:00 4711 /usr/bin/x\nRss: 4 kB\n") == [
                0x1000..<0x3000
            ])
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
