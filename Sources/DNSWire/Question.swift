/// What is asked, without the name, which is in the `NameBuffer` it was read into (RFC 1035, section 4.1.2).
public struct Question: Equatable, Sendable {
    /// The type asked for.
    public var type: RecordType
    /// The class asked for.
    public var recordClass: RecordClass
    /// Offset of the first byte behind the question.
    public var end: Int

    /// A question that ends at `end`.
    public init(type: RecordType, recordClass: RecordClass, end: Int) {
        self.type = type
        self.recordClass = recordClass
        self.end = end
    }
}
