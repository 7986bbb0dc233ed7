/// What became of a question that was sent over a connection.
enum StreamAnswer: Sendable {
    /// The response, under the ID of the question.
    case message([UInt8])
    /// There was no connection, or it ended.
    case failed
    /// The server could not prove that it is who it should be (RFC 8310, section 8).
    case untrusted
}
