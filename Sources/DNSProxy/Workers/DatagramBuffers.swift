import CLinux
import DNSWire
import Glibc

/// The memory of one batch of datagrams, allocated once: payloads, peer addresses, control data, and the headers
/// that point at them. Between batches only lengths are written anew.
@safe struct DatagramBuffers: ~Copyable {
    /// Datagrams of one batch.
    let count: Int
    /// Bytes of one payload.
    let payloadSize: Int
    /// Payloads, one behind the other.
    private let payloads: UnsafeMutablePointer<UInt8>
    /// Peers.
    private let names: UnsafeMutablePointer<sockaddr_in6>
    /// Control data, aligned for `cmsghdr`.
    private let controls: UnsafeMutableRawPointer
    /// One scatter entry a datagram.
    private let vectors: UnsafeMutablePointer<iovec>
    /// What `recvmmsg` and `sendmmsg` work on.
    private let headers: UnsafeMutablePointer<mmsghdr>
    /// Headers, from the first on, that are not as `recvmmsg` wants them.
    private var used: Int
    /// Whether the others have room for control data.
    private var takesControl = false

    /// Bytes of control data a datagram.
    private static let controlSize = Int(CLINUX_CONTROL_SIZE)

    /// Room for `count` datagrams of `payloadSize` bytes.
    init(count: Int, payloadSize: Int) {
        self.count = count
        self.payloadSize = payloadSize
        used = count
        // Zeroed by the kernel as it is touched: most batches are small, and most datagrams too.
        guard let room = unsafe calloc(count, payloadSize) else { preconditionFailure("no memory for datagrams") }
        unsafe payloads = room.bindMemory(to: UInt8.self, capacity: count * payloadSize)
        unsafe names = .allocate(capacity: count)
        unsafe names.initialize(repeating: sockaddr_in6(), count: count)
        unsafe controls = .allocate(byteCount: count * DatagramBuffers.controlSize, alignment: 16)
        unsafe controls.initializeMemory(as: UInt8.self, repeating: 0, count: count * DatagramBuffers.controlSize)
        unsafe vectors = .allocate(capacity: count)
        unsafe headers = .allocate(capacity: count)
        for index in 0..<count {
            let vector = unsafe iovec(iov_base: payloads + index * payloadSize, iov_len: payloadSize)
            unsafe vectors.advanced(by: index).initialize(to: vector)
            var header = unsafe mmsghdr()
            unsafe header.msg_hdr.msg_name = UnsafeMutableRawPointer(names + index)
            unsafe header.msg_hdr.msg_iov = vectors + index
            unsafe header.msg_hdr.msg_iovlen = 1
            unsafe headers.advanced(by: index).initialize(to: header)
        }
    }

    deinit {
        unsafe free(payloads)
        unsafe names.deallocate()
        unsafe controls.deallocate()
        unsafe vectors.deallocate()
        unsafe headers.deallocate()
    }

    /// Calls `body` with the first `length` bytes of the payload at `index`.
    @inline(__always)
    func withPayload<R>(_ index: Int, length: Int, _ body: (Span<UInt8>) -> R) -> R {
        body(unsafe UnsafeBufferPointer(start: payloads + index * payloadSize, count: length).span)
    }

    /// Calls `body` with the whole payload at `index`, to write.
    @inline(__always)
    func withMutablePayload<R>(_ index: Int, _ body: (inout MutableSpan<UInt8>) -> R) -> R {
        let buffer = unsafe UnsafeMutableBufferPointer(start: payloads + index * payloadSize, count: payloadSize)
        var span = unsafe buffer.mutableSpan
        return body(&span)
    }

