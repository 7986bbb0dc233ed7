import NIOCore

/// Cuts a stream into messages, each behind its length in two bytes (RFC 1035, section 4.2.2).
struct StreamMessageDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            buffer.readableBytes >= 2 + Int(length)
        else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 2)
        guard let message = buffer.readSlice(length: Int(length)) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(message))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) -> DecodingState {
        decode(context: context, buffer: &buffer)
    }
}

extension ByteBuffer {
    /// `message` behind its length, in one buffer, so that both leave in one segment (RFC 7766, section 8).
    init(framing message: [UInt8], allocator: ByteBufferAllocator) {
        self = allocator.buffer(capacity: 2 + message.count)
        writeInteger(UInt16(truncatingIfNeeded: message.count))
        writeBytes(message)
    }
}
