import Glibc

/// A descriptor that may be kept in arrays and shared.
final class FileDescriptorBox: Sendable {
    /// The descriptor.
    private let descriptor: FileDescriptor

    /// Takes over `descriptor`.
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Takes over the open descriptor `number`.
    init(owning number: Int32) { descriptor = FileDescriptor(owning: number) }

    /// A copy of the descriptor `number`.
    /// - Throws: `SystemError` when there are too many open files.
    convenience init(copying number: Int32) throws(SystemError) {
        self.init(try FileDescriptor(fcntl(number, F_DUPFD_CLOEXEC, 0), "copy a socket"))
    }

    /// The number that the kernel gave.
    var rawValue: Int32 { descriptor.rawValue }
}
