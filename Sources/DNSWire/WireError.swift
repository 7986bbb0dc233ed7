/// Why bytes are not what they claim to be. Carries no payload; ask the cursor for the offset.
public enum WireError: Error, Equatable, Sendable, CaseIterable {
    /// The message ends inside a field.
    case truncated
    /// A label of the reserved types 01 or 10 (RFC 1035, section 4.1.4; RFC 6891, section 5).
    case badLabelType
    /// A compression pointer that does not point strictly backward, or stands where none may be.
    case badPointer
    /// A name of more than 255 bytes (RFC 1035, section 2.3.4).
    case nameTooLong
    /// Record data whose length disagrees with its type.
    case badDataLength
    /// Bytes behind the last record that the header counts.
    case trailingBytes
    /// A malformed OPT record or option (RFC 6891, section 6.1), or more than one OPT.
    case badOption
    /// More records than a message of that length can hold or than we take.
    case tooManyRecords
    /// The output buffer is too small for the message.
    case noRoom
}