    /// Receives what is there, without waiting: the number of datagrams, or the kernel's error number negated.
    /// With `wantsLocalAddress` the control data of each is kept for the reply.
    mutating func receive(from socket: Int32, wantsLocalAddress: Bool) -> Int {
        if takesControl != wantsLocalAddress { used = count }
        takesControl = wantsLocalAddress
        for index in 0..<used {
            unsafe headers[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe headers[index].msg_hdr.msg_control =
                wantsLocalAddress ? controls + index * DatagramBuffers.controlSize : nil
            unsafe headers[index].msg_hdr.msg_controllen = wantsLocalAddress ? DatagramBuffers.controlSize : 0
            unsafe headers[index].msg_hdr.msg_flags = 0
        }
        let received = Int(unsafe recvmmsg(socket, headers, UInt32(count), Int32(MSG_DONTWAIT), nil))
        used = max(received, 0)
        guard received >= 0 else { return -Int(errno) }
        if wantsLocalAddress {
            for index in 0..<received { unsafe clinux_keep_local_address(&headers[index].msg_hdr) }
        }
        return received
    }

    /// Length of the datagram at `index`, or nil when it was longer than a payload holds.
    func length(_ index: Int) -> Int? {
        unsafe headers[index].msg_hdr.msg_flags & Int32(MSG_TRUNC) == 0 ? Int(headers[index].msg_len) : nil
    }

    /// Whose datagram is at `index`: the address, and whether its port can be answered at all.
    func client(_ index: Int) -> (address: IPAddress, port: UInt16) {
        let name = unsafe names[index]
        if name.sin6_family == sa_family_t(AF_INET) {
            return unsafe UnsafeRawPointer(names + index).withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                (
                    IPAddress(ipv4: UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr)),
                    UInt16(bigEndian: name.sin6_port)
                )
            }
        }
        let words = unsafe name.sin6_addr.__in6_u.__u6_addr32
        return (
            IPAddress(
                high: UInt64(UInt32(bigEndian: words.0)) << 32 | UInt64(UInt32(bigEndian: words.1)),
                low: UInt64(UInt32(bigEndian: words.2)) << 32 | UInt64(UInt32(bigEndian: words.3))),
            UInt16(bigEndian: name.sin6_port)
        )
    }

    /// Everything that a later reply to the datagram at `index` needs.
    func sender(_ index: Int, socket: Int) -> Sender {
        var sender = Sender(socket: socket)
        sender.name = unsafe names[index]
        sender.nameLength = unsafe headers[index].msg_hdr.msg_namelen
        sender.controlLength = unsafe Int(headers[index].msg_hdr.msg_controllen)
        for offset in 0..<min(sender.controlLength, DatagramBuffers.controlSize) {
            sender.control[offset] = unsafe controls.load(
                fromByteOffset: index * DatagramBuffers.controlSize + offset, as: UInt8.self)
        }
        return sender
    }

    /// Addresses the datagram at `index` as the reply to the one at `source` of `received`.
    @inline(__always)
    func address(_ index: Int, asReplyTo received: borrowing DatagramBuffers, _ source: Int, length: Int) {
        unsafe names[index] = received.names[source]
        unsafe headers[index].msg_hdr.msg_namelen = received.headers[source].msg_hdr.msg_namelen
        let controlLength = unsafe Int(received.headers[source].msg_hdr.msg_controllen)
        unsafe setControl(index, length: controlLength, from: received.controls + source * DatagramBuffers.controlSize)
        unsafe vectors[index].iov_len = length
    }

    /// Addresses the datagram at `index` to `sender`.
    func address(_ index: Int, to sender: Sender, length: Int) {
        unsafe names[index] = sender.name
        unsafe headers[index].msg_hdr.msg_namelen = sender.nameLength
        let control = sender.control
        unsafe withUnsafeBytes(of: control) {
            unsafe setControl(index, length: sender.controlLength, from: $0.baseAddress)
        }
        unsafe vectors[index].iov_len = length
    }

    /// Copies control data into the place of the datagram at `index`.
    @inline(__always)
    private func setControl(_ index: Int, length: Int, from source: UnsafeRawPointer?) {
        let place = unsafe controls + index * DatagramBuffers.controlSize
        if length > 0, let source = unsafe source { unsafe place.copyMemory(from: source, byteCount: length) }
        unsafe headers[index].msg_hdr.msg_control = length > 0 ? place : nil
        unsafe headers[index].msg_hdr.msg_controllen = length
    }

    /// Sends the first `filled` datagrams in as few calls as the kernel allows and returns how many it did not take.
    func send(_ filled: Int, to socket: Int32) -> Int {
        var sent = 0
        var failed = 0
        while sent < filled {
            let result = unsafe sendmmsg(socket, headers + sent, UInt32(filled - sent), Int32(MSG_DONTWAIT))
            if result > 0 {
                sent += Int(result)
            } else if errno != EINTR {
                // The first of the rest cannot be sent (unreachable peer, full buffer): it is lost, the others are not.
                sent += 1
                failed += 1
            }
        }
        return failed
    }
}
