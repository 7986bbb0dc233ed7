internal import DNSWire

extension FeedEvent {
    /// Appends the event as one line, newline included.
    public func encode(into bytes: inout [UInt8]) {
        var writer = LineWriter()
        writer.line(self)
        bytes.append(contentsOf: writer.bytes)
    }

    /// The event as one line, newline included.
    public var line: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }
}

extension LineWriter {
    /// Writes an event and a newline.
    mutating func line(_ event: borrowing FeedEvent) {
        switch event {
        case .hello(let hello):
            raw(#"{"event":"hello","protocol":"#)
            string(hello.feedProtocol)
            raw(#","instance":"#)
            string(hello.instance)
            raw(#","seq":"#)
            number(hello.sequence)
            if let clock = hello.clock {
                raw(#","clock":{"boot":"#)
                string(clock.boot)
                raw(#","offset":"#)
                seconds(clock.offset)
                raw(UInt8(ascii: "}"))
            }
        case .snapshotBegin(let mark):
            raw(#"{"event":"snapshot-begin""#)
            self.mark(mark)
        case .snapshotEnd(let mark):
            raw(#"{"event":"snapshot-end""#)
            self.mark(mark)
        case .identity(let identity): self.identity(identity)
        case .upsert(let upsert): self.upsert(upsert)
        case .delete(let delete): self.delete(delete)
        case .ping(let sequence):
            raw(#"{"event":"ping","seq":"#)
            number(sequence)
        case .lagging(let sequence):
            raw(#"{"event":"lagging","seq":"#)
            number(sequence)
        case .error(let reason):
            raw(#"{"event":"error","reason":"#)
            string(reason)
        }
        raw("}\n")
    }

    /// Writes the fields of a snapshot's beginning or end.
    private mutating func mark(_ mark: SnapshotMark) {
        raw(#","seq":"#)
        number(mark.sequence)
        raw(#","count":"#)
        number(mark.count)
    }

    /// Writes an identity, without the closing brace.
    private mutating func identity(_ identity: FeedIdentity) {
        raw(#"{"event":"identity","seq":"#)
        number(identity.sequence)
        raw(#","id":"#)
        number(identity.id)
        raw(#","name":"#)
        string(identity.name)
        raw(#","namespace":"#)
        string(identity.namespace)
        raw(#","labels":"#)
        strings(identity.labels)
        raw(#","addresses":["#)
        for index in identity.addresses.indices {
            if index > 0 { raw(UInt8(ascii: ",")) }
            prefix(identity.addresses[index])
        }
        raw(UInt8(ascii: "]"))
        if identity.isRemoved { raw(#","removed":true"#) }
    }

    /// Writes an upsert, without the closing brace.
    private mutating func upsert(_ upsert: MappingUpsert) {
        raw(#"{"event":"upsert","seq":"#)
        number(upsert.sequence)
        raw(#","identity":"#)
        number(upsert.identity)
        raw(#","client":"#)
        address(upsert.client)
        raw(#","name":"#)
        name(upsert.name)
        raw(#","chain":["#)
        for index in upsert.chain.indices {
            if index > 0 { raw(UInt8(ascii: ",")) }
            name(upsert.chain[index])
        }
        raw(#"],"addresses":["#)
        for index in upsert.addresses.indices {
            let address = upsert.addresses[index]
            if index > 0 { raw(UInt8(ascii: ",")) }
            raw(#"{"ip":"#)
            self.address(address.ip)
            raw(#","ttl":"#)
            number(UInt64(address.ttl))
            raw(#","expires":"#)
            seconds(address.expires)
            raw(UInt8(ascii: "}"))
        }
        raw(#"],"rules":["#)
        for index in upsert.rules.indices {
            if index > 0 { raw(UInt8(ascii: ",")) }
            rule(upsert.rules[index])
        }
        raw(#"],"source":"#)
        string(upsert.source.rawValue)
    }

    /// Writes a rule.
    private mutating func rule(_ rule: MappingRule) {
        raw(#"{"policy":"#)
        string(rule.policy)
        raw(#","ports":["#)
        for index in rule.ports.indices {
            let port = rule.ports[index]
            if index > 0 { raw(UInt8(ascii: ",")) }
            raw(#"{"port":"#)
            number(UInt64(port.port))
            if let endPort = port.endPort {
                raw(#","endPort":"#)
                number(UInt64(endPort))
            }
            raw(#","protocol":"#)
            string(port.transport.rawValue)
            raw(UInt8(ascii: "}"))
        }
        raw("]}")
    }

    /// Writes a delete, without the closing brace.
    private mutating func delete(_ delete: MappingDelete) {
        raw(#"{"event":"delete","seq":"#)
        number(delete.sequence)
        raw(#","identity":"#)
        number(delete.identity)
        raw(#","name":"#)
        name(delete.name)
        raw(#","addresses":"#)
        addresses(delete.addresses)
        raw(#","reason":"#)
        string(delete.reason.rawValue)
    }

    /// Writes an array of addresses.
    mutating func addresses(_ addresses: [IPAddress]) {
        raw(UInt8(ascii: "["))
        for index in addresses.indices {
            if index > 0 { raw(UInt8(ascii: ",")) }
            address(addresses[index])
        }
        raw(UInt8(ascii: "]"))
    }

    /// Writes an object of strings, its keys in order so that equal values give equal lines.
    mutating func strings(_ values: [String: String]) {
        raw(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            if !isFirst { raw(UInt8(ascii: ",")) }
            isFirst = false
            string(key)
            raw(UInt8(ascii: ":"))
            string(value)
        }
        raw(UInt8(ascii: "}"))
    }
}
