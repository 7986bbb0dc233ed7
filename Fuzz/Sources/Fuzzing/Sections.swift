@testable public import DNSWire

/// Every record of a message, read and checked, as a list that two messages can be compared by.
public struct Sections: Equatable {
    /// One question or record; names count by their canonical bytes.
    public struct Entry: Equatable {
        /// The owner.
        public var owner: DomainName
        /// The type.
        public var type: RecordType
        /// The class.
        public var recordClass: RecordClass
        /// The TTL field; 0 for a question.
        public var ttl: UInt32
        /// A keyed digest of the data, equal for equal data however its names are compressed; 0 for a question.
        public var digest: UInt64
    }

    /// Questions and records in the order of the message.
    public private(set) var entries: [Entry] = []
    /// Where the records are.
    public private(set) var views: [RecordView] = []
    /// How many of `entries` are questions.
    public private(set) var questionCount = 0
    /// Offset of the first byte behind the last record.
    public private(set) var end = Header.length

    /// Reads `message`; nil when any part of it is malformed.
    public init?(_ message: Span<UInt8>) {
        guard let header = Header(message) else { return nil }
        var cursor = MessageCursor()
        var owner = NameBuffer()
        var scratch = NameBuffer()
        questionCount = Int(header.questionCount)
        for _ in 0..<header.questionCount {
            let question = cursor.readQuestion(message, into: &owner)
            guard cursor.isValid else { return nil }
            entries.append(
                Entry(
                    owner: owner.domainName, type: question.type, recordClass: question.recordClass, ttl: 0, digest: 0))
        }
        let count = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
        for _ in 0..<count {
            let view = cursor.readRecord(message, owner: &owner)
            guard cursor.isValid,
                case .success(let digest) = RecordData.check(
                    view.type, message, view.dataOffset..<view.end, name: &scratch)
            else { return nil }
            views.append(view)
            entries.append(
                Entry(
                    owner: owner.domainName, type: view.type, recordClass: view.recordClass, ttl: view.rawTTL,
                    digest: digest))
        }
        end = cursor.offset
    }

    /// Where the records are is not what they are.
    public static func == (left: Sections, right: Sections) -> Bool {
        left.entries == right.entries && left.questionCount == right.questionCount
    }
}
