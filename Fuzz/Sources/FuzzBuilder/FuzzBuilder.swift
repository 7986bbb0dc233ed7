import Fuzzing

@testable import DNSWire

/// Any bytes as a program for the builder; what it wrote is read back and compared with a list of what was to be written.
@main
struct FuzzBuilder {
    /// Something that was written whole.
    private enum Item: Equatable {
        /// A name.
        case name(DomainName)
        /// A question.
        case question(DomainName, UInt16)
        /// A record: owner, type, TTL and digest of its data.
        case record(DomainName, UInt16, UInt32, UInt64)
        /// One byte, two, or four.
        case number(UInt32, bytes: Int)
    }

    /// Types whose data is written in different ways.
    private static let types: [RecordType] = [
        .a, .aaaa, .ns, .cname, .soa, .mx, .txt, .srv, .naptr, .https, .rrsig, .nsec, .dname, .rp,
        RecordType(rawValue: 65_280),
    ]

    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            var choices = Choices()
            let limit = Int(choices.word(input)) % 2048
            var output = [UInt8](repeating: 0xEE, count: 2048)
            var span = output.mutableSpan
            var builder = MessageBuilder(limit: limit)
            var items: [(item: Item, start: Int)] = []
            while !choices.isUsedUp(input) {
                step(&builder, &span, &items, &choices, input)
            }
            require(builder.count <= max(limit, Header.length), "the limit is kept")
            let end = builder.count
            for index in max(limit, end)..<span.count { require(span[index] == 0xEE, "nothing is behind the limit") }
            compare(items, output.span.extracting(0..<end))
        }
    }

    /// Does one thing with the builder, and notes it if it fits.
    private static func step(
        _ builder: inout MessageBuilder, _ output: inout MutableSpan<UInt8>, _ items: inout [(item: Item, start: Int)],
        _ choices: inout Choices, _ input: Span<UInt8>
    ) {
        let operation = choices.byte(input)
        let start = builder.count
        var item: Item?
        switch operation & 7 {
        case 0, 1:
            let name = name(&choices, input, items)
            builder.put(name, compressed: operation & 8 == 0, to: &output)
            item = .name(name)
        case 2:
            let name = name(&choices, input, items)
            let type = choices.word(input)
            builder.putQuestion(NameBuffer(name), type: RecordType(rawValue: type), to: &output)
            item = .question(name, type)
        case 3, 4:
            item = putRecord(&builder, &output, &choices, input, items)
        case 5:
            guard let border = items.indices.randomPick(choices.byte(input)) else { return }
            builder.rewind(to: items[border].start)
            items.removeSubrange(border...)
            return
        case 6:
            builder.put8(operation, to: &output)
            item = .number(UInt32(operation), bytes: 1)
        default:
            let value = UInt32(choices.word(input)) << 16 | UInt32(operation)
            builder.put32(value, to: &output)
            item = .number(value, bytes: 4)
        }
        if builder.overflowed {
            builder.rewind(to: start)
        } else if let item {
            items.append((item, start))
        }
    }

    /// Writes a record with data from the input; nil when the data was not of its type.
    private static func putRecord(
        _ builder: inout MessageBuilder, _ output: inout MutableSpan<UInt8>, _ choices: inout Choices,
        _ input: Span<UInt8>, _ items: [(item: Item, start: Int)]
    ) -> Item? {
        let owner = name(&choices, input, items)
        let type = types[Int(choices.byte(input)) % types.count]
        let ttl = UInt32(choices.word(input))
        let data = choices.bytes(Int(choices.byte(input)), input)
        let open = builder.beginRecord(owner, type: type, ttl: ttl, to: &output)
        builder.putData(data.span, of: type, to: &output)
        builder.endRecord(open, to: &output)
        var scratch = NameBuffer()
        guard case .success(let digest) = RecordData.check(type, data.span, 0..<data.count, name: &scratch) else {
            require(builder.overflowed && !type.accepts(data.span), "data that is not of its type does not fit")
            return nil
        }
        require(type.accepts(data.span), "both checks agree")
        return .record(owner, type.rawValue, ttl, digest)
    }

    /// Reads everything back.
    private static func compare(_ items: [(item: Item, start: Int)], _ message: Span<UInt8>) {
        var cursor = MessageCursor()
        var name = NameBuffer()
        var scratch = NameBuffer()
        for (item, start) in items {
            require(cursor.offset == start, "items follow each other")
            let found: Item
            switch item {
            case .name:
                cursor.readName(message, into: &name)
                found = .name(name.domainName)
            case .question:
                cursor.readName(message, into: &name)
                found = .question(name.domainName, cursor.readUInt16(message))
                require(cursor.readUInt16(message) == 1, "the class is IN")
            case .record:
                let view = cursor.readRecord(message, owner: &name)
                guard
                    case .success(let digest) = RecordData.check(
                        view.type, message, view.dataOffset..<view.end, name: &scratch)
                else { fatalError("broken promise: data that was written is well formed") }
                found = .record(name.domainName, view.type.rawValue, view.rawTTL, digest)
            case .number(_, let bytes):
                found = .number(
                    bytes == 1 ? UInt32(cursor.readUInt8(message)) : cursor.readUInt32(message), bytes: bytes)
            }
            require(cursor.isValid && found == item, "what was written reads back the same")
        }
        require(cursor.offset == message.count, "nothing else was written")
    }

    /// A name from the input, sometimes below one that was written before.
    private static func name(
        _ choices: inout Choices, _ input: Span<UInt8>, _ items: [(item: Item, start: Int)]
    ) -> DomainName {
        var bytes: [UInt8] = []
        let shape = choices.byte(input)
        for _ in 0..<(shape & 3) {
            let label = choices.bytes(Int(choices.byte(input) & 63), input)
            guard !label.isEmpty else { break }
            bytes.append(UInt8(label.count))
            bytes += label.map(canonicalCase)
        }
        var parent: [UInt8] = [0]
        if shape & 4 != 0, let index = items.indices.randomPick(shape >> 3) {
            switch items[index].item {
            case .name(let name), .question(let name, _), .record(let name, _, _, _): parent = name.bytes
            case .number: break
            }
        }
        guard bytes.count + parent.count <= 255 else { return .root }
        return DomainName(canonicalBytes: bytes + parent)
    }
}

extension Range<Int> {
    /// The element that `choice` stands for; nil when there is none.
    fileprivate func randomPick(_ choice: UInt8) -> Int? {
        isEmpty ? nil : lowerBound + Int(choice) % count
    }
}
