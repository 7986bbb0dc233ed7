internal import NIOCore

/// Cuts bytes that arrive in any portions into lines.
struct LineBuffer {
    /// Bytes of lines that were not taken yet.
    private var bytes: [UInt8] = []
    /// Where the first of them begins.
    private var start = 0
    /// Up to where there is no newline.
    private var searched = 0

    /// Nothing yet.
    init() {}

    /// Takes bytes.
    mutating func append(_ buffer: ByteBuffer) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: buffer.readableBytesView)
    }

    /// Bytes of the line that is not whole yet.
    var pending: Int { bytes.count - start }

    /// Takes a whole line, without its newline; nil if there is none.
    mutating func next() -> ArraySlice<UInt8>? {
        while searched < bytes.count {
            let index = searched
            searched += 1
            if bytes[index] == 0x0A {
                let line = bytes[start..<index]
                start = index + 1
                return line
            }
        }
        return nil
    }
}
