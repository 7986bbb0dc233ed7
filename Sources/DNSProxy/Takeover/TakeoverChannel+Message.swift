import CLinux
import DNSWire
import FQDNPolicy

extension TakeoverChannel.Message {
    /// A word that tells messages apart; none is the beginning of another.
    private enum Word: String, CaseIterable {
        /// See the message of the same name.
        case hello, sockets, all, ready, query, yours, serving, refused
    }

    /// The message as bytes: a word, a space, and what there is to say.
    var bytes: [UInt8] {
        switch self {
        case .hello(let version): TakeoverChannel.Message.bytes(.hello, Array("\(version)".utf8))
        case .sockets: TakeoverChannel.Message.bytes(.sockets)
        case .allSockets: TakeoverChannel.Message.bytes(.all)
        case .ready: TakeoverChannel.Message.bytes(.ready)
        case .query(let query): TakeoverChannel.Message.bytes(.query, query.bytes)
        case .yours: TakeoverChannel.Message.bytes(.yours)
        case .serving: TakeoverChannel.Message.bytes(.serving)
        case .refused(let reason): TakeoverChannel.Message.bytes(.refused, Array(reason.utf8.prefix(1_000)))
        }
    }

    /// Reads a message; nil for what is none.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
            let word = Word(rawValue: String(decoding: bytes[..<space], as: UTF8.self))
        else { return nil }
        let rest = bytes[(space + 1)...]
        switch word {
        case .hello:
            guard let version = Int(String(decoding: rest, as: UTF8.self)) else { return nil }
            self = .hello(version: version)
        case .sockets: self = .sockets
        case .all: self = .allSockets
        case .ready: self = .ready
        case .query:
            guard let query = LeftQuery(rest) else { return nil }
            self = .query(query)
        case .yours: self = .yours
        case .serving: self = .serving
        case .refused: self = .refused(String(decoding: rest, as: UTF8.self))
        }
    }

    /// A word and what follows it.
    private static func bytes(_ word: Word, _ rest: [UInt8] = []) -> [UInt8] {
        Array(word.rawValue.utf8) + [UInt8(ascii: " ")] + rest
    }
}
