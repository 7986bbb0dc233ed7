import DNSWire
import FQDNCache
import Testing

/// What the table knows of a cached answer that was learned before: that its mapping is as it was, or nothing.
@Suite struct MappingAnswerTests {
    /// A table in which answer 5 was learned by event 1, and another name by event 2.
    private func stage(limits: MappingLimits = MappingLimits()) throws -> MappingStage {
        let stage = MappingStage(limits: limits)
        try stage.learn("a.example", [stage.address(1, 60), stage.address(2, 60)], answer: 5)
        try stage.learn("b.example", [stage.address(9, 60)], answer: 9)
        return stage
    }

    @Test func `an answer is known under its name, identity, serial and rules, and under nothing less`() throws {
        let stage = try stage()
        #expect(try stage.sequence("a.example", answer: 5) == 1)
        #expect(try stage.sequence("b.example", answer: 9) == 2)
        #expect(try stage.sequence("a.example", answer: 9) == nil)
        #expect(try stage.sequence("a.example", answer: 0) == nil)
        #expect(try stage.sequence("a.example", answer: 5, identity: 2) == nil)
        #expect(try stage.sequence("a.example", answer: 5, ruleSet: 8) == nil)
        #expect(try stage.sequence("c.example", answer: 5) == nil)
        #expect(stage.feed.changes.count == 2)
    }

    /// Things that happen to a mapping of answer 5, and the event to wait for then if all are in force, and if none is.
    private static let events: [(String, UInt64?, UInt64?, @Sendable (MappingStage) throws -> Void)] = [
        ("nothing", 1, 1, { _ in }),
        (
            "it is learned again", 1, 1,
            { try $0.learn("a.example", [$0.address(1, 60), $0.address(2, 60)], answer: 5) }
        ),
        ("an answer that is not cached says the same", 1, 1, { try $0.learn("a.example", [$0.address(1, 60)]) }),
        (
            "another answer has nothing new", 1, 1,
            { try $0.learn("a.example", [$0.address(1, 50)], answer: 6) }
        ),
        (
            "another answer lasts longer", 3, nil,
            { try $0.learn("a.example", [$0.address(1, 90)], answer: 6) }
        ),
        ("one that is not cached has another address", 3, nil, { try $0.learn("a.example", [$0.address(3, 60)]) }),
        (
            "two others are learned", nil, nil,
            {
                try $0.learn("a.example", [$0.address(1, 60)], answer: 6)
                try $0.learn("a.example", [$0.address(2, 60)], answer: 7)
            }
        ),
        ("it is published under other rules", nil, nil, { try $0.learn("a.example", [$0.address(1, 60)], ruleSet: 8) }),
        (
            "it is published under other rules and these again", 4, 4,
            {
                try $0.learn("a.example", [$0.address(1, 60)], ruleSet: 8)
                try $0.learn("a.example", [$0.address(1, 60)])
            }
        ),
        ("an enforcer could not put an address in force", nil, nil, { try $0.unconfirm("a.example", [2]) }),
        (
            "one could not, and it was learned again", 3, nil,
            {
                try $0.unconfirm("a.example", [2])
                try $0.learn("a.example", [$0.address(1, 60), $0.address(2, 60)], answer: 5)
            }
        ),
        ("a connection uses an address", 3, nil, { _ = $0.keep([1], until: 500) }),
        ("connections use both", 3, 3, { _ = $0.keep([1, 2], until: 500) }),
        (
            "an address makes room for another one", nil, nil,
            { try $0.learn("a.example", [$0.address(10, 90), $0.address(11, 90)]) }
        ),
        (
            "the mapping is taken back", nil, nil,
            { stage in
                _ = stage.table.remove(where: { _, _, _ in true }, reason: .policy, publish: stage.feed.publish)
            }
        ),
        ("everything is over", nil, nil, { _ = $0.expire(after: 61) }),
    ]

    @Test(arguments: events.indices)
    func `an answer stays known while all of it is there, and is awaited only if one event has all of it`(
        _ index: Int
    ) throws {
        let (what, inForce, awaited, happen) = Self.events[index]
        let stage = try stage(limits: MappingLimits(addressesPerName: 3))
        try happen(stage)
        #expect(try stage.sequence("a.example", answer: 5) == inForce, "\(what)")
        stage.feed.released = 0
        #expect(try stage.sequence("a.example", answer: 5) == awaited, "\(what)")
    }

    @Test func `of several events only the last may be awaited, and none rejected`() throws {
        let stage = try stage()
        try stage.learn("a.example", [stage.address(3, 60)], answer: 6)
        for (released, rejected, known) in [
            (3, [], 3), (2, [], 3), (1, [], 3), (0, [], nil), (3, [1], nil), (2, [3], nil), (3, [2], 3),
        ] as [(UInt64, Set<UInt64>, UInt64?)] {
            (stage.feed.released, stage.feed.rejected) = (released, rejected)
            for answer in [5, 6] as [UInt64] {
                #expect(try stage.sequence("a.example", answer: answer) == known, "\(released) \(rejected)")
            }
        }
    }

    @Test func `answers of both families are known beside each other`() throws {
        let stage = MappingStage()
        for _ in 1...3 {
            try stage.learn("a.example", [stage.address(1, 60)], answer: 5)
            try stage.learn("a.example", [stage.address(2, 60)], answer: 6)
        }
        #expect(try stage.sequence("a.example", answer: 5) == 2)
        #expect(try stage.sequence("a.example", answer: 6) == 2)
        #expect(stage.feed.changes.count == 2)
    }

    @Test func `an address that is over but still here makes its answer unknown`() throws {
        let stage = try stage()
        #expect(try stage.sequence("a.example", answer: 5, after: 59) == 1)
        #expect(try stage.sequence("a.example", answer: 5, after: 60) == nil)
    }

    @Test func `an answer of which something was left out is never known`() throws {
        let stage = MappingStage(limits: MappingLimits(addressesPerName: 2))
        #expect(try stage.learn("a.example", (1...3).map { stage.address($0, 60) }, answer: 5).leftOut == 1)
        #expect(try stage.sequence("a.example", answer: 5) == nil)
        try stage.learn("b.example", [stage.address(1, 60), stage.address(2, 0)], answer: 6)
        #expect(try stage.sequence("b.example", answer: 6) == nil)
        try stage.learn("b.example", [stage.address(1, 60), stage.address(2, -1)], answer: 7)
        #expect(try stage.sequence("b.example", answer: 7) == nil)
    }

    @Test func `what the feed did not take is not known`() throws {
        let stage = MappingStage()
        stage.feed.refuses = true
        #expect(try stage.learn("a.example", [stage.address(1, 60)], answer: 5).refused)
        #expect(try stage.sequence("a.example", answer: 5) == nil)
    }
}
