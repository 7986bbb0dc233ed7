/// Takes decisions from an input, front to back, so that the fuzzer steers them; 0 when it is used up.
public struct Choices {
    /// Offset of the next byte.
    public private(set) var offset = 0

    /// Decisions from the start of an input.
    public init() {}

    /// The next byte.
    public mutating func byte(_ input: Span<UInt8>) -> UInt8 {
        guard offset < input.count else { return 0 }
        defer { offset += 1 }
        return input[offset]
    }

    /// The next two bytes, as one number.
    public mutating func word(_ input: Span<UInt8>) -> UInt16 {
        UInt16(byte(input)) << 8 | UInt16(byte(input))
    }

    /// The next `count` bytes, or as many as there are.
    public mutating func bytes(_ count: Int, _ input: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<min(count, input.count - offset) { bytes.append(byte(input)) }
        return bytes
    }

    /// Whether nothing is left.
    public func isUsedUp(_ input: Span<UInt8>) -> Bool { offset >= input.count }
}
