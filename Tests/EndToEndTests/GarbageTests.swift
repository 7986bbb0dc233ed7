import Foundation
import Testing

extension EndToEnd {
    /// Any bytes get a correct error or silence, and the daemon lives on.
    @Suite struct Garbage {
        /// A daemon with a local name, which any client may ask for.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone
            return try Daemon(setup)
        }

        /// Whether an honest question over UDP and TCP is answered.
        private static func isAlive(_ daemon: Daemon) throws -> Bool {
            try daemon.process.poll() == nil
                && ["+notcp", "+tcp"].allSatisfy {
                    try daemon.dig("api.local.example \($0)").addresses == ["192.0.2.10"]
                }
        }

        /// Valid queries with some bytes changed, cut or added.
        private static func mutated(_ random: inout SplitMix64) -> [UInt8] {
            let names = ["api.local.example", "x.local.example", "a.b.c.d.e.f.example", "."]
            var bytes = DNSClient.query(
                names.randomElement(using: &random) ?? ".", UInt16.random(in: 0...260, using: &random))
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                guard !bytes.isEmpty else { break }
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes[place] = [0x00, 0x3F, 0x40, 0xC0, 0xFF].randomElement(using: &random) ?? 0
                case 2: bytes.removeSubrange(place...)
                case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                default: bytes += bytes[place...]
                }
            }
            return bytes
        }

        /// Any bytes at all, up to a full datagram.
        private static func noise(_ random: inout SplitMix64) -> [UInt8] {
            let count = Int.random(in: 0..<20, using: &random) == 0 ? 9_000 : 120
            return (0..<Int.random(in: 1...count, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
        }

        @Test func `twenty thousand broken datagrams get well-formed errors or silence`() throws {
            let daemon = try Garbage.daemon()
            var random = SplitMix64(state: 20_000)
            let client = try daemon.client()
            var answers = 0
            for round in 0..<20_000 {
                let bytes = round % 2 == 0 ? Garbage.mutated(&random) : Garbage.noise(&random)
                client.send(bytes)
                // In step, so that neither socket buffer overflows and every packet is really read.
                guard round % 50 == 49 else { continue }
                client.ask("api.local.example", id: 0x7777)
                var isInStep = false
                while !isInStep {
                    let answer = try #require(client.answer(), "silent after packet \(round): \(daemon.process.errors)")
                    answers += 1
                    #expect(answer.isResponse)
                    #expect(answer.bytes.count <= 1_232)
                    isInStep = answer.id == 0x7777 && answer.code == 0 && answer.answerCount == 1
                }
            }
            #expect(answers > 400)
            #expect(try Garbage.isAlive(daemon))
        }

        @Test func `broken messages over TCP end at most their own connection`() throws {
            let daemon = try Garbage.daemon()
            var random = SplitMix64(state: 5)
            for round in 0..<300 {
                let endpoint = Endpoint("127.0.0.1", daemon.port)
                let socket = try endpoint.socket(SOCK_STREAM)
                #expect(endpoint.connect(socket))
                let body = round % 2 == 0 ? Garbage.mutated(&random) : Garbage.noise(&random)
                // The length is right, too long, too short, or missing.
                let length = [body.count, body.count + 40, body.count / 2, 0].randomElement(using: &random) ?? 0
                let prefix = round % 5 == 0 ? [] : [UInt8(length >> 8), UInt8(length & 0xFF)]
                socket.send(prefix + body)
                if round % 3 == 0 {
                    // Without this the daemon would rightly wait for the rest.
                    shutdown(socket.descriptor, Int32(SHUT_WR))
                    socket.setTimeout(.milliseconds(50))
                    _ = socket.receive()
                }
            }
            #expect(try Garbage.isAlive(daemon))
        }

        @Test func `questions in one-byte segments and many in one segment are all answered`() throws {
            let daemon = try Garbage.daemon()
            let endpoint = Endpoint("127.0.0.1", daemon.port)
            let socket = try endpoint.socket(SOCK_STREAM)
            #expect(endpoint.connect(socket))
            socket.setTimeout(.seconds(10))
            socket.set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
            /// A query with its length before it.
            func framed(_ id: UInt16) -> [UInt8] {
                let query = DNSClient.query("api.local.example", 1, id: id)
                return [UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query
            }
            for byte in framed(1) { socket.send([byte]) }
            socket.send((2...20).flatMap { framed($0) })
            var received: [UInt8] = []
            var identifiers: Set<Int> = []
            while identifiers.count < 20 {
                received += try #require(socket.receive(), "only \(identifiers) were answered")
                while received.count >= 2, received.count >= 2 + Int(received[0]) << 8 + Int(received[1]) {
                    let length = Int(received[0]) << 8 + Int(received[1])
                    identifiers.insert(Int(received[2]) << 8 + Int(received[3]))
                    #expect(received[5] & 0xF == 0)
                    received.removeFirst(2 + length)
                }
            }
            #expect(identifiers == Set(1...20))
        }

        @Test func `queries that no server answers get the error that the RFCs have for them`() throws {
            let daemon = try Garbage.daemon()
            let client = try daemon.client()
            let good = DNSClient.query("api.local.example")
            /// The response code to `bytes`; nil for silence.
            func code(_ bytes: [UInt8]) -> Int? {
                client.send(bytes)
                return client.answer(within: .milliseconds(300))?.code
            }
            /// `good` with one byte of its header changed.
            func header(_ index: Int, _ value: UInt8) -> [UInt8] {
                var bytes = good
                bytes[index] = value
                return bytes
            }
            #expect(code(good) == 0)
            #expect(code(header(2, 0x81)) == nil, "a response is no question")
            #expect(code(Array(good.prefix(11))) == nil, "shorter than a header")
            #expect(code(header(2, 0x21)) == 4, "NOTIFY: NOTIMP")
            #expect(code(header(2, 0x29)) == 4, "UPDATE: NOTIMP")
            #expect(code(header(5, 2)) == 1, "two questions: FORMERR")
            #expect(code(header(5, 0)) == 1, "no question: FORMERR")
            #expect(code(Array(good.prefix(20))) == 1, "a cut name: FORMERR")
            let opt = Array(good.suffix(11))
            #expect(code(header(11, 2) + opt) == 1, "two OPT records: FORMERR")
            var version = good
            version[good.count - 5] = 1
            client.send(version)
            let answer = try #require(client.answer())
            // BADVERS is 16: the lower four bits are in the header, the upper ones begin the OPT record's TTL.
            #expect(answer.code == 0 && answer.bytes.suffix(6).first == 1)
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated (Steele, Lea and Flood, 2014).
struct SplitMix64: RandomNumberGenerator {
    /// The state; any number will do.
    var state: UInt64

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
