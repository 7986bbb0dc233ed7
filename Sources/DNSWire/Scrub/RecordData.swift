/// What the data of a record is made of, as far as names in it or its meaning for us demand.
enum RecordData {
    /// The names in a type's data and the bytes of fixed meaning around them.
    struct Layout {
        /// Bytes before the first name.
        var prefix = 0
        /// Names that follow.
        var names = 1
        /// Bytes behind the last name; nil when any number may follow.
        var suffix: Int? = 0
        /// Whether names in it may be compressed when they arrive.
        var arrivesCompressed = true
        /// Whether we compress them: only in the types of RFC 1035 itself (RFC 3597, section 4).
        var leavesCompressed = false
    }

    /// Types of RFC 1035 whose only content is one name.
    private static let oneName = Layout(leavesCompressed: true)

    /// Where the names are in data of `type`; nil for data that holds none or is passed on byte for byte.
    static func layout(_ type: RecordType) -> Layout? {
        switch type {
        case .ns, .md, .mf, .cname, .mb, .mg, .mr, .ptr: oneName
        case .soa: Layout(names: 2, suffix: 20, leavesCompressed: true)
        case .minfo: Layout(names: 2, leavesCompressed: true)
        case .mx: Layout(prefix: 2, leavesCompressed: true)
        case .rp: Layout(names: 2)
        case .afsdb, .rt, .kx: Layout(prefix: 2)
        case .sig: Layout(prefix: 18, suffix: nil)
        case .px: Layout(prefix: 2, names: 2)
        case .nxt: Layout(suffix: nil)
        case .naptr: Layout(prefix: 4)
        case .srv: Layout(prefix: 6)
        case .dname: Layout()
        case .rrsig: Layout(prefix: 18, suffix: nil, arrivesCompressed: false)
        case .nsec: Layout(suffix: nil, arrivesCompressed: false)
        case .svcb, .https: Layout(prefix: 2, suffix: nil, arrivesCompressed: false)
        default: nil
        }
    }

    /// Checks the data at `range` of `message` against its type; gives a digest that is equal for equal data.
    ///
    /// `name` is scratch space and holds the last name of the data afterwards.
    static func check(
        _ type: RecordType, _ message: Span<UInt8>, _ range: Range<Int>, name: inout NameBuffer
    ) -> Result<UInt64, WireError> {
        guard let layout = layout(type) else {
            guard isConsistent(type, message, range) else { return .failure(.badDataLength) }
            return .success(name.seed.hash(message.extracting(range)))
        }
        let prefix = prefixLength(type, layout, message, range)
        guard prefix <= range.count else { return .failure(.badDataLength) }
        var digest = name.seed.hash(message.extracting(range.lowerBound..<(range.lowerBound + prefix)))
        var cursor = MessageCursor(offset: range.lowerBound + prefix)
        for _ in 0..<layout.names {
            guard cursor.offset < range.upperBound else { return .failure(.badDataLength) }
            cursor.readName(message, into: &name, allowsCompression: layout.arrivesCompressed)
            if let failure = cursor.failure { return .failure(failure) }
            guard cursor.offset <= range.upperBound else { return .failure(.badDataLength) }
            digest = name.seed.mix(digest, name.hash)
        }
        let rest = cursor.offset..<range.upperBound
        guard layout.suffix == nil || layout.suffix == rest.count else { return .failure(.badDataLength) }
        guard isConsistentBehindNames(type, message, rest) else { return .failure(.badDataLength) }
        return .success(name.seed.mix(digest, name.seed.hash(message.extracting(rest))))
    }

    /// Writes data that `check` has accepted, names compressed or not as its type demands.
    static func copy(
        _ type: RecordType, _ message: Span<UInt8>, _ range: Range<Int>, builder: inout MessageBuilder,
        to output: inout MutableSpan<UInt8>
    ) {
        guard let layout = layout(type), layout.arrivesCompressed else {
            builder.put(message, range, to: &output)
            return
        }
        let prefix = prefixLength(type, layout, message, range)
        builder.put(message, range.lowerBound..<(range.lowerBound + prefix), to: &output)
        var offset = range.lowerBound + prefix
        var spelled = SpelledName()
        for _ in 0..<layout.names {
            offset = spelled.read(message, at: offset)
            builder.putName(
                spelled.bytes.span.extracting(0..<spelled.count), compressed: layout.leavesCompressed, to: &output)
        }
        builder.put(message, offset..<range.upperBound, to: &output)
    }

    /// Bytes before the first name; more than the data has when it ends before.
    private static func prefixLength(
        _ type: RecordType, _ layout: Layout, _ message: Span<UInt8>, _ range: Range<Int>
    ) -> Int {
        guard type == .naptr else { return layout.prefix }
        var length = layout.prefix
        for _ in 0..<3 where length < range.count { length += 1 + Int(message[range.lowerBound + length]) }
        return length
    }

    /// Whether data without names has a length, or inner lengths, that its type allows.
    private static func isConsistent(_ type: RecordType, _ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
        switch type {
        case .a: range.count == 4
        case .aaaa: range.count == 16
        case .hinfo: strings(message, range) == 2
        case .txt: strings(message, range) ?? 0 > 0
        case .ds: range.count > 4
        case .nsec3: isConsistentNSEC3(message, range)
        default: true
        }
    }

    /// Whether what follows the names of a type with an open end is well formed.
    private static func isConsistentBehindNames(
        _ type: RecordType, _ message: Span<UInt8>, _ rest: Range<Int>
    ) -> Bool {
        switch type {
        case .svcb, .https: ServiceParameters.areWellFormed(message, rest)
        case .rrsig, .sig: !rest.isEmpty
        case .nsec: isTypeBitmap(message, rest)
        default: true
        }
    }

    /// The number of character strings that fill `range` exactly (RFC 1035, section 3.3), or nil.
    private static func strings(_ message: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        var count = 0
        while offset < range.upperBound {
            offset += 1 + Int(message[offset])
            count += 1
        }
        return offset == range.upperBound ? count : nil
    }

    /// Whether salt, hash and bitmap of an NSEC3 record fill its data (RFC 5155, section 3.2).
    private static func isConsistentNSEC3(_ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound + 4
        for _ in 0..<2 {
            guard offset < range.upperBound else { return false }
            offset += 1 + Int(message[offset])
        }
        return offset <= range.upperBound && isTypeBitmap(message, offset..<range.upperBound)
    }

    /// Whether `range` is a sequence of ascending windows of 1 to 32 bytes (RFC 4034, section 4.1.2).
    private static func isTypeBitmap(_ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        var previous = -1
        while offset < range.upperBound {
            guard range.upperBound - offset > 2, Int(message[offset]) > previous, (1...32).contains(message[offset + 1])
            else { return false }
            previous = Int(message[offset])
            offset += 2 + Int(message[offset + 1])
        }
        return offset == range.upperBound
    }
}

extension RecordType {
    /// Whether `data`, which holds no compressed name, is well-formed data of this type.
    public func accepts(_ data: Span<UInt8>) -> Bool {
        var name = NameBuffer()
        guard case .success = RecordData.check(self, data, 0..<data.count, name: &name) else { return false }
        return true
    }
}
