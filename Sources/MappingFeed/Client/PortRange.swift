/// Ports of one transport that follow each other.
public struct PortRange: Hashable, Sendable, Comparable {
    /// The transport: TCP, UDP or SCTP.
    public var transport: MappingTransport
    /// The first port.
    public var first: UInt16
    /// The last port; the same as the first for a single one.
    public var last: UInt16

    /// The ports from `first` to `last`.
    public init(transport: MappingTransport, first: UInt16, last: UInt16) {
        self.transport = transport
        self.first = first
        self.last = last
    }

    /// Whether it is one port.
    public var isSingle: Bool { first == last }

    /// Whether it is every port of its transport.
    public var isWhole: Bool { first == 0 && last == .max }

    /// What an entry of a rule opens: port 0 without an end is every port, `any` is each of the three transports.
    static func ranges(of port: MappingPort) -> [PortRange] {
        let last = port.endPort ?? (port.port == 0 ? .max : port.port)
        guard port.port <= last else { return [] }
        let transports: [MappingTransport] = port.transport == .any ? [.tcp, .udp, .sctp] : [port.transport]
        return transports.map { PortRange(transport: $0, first: port.port, last: last) }
    }

    /// The order in a set: by transport, then by first port.
    public static func < (left: PortRange, right: PortRange) -> Bool {
        (left.transport.rawValue, left.first, left.last) < (right.transport.rawValue, right.first, right.last)
    }
}
