import DNSWire
import Testing

/// Why DNSWire and libldns may disagree about a message. Each is a row of the table in docs/TESTING.md, with the RFC
/// that decides; a disagreement that is none of these fails the test.
enum Difference: String, CaseIterable {
    /// libldns follows pointers forward, into the header, and in data that must not hold any.
    case pointer
    /// libldns takes data of a known type that lacks fields, has bytes left over, or ends in the middle of a name.
    case dataLength
    /// DNSWire passes on data unread that libldns takes apart.
    case unreadType
}

@Suite struct DifferentialTests {
    /// Messages of one run.
    static let rounds = 17_000
    /// Seeds of the runs, which the test runner spreads over the cores: 102,000 messages in all.
    static let seeds: [UInt64] = [0xD1FF, 1035, 3597, 4034, 6891, 9460]
    /// Messages made of each generated one: itself, and others with something wrong.
    static let variants = 5

    @Test(arguments: seeds)
    func `what DNSWire accepts and means, libldns accepts and means too`(_ seed: UInt64) throws {
        var generator = MessageGenerator(seed: seed)
        var differences: [Difference: Int] = [:]
        var agreements = (accepted: 0, refused: 0)
        var whole: [UInt8] = []
        for round in 0..<DifferentialTests.rounds {
            let isWhole = round % DifferentialTests.variants == 0
            if isWhole { whole = generator.message() }
            let bytes = isWhole ? whole : generator.damaged(whole)
            let theirs = LDNS.message(bytes)
            switch (WholeMessage.read(bytes), theirs) {
            case (.success(let ours), let theirs?):
                if let text = disagreement(ours, theirs) {
                    #expect(hasUnreadType(ours), "\(text) in \(bytes)")
                    differences[.unreadType, default: 0] += 1
                } else {
                    agreements.accepted += 1
                    expectSameRewritten(ours, bytes, theirs)
                }
            case (.success(let ours), nil):
                if isWhole { Issue.record("an undamaged message is refused by libldns: \(bytes)") }
                #expect(hasUnreadType(ours), "only libldns refuses \(bytes)")
                differences[.unreadType, default: 0] += 1
            case (.failure(let refusal), let theirs?):
                if isWhole { Issue.record("an undamaged message is refused by DNSWire: \(bytes)") }
                let difference = explain(refusal, bytes, theirs)
                #expect(difference != nil, "only DNSWire refuses, \(refusal), \(bytes)")
                if let difference { differences[difference, default: 0] += 1 }
            case (.failure, nil):
                if isWhole { Issue.record("an undamaged message is refused by both: \(bytes)") }
                agreements.refused += 1
            }
        }
        // The run is worth something only if it goes everywhere.
        #expect(agreements.accepted > DifferentialTests.rounds / 3)
        #expect(agreements.refused > DifferentialTests.rounds / 4)
        #expect(differences.values.reduce(0, +) < DifferentialTests.rounds / 50)
        for difference in Difference.allCases { #expect(differences[difference] != nil, "\(difference)") }
    }

    /// The first thing that both accept and mean differently; nil when there is none.
    private func disagreement(_ ours: WholeMessage.Parsed, _ theirs: LDNS.Message) -> String? {
        if ours.header.id != theirs.id { return "ID" }
        // The reserved bit Z has no name in either, and libldns does not show it.
        if ours.header.flags.rawValue & ~0x40 != theirs.flags { return "flags" }
        if !same(ours.questions, theirs.question) { return "question" }
        if !same(ours.sections[0].map(\.parts), theirs.answer) { return "answer" }
        if !same(ours.sections[1].map(\.parts), theirs.authority) { return "authority" }
        // libldns takes OPT and TSIG out of the section and shows them apart.
        let additional = ours.sections[2].filter { $0.view.type != .opt && $0.view.type != .tsig }
        if !same(additional.map(\.parts), theirs.additional.filter { $0.type != .tsig }) { return "additional" }
        let options = ours.sections[2].filter { $0.view.type == .opt }
        if !options.isEmpty != theirs.hasEDNS { return "EDNS" }
        if options.count == 1, let view = options.first?.view {
            let dnssecOK = view.rawTTL & 0x8000 != 0
            if view.recordClass.rawValue != theirs.payloadSize || dnssecOK != theirs.dnssecOK
                || UInt8(view.rawTTL >> 24) != theirs.extendedResponseCode
            {
                return "OPT"
            }
        }
        return nil
    }

    /// Whether two lists hold the same records, the case of owners aside (RFC 4343).
    private func same(_ left: [LDNS.Record], _ right: [LDNS.Record], ignoringCaseInData: Bool = false) -> Bool {
        func canonical(_ record: LDNS.Record) -> LDNS.Record {
            var record = record
            record.owner = lower(record.owner)
            if ignoringCaseInData { record.data = lower(record.data) }
            return record
        }
        return left.map(canonical) == right.map(canonical)
    }

    /// Whether DNSWire passes on data unread in which libldns finds fields.
    private func hasUnreadType(_ message: WholeMessage.Parsed) -> Bool {
        message.sections.joined().contains {
            !WholeMessage.looksInto($0.view.type) && $0.view.type != .opt && LDNS.knows($0.view.type)
        }
    }

    /// Why only DNSWire refuses a message; nil when there is no good reason.
    private func explain(
        _ refusal: WholeMessage.Refusal, _ bytes: [UInt8], _ theirs: LDNS.Message
    ) -> Difference? {
        if refusal.error == .badPointer { return .pointer }
        // Behind data that libldns has misread it is no longer where the lengths say.
        let everything = theirs.answer + theirs.authority + theirs.additional
        if everything.contains(where: { !WholeMessage.looksInto($0.type) && LDNS.knows($0.type) && $0.type != .opt }) {
            return .unreadType
        }
        guard let record = refusal.record else { return nil }
        // Had libldns found complete data without names that end elsewhere, there would be nothing to refuse.
        let raw = Array(bytes[record.dataOffset..<record.end])
        let same = everything.first { $0.type == record.type && $0.data == raw }
        if let same, record.type.accepts(same.data.span) { return nil }
        return .dataLength
    }

    /// Writes a message anew and lets libldns read that.
    private func expectSameRewritten(_ ours: WholeMessage.Parsed, _ bytes: [UInt8], _ theirs: LDNS.Message) {
        let rewritten = WholeMessage.rewrite(ours, of: bytes)
        guard let again = LDNS.message(rewritten) else {
            Issue.record("libldns refuses what was written anew from \(bytes)")
            return
        }
        // Compression does not look at case (RFC 1035, section 4.1.4), so neither does this comparison.
        let sections = [
            (again.answer, theirs.answer), (again.authority, theirs.authority), (again.additional, theirs.additional),
        ]
        for (ours, theirs) in sections {
            if !same(ours, theirs, ignoringCaseInData: true) { Issue.record("written anew it differs: \(bytes)") }
        }
    }

    /// Bytes with ASCII letters in lower case.
    private func lower(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}
