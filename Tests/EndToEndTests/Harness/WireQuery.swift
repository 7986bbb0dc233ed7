/// A query of which a test says every part, right or wrong.
struct WireQuery: Sendable {
    /// An OPT record.
    struct OPT: Sendable {
        /// The payload size that is offered.
        var payload: UInt16 = 1_232
        /// The upper bits of a response code, which no query has.
        var code: UInt8 = 0
        /// The version of EDNS.
        var version: UInt8 = 0
        /// DO and the bits that mean nothing.
        var flags: UInt16 = 0
        /// The options.
        var options: [UInt8] = []

        /// All of the record.
        var bytes: [UInt8] {
            var bytes: [UInt8] = [0, 0, 41]
            bytes += [UInt8](wide: payload)
            bytes += [code, version]
            bytes += [UInt8](wide: flags)
            bytes += [UInt8](wide: UInt16(options.count))
            return bytes + options
        }

        /// An option.
        static func option(_ code: UInt16, _ data: [UInt8] = []) -> [UInt8] {
            [UInt8](wide: code) + [UInt8](wide: UInt16(data.count)) + data
        }
    }

    /// The name, without a dot at its end.
    var name: String
    /// The type.
    var type: UInt16 = 1
    /// The class.
    var recordClass: UInt16 = 1
    /// The ID.
    var id: UInt16 = 0x4D2A
    /// The flags; RD by default.
    var flags: UInt16 = 0x0100
    /// How often the question is there.
    var questions = 1
    /// What the header says about questions, answers and authorities, where that is not true.
    var counts: [UInt16]?
    /// The OPT records.
    var opts = [OPT()]

    /// A query for `name`.
    init(_ name: String, type: UInt16 = 1, flags: UInt16 = 0x0100) {
        self.name = name
        self.type = type
        self.flags = flags
    }

    /// A query without OPT record.
    static func plain(_ name: String, type: UInt16 = 1, flags: UInt16 = 0x0100) -> WireQuery {
        var query = WireQuery(name, type: type, flags: flags)
        query.opts = []
        return query
    }

    /// The same with another OPT record.
    func with(_ opt: OPT) -> WireQuery {
        var query = self
        query.opts = [opt]
        return query
    }

    /// The question.
    var question: [UInt8] { [UInt8](name: name) + [UInt8](wide: type) + [UInt8](wide: recordClass) }

    /// All of the message.
    var bytes: [UInt8] {
        var words: [UInt16] = [id, flags]
        words += counts ?? [UInt16(questions), 0, 0]
        words.append(UInt16(opts.count))
        var message = words.flatMap { [UInt8](wide: $0) }
        for _ in 0..<questions { message += question }
        for opt in opts { message += opt.bytes }
        return message
    }
}

extension [UInt8] {
    /// A number of 16 bits in network order.
    init(wide value: UInt16) { self = [UInt8(value >> 8), UInt8(value & 0xFF)] }

    /// A name in wire form; the empty one is the root.
    init(name: String) {
        self = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// A record in wire form, right or wrong: by default an A record of the name that was asked, whose owner is a
    /// pointer at the question; `length` is said to be the length of its data.
    init(
        owner: [UInt8] = [0xC0, 12], type: UInt16 = 1, recordClass: UInt16 = 1, ttl: UInt16 = 60, length: Int? = nil,
        data: [UInt8]
    ) {
        self = owner + [UInt8](wide: type) + [UInt8](wide: recordClass) + [0, 0] + [UInt8](wide: ttl)
        self += [UInt8](wide: UInt16(length ?? data.count)) + data
    }
}

extension Daemon {
    /// How a client speaks to the daemon.
    enum Transport: CaseIterable, Sendable {
        /// Datagrams.
        case udp
        /// A connection.
        case tcp
    }

    /// Sends `message` from a port of its own and takes what comes back apart; nil for silence, or when the connection
    /// is closed.
    /// - Throws: `HarnessError` when what comes back is no message.
    func exchange(
        _ message: [UInt8], over transport: Transport = .udp, source: String? = nil,
        within limit: Duration = .seconds(10)
    ) throws -> WireMessage? {
        let bytes: [UInt8]?
        switch transport {
        case .udp:
            let client = try client(source: source)
            client.send(message)
            bytes = client.answer(within: limit)?.bytes
        case .tcp:
            let client = try StreamClient(port: port, source: source)
            client.send(message)
            bytes = client.message(within: limit)
        }
        guard let bytes else { return nil }
        guard let answer = WireMessage(bytes) else { throw HarnessError("no message: \(bytes)") }
        return answer
    }

    /// Asks `query`, and checks what holds for every response: its ID, QR and opcode, and that nothing but our own OPT
    /// record is in the additional section, if the query had one.
    /// - Throws: `HarnessError` for silence, and for a response of which that does not hold.
    func ask(
        _ query: WireQuery, over transport: Transport = .udp, source: String? = nil,
        within limit: Duration = .seconds(10)
    ) throws -> WireMessage {
        guard let answer = try exchange(query.bytes, over: transport, source: source, within: limit) else {
            throw HarnessError("no answer to \(query.name)")
        }
        guard answer.id == query.id, answer.isResponse, answer.opcode == query.flags >> 11 & 0xF,
            answer.additionals.count == (query.opts.isEmpty ? 0 : 1)
        else { throw HarnessError("no answer to \(query.name): \(answer.bytes)") }
        if let opt = answer.opt {
            guard opt.owner == ".", opt.recordClass == 1_232, opt.ttl & 0x00FF_7FFF == 0 else {
                throw HarnessError("a wrong OPT record: \(answer.bytes)")
            }
        }
        return answer
    }
}
