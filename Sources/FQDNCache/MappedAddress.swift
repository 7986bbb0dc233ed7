/// An address as the mapping table holds it.
public struct MappedAddress: Hashable, Sendable {
    /// What was learned.
    public var learned: LearnedAddress
    /// The sequence number of the event that published it last; an enforcer that acknowledged that has it in force.
    /// `unconfirmed` when one said that it has not.
    public var sequence: UInt64

    /// The sequence number that nobody ever acknowledges.
    public static let unconfirmed = UInt64.max

    /// Joins an address and the number of its event.
    @inlinable
    public init(_ learned: LearnedAddress, sequence: UInt64) {
        self.learned = learned
        self.sequence = sequence
    }

    /// Whether waiting for `sequence` can succeed.
    @inlinable
    public var isConfirmable: Bool { sequence != MappedAddress.unconfirmed }
}
