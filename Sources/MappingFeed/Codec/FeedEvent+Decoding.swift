internal import DNSWire

extension FeedEvent {
    /// Bytes of a line that the daemon may write, and that a reader takes.
    public static let maxLineLength = 1 << 20

    /// Reads one line, with or without its newline; fields may come in any order, unknown ones are ignored.
    /// - Returns: nil for a well-formed line of a kind that this version does not know, which readers ignore.
    /// - Throws: `FeedSyntaxError` for anything that is not an event.
    public static func decode(_ line: Span<UInt8>) throws(FeedSyntaxError) -> FeedEvent? {
        guard line.count <= maxLineLength else { throw FeedSyntaxError(.lineTooLong, at: maxLineLength) }
        var reader = LineReader()
        let kind = try reader.beginEvent(line)
        var fields = EventFields()
        switch kind {
        case "hello", "snapshot-begin", "snapshot-end", "ping", "lagging", "error":
            try fields.readSmall(&reader, line)
        case "identity": try fields.readIdentity(&reader, line)
        case "upsert": try fields.readUpsert(&reader, line)
        case "delete": try fields.readDelete(&reader, line)
        default:
            while try reader.nextKey(line) != nil { try reader.skip(line) }
            try reader.end(line)
            return nil
        }
        try reader.end(line)
        return try fields.event(kind, reader.offset)
    }
}

extension LineReader {
    /// Enters the object that a line is, and returns the value of its field `event`, wherever that stands.
    ///
    /// This module writes the field first, and then the cursor stands behind it; otherwise it stands before the first field.
    mutating func beginEvent(_ line: Span<UInt8>) throws(FeedSyntaxError) -> String {
        try beginObject(line)
        let start = self
        guard var key = try nextKey(line) else { throw error(.missingField("event")) }
        if key == .event { return try string(line) }
        while key != .event {
            try skip(line)
            guard let next = try nextKey(line) else { throw error(.missingField("event")) }
            key = next
        }
        let kind = try string(line)
        self = start
        return kind
    }

    /// Reads an array by reading each element.
    mutating func array<Element>(
        _ line: Span<UInt8>, _ element: (inout LineReader) throws(FeedSyntaxError) -> Element
    ) throws(FeedSyntaxError) -> [Element] {
        var elements: [Element] = []
        try beginArray(line)
        while try nextElement(line) { elements.append(try element(&self)) }
        return elements
    }
}
