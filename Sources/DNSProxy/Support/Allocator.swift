import CLinux

/// malloc(3) of a process that runs for months and reads new documents every few minutes.
enum Allocator {
    /// Heaps that threads share. glibc would have up to eight for each core, and each keeps the most that was ever alive in it;
    /// queries in the cache are answered without any.
    private static let heaps: CInt = 2
    /// Bytes from which an allocation has pages of its own, which go back to the kernel with it. glibc would raise that to
    /// 32 MB, as often as such an allocation is freed, and have rules and lists of the next size tear holes into a heap.
    private static let ownPages: CInt = 256 << 10

    /// Keeps what is resident near to what is in use. To be called before there is a second thread: a heap that was made stays.
    static func keepCompact() {
        _ = mallopt(M_ARENA_MAX, heaps)
        _ = mallopt(M_MMAP_THRESHOLD, ownPages)
    }
}
