package import DNSWire

/// A live connection, as connection tracking has it.
package struct Connection: Hashable, Sendable {
    /// Who opened it.
    package var source: IPAddress
    /// Where it was opened to.
    package var destination: IPAddress
    /// Who answers: another address than `destination` where the destination is translated on the way (NAT).
    package var responder: IPAddress

    /// A connection from `source`.
    package init(source: IPAddress, destination: IPAddress, responder: IPAddress) {
        self.source = source
        self.destination = destination
        self.responder = responder
    }

    /// The far ends that an opening may be for, without repetition.
    package var destinations: [IPAddress] { destination == responder ? [destination] : [destination, responder] }
}
