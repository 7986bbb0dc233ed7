internal import Glibc

/// Why connections cannot be listed.
package struct ConnectionTrackingError: Error, CustomStringConvertible, Sendable {
    /// The error number of the system.
    package let code: Int32

    /// The same as text.
    package var description: String {
        "cannot list connections: \(unsafe String(cString: strerror(code))) (is nf_conntrack_netlink there?)"
    }
}
