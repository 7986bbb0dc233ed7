internal import CLDNS
package import DNSWire
internal import Glibc

/// The data of records as text, for listings that people read.
///
/// libldns knows how each type is written. Whatever a server put into a record, the text is printable ASCII: no
/// byte of it can move a cursor or colour a terminal.
package enum RecordText {
    /// The data of the record that begins at `offset` of `message`, names in it decompressed.
    ///
    /// Data that libldns does not understand is written as of an unknown type (RFC 3597, section 5); nil when
    /// there is no whole record at `offset`.
    package static func data(of message: Span<UInt8>, recordAt offset: Int) -> String? {
        var cursor = MessageCursor(offset: offset)
        var owner = NameBuffer()
        let record = cursor.readRecord(message, owner: &owner)
        guard cursor.isValid else { return nil }
        if let text = unsafe message.withUnsafeBufferPointer({ unsafe text($0, at: offset) }) {
            return text
        }
        return unknown(message.extracting(record.dataOffset..<record.end))
    }

    /// The data of a record of `type` that holds no compressed name.
    package static func data(of type: RecordType, _ data: [UInt8]) -> String {
        guard let length = UInt16(exactly: data.count) else { return unknown(data.span) }
        var message: [UInt8] = [0]
        for value in [type.rawValue, RecordClass.in.rawValue, 0, 0, length] {
            message += [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        message += data
        return unsafe message.withUnsafeBufferPointer({ unsafe text($0, at: 0) }) ?? unknown(data.span)
    }

    /// What libldns makes of the record at `offset`, only its data; nil when it does not understand it.
    private static func text(_ message: UnsafeBufferPointer<UInt8>, at offset: Int) -> String? {
        var record: UnsafeMutablePointer<ldns_rr>?
        var position = offset
        guard
            unsafe ldns_wire2rr(&record, message.baseAddress, message.count, &position, LDNS_SECTION_ANSWER)
                == LDNS_STATUS_OK,
            let record = unsafe record
        else { return nil }
        defer { unsafe ldns_rr_free(record) }
        guard let text = unsafe cldns_record_text(record) else { return nil }
        defer { unsafe free(text) }
        let line = unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
        // Owner, TTL, class, type, data: the owner escapes its tabs, so the fifth field is the data.
        let fields = line.split(separator: UInt8(ascii: "\t"), maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5 else { return nil }
        return escape(fields[4])
    }

    /// Printable ASCII as it is, every other byte as `\DDD`, blanks at the end cut off.
    private static func escape(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        let end = bytes.lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
        guard let end else { return text }
        for byte in bytes[...end] {
            if (0x20...0x7E).contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return text
    }

    /// The generic form of data: `\#`, its length and its bytes (RFC 3597, section 5).
    private static func unknown(_ data: Span<UInt8>) -> String {
        var text = "\\# \(data.count)"
        if !data.isEmpty { text += " " }
        for index in data.indices {
            text += String(data[index] >> 4, radix: 16) + String(data[index] & 0xF, radix: 16)
        }
        return text
    }
}
