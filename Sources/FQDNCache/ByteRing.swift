/// The bookkeeping of a log in a fixed region: runs of bytes are appended at the head and leave at the tail.
///
/// A run never straddles the end of the region; what is left over there is skipped until the tail has passed it.
struct ByteRing: Sendable {
    /// Where the region starts, in bytes of its arena.
    let base: Int
    /// Bytes of the region.
    let capacity: Int
    /// Where the next run goes, relative to `base`.
    private var head = 0
    /// The oldest run, relative to `base`.
    private var oldest = 0
    /// Where the runs before the wraparound end; meaningful while `isWrapped`.
    private var wrapEnd = 0
    /// Whether the head has started over at the front and the tail has not yet.
    private var isWrapped = false
    /// Bytes in runs.
    private(set) var used = 0

    /// An empty log in `capacity` bytes from `base`.
    init(base: Int, capacity: Int) {
        self.base = base
        self.capacity = capacity
    }

    /// Whether there is no run.
    var isEmpty: Bool { used == 0 }

    /// The offset of the oldest run in the arena; meaningless when empty.
    var tail: Int { base + oldest }

    /// Whether an offset of the arena lies in this log's region.
    func contains(_ offset: Int) -> Bool { offset >= base && offset - base < capacity }

    /// Takes `size` contiguous bytes at the head and returns their offset in the arena; nil if the tail is in the way.
    mutating func reserve(_ size: Int) -> Int? {
        if used == 0 { self = ByteRing(base: base, capacity: capacity) }
        if isWrapped {
            guard oldest - head >= size else { return nil }
        } else if capacity - head < size {
            guard oldest >= size else { return nil }
            wrapEnd = head
            isWrapped = true
            head = 0
        }
        let offset = base + head
        head += size
        used += size
        return offset
    }

    /// Lets the oldest run go, which has `size` bytes.
    mutating func release(_ size: Int) {
        oldest += size
        used -= size
        if isWrapped, oldest == wrapEnd {
            oldest = 0
            isWrapped = false
        }
    }
}
