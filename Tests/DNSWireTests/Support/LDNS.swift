import CLDNS
import DNSWire
import Glibc

/// The second opinion: what libldns makes of the same bytes.
enum LDNS {
    /// A record in its parts, the owner and the data uncompressed.
    struct Record: Equatable {
        var owner: [UInt8]
        var type: RecordType
        var recordClass: UInt16
        var ttl: UInt32
        var data: [UInt8]
    }

    /// A message in its parts.
    struct Message {
        var id: UInt16
        var flags: UInt16
        var question: [Record]
        var answer: [Record]
        var authority: [Record]
        var additional: [Record]
        var hasEDNS: Bool
        var payloadSize: UInt16
        var extendedResponseCode: UInt8
        var dnssecOK: Bool
        var hasTSIG: Bool
    }

    /// Reads one line of a master file.
    static func record(_ text: String) -> Record? {
        var record: UnsafeMutablePointer<ldns_rr>?
        guard ldns_rr_new_frm_str(&record, text, 300, nil, nil) == LDNS_STATUS_OK, let record else { return nil }
        defer { ldns_rr_free(record) }
        return parts(record, isQuestion: false)
    }

    /// The lines of one section of a message (the text of each record), or nil when libldns refuses the message.
    static func text(_ message: [UInt8]) -> (answer: [String], authority: [String], additional: [String])? {
        var packet: UnsafeMutablePointer<ldns_pkt>?
        guard ldns_wire2pkt(&packet, message, message.count) == LDNS_STATUS_OK, let packet else { return nil }
        defer { ldns_pkt_free(packet) }
        return (
            lines(ldns_pkt_answer(packet)), lines(ldns_pkt_authority(packet)), lines(ldns_pkt_additional(packet))
        )
    }

    /// Reads a message.
    static func message(_ bytes: [UInt8]) -> Message? {
        var packet: UnsafeMutablePointer<ldns_pkt>?
        guard ldns_wire2pkt(&packet, bytes, bytes.count) == LDNS_STATUS_OK, let packet else { return nil }
        defer { ldns_pkt_free(packet) }
        var flags: UInt16 = 0
        if ldns_pkt_qr(packet) != 0 { flags |= 0x8000 }
        flags |= UInt16(ldns_pkt_get_opcode(packet).rawValue) << 11
        if ldns_pkt_aa(packet) != 0 { flags |= 0x0400 }
        if ldns_pkt_tc(packet) != 0 { flags |= 0x0200 }
        if ldns_pkt_rd(packet) != 0 { flags |= 0x0100 }
        if ldns_pkt_ra(packet) != 0 { flags |= 0x0080 }
        if ldns_pkt_ad(packet) != 0 { flags |= 0x0020 }
        if ldns_pkt_cd(packet) != 0 { flags |= 0x0010 }
        flags |= UInt16(ldns_pkt_get_rcode(packet).rawValue & 0xF)
        return Message(
            id: ldns_pkt_id(packet), flags: flags,
            question: records(ldns_pkt_question(packet), isQuestion: true),
            answer: records(ldns_pkt_answer(packet)), authority: records(ldns_pkt_authority(packet)),
            additional: records(ldns_pkt_additional(packet)), hasEDNS: ldns_pkt_edns(packet) != 0,
            payloadSize: ldns_pkt_edns_udp_size(packet), extendedResponseCode: ldns_pkt_edns_extended_rcode(packet),
            dnssecOK: ldns_pkt_edns_do(packet) != 0, hasTSIG: ldns_pkt_tsig(packet) != nil)
    }

    /// Whether libldns has an idea of what the data of `type` looks like.
    static func knows(_ type: RecordType) -> Bool {
        guard let descriptor = ldns_rr_descript(type.rawValue) else { return false }
        return descriptor.pointee._type.rawValue == UInt32(type.rawValue)
    }

    /// The text of each record of a list, blanks made single.
    private static func lines(_ list: UnsafeMutablePointer<ldns_rr_list>?) -> [String] {
        (0..<ldns_rr_list_rr_count(list)).map { index in
            guard let text = ldns_rr2str(ldns_rr_list_rr(list, index)) else { return "" }
            defer { free(text) }
            return String(cString: text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// The records of a list.
    private static func records(_ list: UnsafeMutablePointer<ldns_rr_list>?, isQuestion: Bool = false) -> [Record] {
        (0..<ldns_rr_list_rr_count(list)).compactMap { index in
            ldns_rr_list_rr(list, index).flatMap { parts($0, isQuestion: isQuestion) }
        }
    }

    /// The parts of a record.
    private static func parts(_ record: UnsafeMutablePointer<ldns_rr>, isQuestion: Bool) -> Record? {
        guard let owner = ldns_rr_owner(record) else { return nil }
        var data: [UInt8] = []
        if !isQuestion {
            for index in 0..<ldns_rr_rd_count(record) {
                guard let field = ldns_rr_rdf(record, index) else { return nil }
                data += bytes(field)
            }
        }
        return Record(
            owner: bytes(owner), type: RecordType(rawValue: UInt16(ldns_rr_get_type(record).rawValue)),
            recordClass: UInt16(ldns_rr_get_class(record).rawValue), ttl: isQuestion ? 0 : ldns_rr_ttl(record),
            data: data)
    }

    /// The bytes of a field.
    private static func bytes(_ field: UnsafePointer<ldns_rdf>) -> [UInt8] {
        guard let start = ldns_rdf_data(field) else { return [] }
        return Array(UnsafeBufferPointer(start: start, count: ldns_rdf_size(field)))
    }
}
