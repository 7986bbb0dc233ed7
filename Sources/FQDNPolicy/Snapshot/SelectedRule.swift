/// A policy that selects a name for learning, with the ports that its addresses are opened for.
public struct SelectedRule: Hashable, Sendable, Codable {
    /// A port or a range of ports.
    public struct Port: Hashable, Sendable, Codable, Comparable {
        /// The first port; 0 is every port.
        public let port: UInt16
        /// The last port; nil for a single one, and for every port.
        public let endPort: UInt16?
        /// The protocol in upper case; `ANY` for all.
        public let `protocol`: String

        /// A port from its parts.
        public init(port: UInt16, endPort: UInt16? = nil, protocol: String) {
            self.port = port
            self.endPort = endPort
            self.protocol = `protocol`
        }

        /// The form that documents have for a range.
        init(_ range: PortRange) {
            let isAll = range.low == 0 && range.high == .max
            port = range.low
            endPort = isAll || range.high == range.low ? nil : range.high
            self.protocol = range.protocol
        }

        /// By number, then end, then protocol.
        public static func < (left: Port, right: Port) -> Bool {
            (left.port, left.endPort ?? left.port, left.protocol)
                < (right.port, right.endPort ?? right.port, right.protocol)
        }
    }

    /// `namespace/name`, or the name of a clusterwide policy.
    public let policy: String
    /// The ports, in order, without duplicates.
    public let ports: [Port]

    /// A rule from its parts.
    public init(policy: String, ports: [Port]) {
        self.policy = policy
        self.ports = ports
    }
}

extension SelectedRule.Port: CustomStringConvertible {
    /// `443/TCP`, `8000-8999/TCP`, `any port/ANY`.
    public var description: String {
        port == 0 && endPort == nil
            ? "any port/\(self.protocol)" : "\(port)\(endPort.map { "-\($0)" } ?? "")/\(self.protocol)"
    }
}
