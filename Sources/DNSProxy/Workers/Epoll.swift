import CLinux
import Glibc

/// The set of descriptors that one worker sleeps on.
@safe struct Epoll: ~Copyable {
    /// Most events taken by one call.
    static let batch = 64
    /// The kernel's handle.
    private let descriptor: FileDescriptor
    /// Where the kernel writes what is ready.
    private let events: UnsafeMutablePointer<epoll_event>

    /// An empty set.
    /// - Throws: `SystemError` when the kernel has no room for another.
    init() throws(SystemError) {
        descriptor = try FileDescriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), "create an epoll set")
        unsafe events = .allocate(capacity: Epoll.batch)
    }

    deinit { unsafe events.deallocate() }

    /// Wakes the owner with `token` whenever `fd` is readable. Of the owners of several sets that share `fd`, not all
    /// have to be woken when `isShared`.
    /// - Throws: `SystemError` when the kernel refuses.
    func add(_ fd: Int32, token: UInt64, isShared: Bool = false) throws(SystemError) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (isShared ? EPOLLEXCLUSIVE.rawValue : 0)
        unsafe event.data.u64 = token
        guard unsafe epoll_ctl(descriptor.rawValue, EPOLL_CTL_ADD, fd, &event) == 0 else {
            throw SystemError("watch a socket")
        }
    }

    /// Watches `fd` no longer.
    func remove(_ fd: Int32) {
        epoll_ctl(descriptor.rawValue, EPOLL_CTL_DEL, fd, nil)
    }

    /// Sleeps until something is readable or `milliseconds` have passed (-1: without end); the number of ready ones.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(unsafe epoll_wait(descriptor.rawValue, events, Int32(Epoll.batch), milliseconds)))
    }

    /// The token of the ready descriptor at `index`, below what `wait` returned.
    func token(at index: Int) -> UInt64 {
        unsafe events[index].data.u64
    }
}
