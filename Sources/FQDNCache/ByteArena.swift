internal import Glibc

/// A fixed region of zeroed bytes, taken from the system as it is touched, with every access checked against its
/// bounds.
///
/// The only file of this module that handles memory by address; the checks below are what makes it safe.
@safe struct ByteArena: ~Copyable, @unchecked Sendable {
    /// The first byte of the region.
    private let base: UnsafeMutableRawPointer
    /// Bytes in the region.
    let count: Int

    /// Maps a region of `count` bytes, at least one; nil if there is no address space for it.
    init?(count: Int) {
        guard count > 0 else { return nil }
        let address = unsafe mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return nil }
        unsafe base = address
        self.count = count
    }

    /// Gives the region back to the system.
    deinit {
        unsafe munmap(base, count)
    }

    /// Whether `size` bytes at `offset` lie within the region.
    @inline(__always)
    private func contains(_ offset: Int, _ size: Int) -> Bool {
        // As unsigned numbers those below zero are above every count: one comparison each.
        UInt(bitPattern: size) <= UInt(bitPattern: count)
            && UInt(bitPattern: offset) <= UInt(bitPattern: count &- size)
    }

    /// The integer at `offset`, in the machine's byte order; any alignment.
    @inline(__always)
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
        precondition(contains(offset, MemoryLayout<Value>.size))
        return unsafe base.loadUnaligned(fromByteOffset: offset, as: type)
    }

    /// Writes an integer at `offset`; any alignment.
    @inline(__always)
    mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        precondition(contains(offset, MemoryLayout<Value>.size))
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    /// The 24-bit number at `offset`.
    @inline(__always)
    func load24(_ offset: Int) -> UInt32 {
        UInt32(load(offset, as: UInt16.self)) | UInt32(load(offset + 2, as: UInt8.self)) << 16
    }

    /// Writes the lower 24 bits of a number at `offset`.
    @inline(__always)
    mutating func store24(_ value: UInt32, at offset: Int) {
        store(UInt16(truncatingIfNeeded: value), at: offset)
        store(UInt8(truncatingIfNeeded: value >> 16), at: offset + 2)
    }

    /// The 48-bit number at `offset`.
    @inline(__always)
    func load48(_ offset: Int) -> UInt64 {
        UInt64(load(offset, as: UInt32.self)) | UInt64(load(offset + 4, as: UInt16.self)) << 32
    }

    /// Writes the lower 48 bits of a number at `offset`.
    @inline(__always)
    mutating func store48(_ value: UInt64, at offset: Int) {
        store(UInt32(truncatingIfNeeded: value), at: offset)
        store(UInt16(truncatingIfNeeded: value >> 32), at: offset + 4)
    }

    /// Lends the `size` bytes at `offset`.
    @inline(__always)
    func withSpan<Result>(_ offset: Int, _ size: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        precondition(contains(offset, size))
        let bytes = unsafe UnsafeRawBufferPointer(start: base + offset, count: size)
        return body(unsafe bytes.bindMemory(to: UInt8.self).span)
    }

    /// Copies `bytes` to `offset`.
    mutating func write(_ bytes: Span<UInt8>, at offset: Int) {
        precondition(contains(offset, bytes.count))
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe memcpy(base + offset, start, source.count)
        }
    }

    /// Copies the `size` bytes at `offset` to `output`, from `target` on, where there must be room for them.
    @inline(__always)
    func read(_ offset: Int, _ size: Int, into output: inout MutableSpan<UInt8>, at target: Int) {
        precondition(contains(offset, size) && target >= 0 && size <= output.count - target)
        unsafe output.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe memcpy(start + target, base + offset, size)
        }
    }

    /// Copies `size` bytes within the region; source and target may overlap.
    mutating func move(from source: Int, to target: Int, _ size: Int) {
        precondition(contains(source, size) && contains(target, size))
        unsafe memmove(base + target, base + source, size)
    }

    /// Makes every byte zero and gives the memory back to the system.
    mutating func discard() {
        if unsafe madvise(base, count, MADV_DONTNEED) != 0 {
            unsafe memset(base, 0, count)
        }
    }
}
