import DNSWire
import FQDNPolicy
import Testing

@testable import DNSProxy

/// What identities asked for, as it is kept for suggestions.
struct SeenNamesTests {
    /// An identity of that number.
    private func identity(_ number: UInt64) -> IdentityID { IdentityID(rawValue: number) }

    /// That `number` asked for the names `host0`, `host1` … in `range`.
    private func notes(_ number: UInt64, _ range: Range<Int>, isAudited: Bool = false) throws -> [SeenNames.Note] {
        try range.map {
            SeenNames.Note(
                identity: identity(number), name: try DomainName("host\($0).example"), isAudited: isAudited)
        }
    }

    @Test func `every name is kept once, of each identity, with what was last said of it`() throws {
        let seen = SeenNames()
        for _ in 0..<2 { seen.note(try notes(1, 0..<3_000)) }
        seen.note(try notes(2, 0..<10, isAudited: true))
        seen.note(try notes(1, 7..<9, isAudited: true))
        let (names, isComplete) = seen.names(of: identity(1))
        #expect(isComplete && names.count == 3_000)
        #expect(Set(names.map(\.name)) == Set(try notes(1, 0..<3_000).map(\.name)))
        #expect(Set(names.filter(\.isAudited).map(\.name)) == Set(try notes(1, 7..<9).map(\.name)))
        seen.note(try notes(1, 8..<9))
        #expect(seen.names(of: identity(1)).names.count { $0.isAudited } == 1)
        #expect(seen.names(of: identity(2)).names.allSatisfy { $0.isAudited })
        #expect(seen.names(of: identity(3)).names.isEmpty)
    }

    @Test func `names that are the end or the beginning of others are names of their own`() throws {
        var marks = NameMarks()
        let names = try [".", "a", "a.a", "a.a.a", "b.a", "aa", "a.b"].map { try DomainName($0) }
        for name in names { holds(marks.set(name, name.isRoot, adds: true)) }
        for name in names { holds(!marks.set(name, name.isRoot, adds: true)) }
        #expect(marks.count == names.count && marks.all.map(\.name) == names)
        #expect(marks.all.map(\.mark) == [true] + Array(repeating: false, count: 6))
        holds(try marks.set(DomainName("c"), true, adds: false))
        #expect(marks.all.map(\.name) == names)
    }

    @Test func `one identity has so many names, all together have so many, and it is told when there were more`() throws
    {
        let seen = SeenNames()
        for number in 1...UInt64(SeenNames.capacity / SeenNames.namesPerIdentity) {
            seen.note(try notes(number, 0..<SeenNames.namesPerIdentity))
            #expect(seen.names(of: identity(number)).isComplete)
        }
        seen.note(try notes(1, 4_000..<5_010, isAudited: true))
        let (names, isComplete) = seen.names(of: identity(1))
        #expect(names.count == SeenNames.namesPerIdentity && !isComplete)
        #expect(names.count { $0.isAudited } == 1_000)
        // For another identity there is no room at all, and nothing is known of it.
        seen.note(try notes(99, 0..<1))
        #expect(seen.names(of: identity(99)).names.isEmpty && !seen.names(of: identity(99)).isComplete)
        seen.forget { $0 == identity(1) }
        seen.note(try notes(99, 0..<1))
        #expect(seen.names(of: identity(99)).names.count == 1)
    }
}
