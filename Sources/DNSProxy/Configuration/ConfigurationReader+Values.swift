import DNSWire
import FQDNPolicy
import Glibc

/// The kinds of value that only the configuration has.
extension ConfigurationReader {
    /// A TTL or another time in whole seconds.
    func seconds(_ key: String, of mapping: inout DocumentMapping) -> UInt32? {
        mapping.value(key).flatMap { seconds($0) }
    }

    /// A time in whole seconds, `least` at least, at most what a TTL can say (RFC 2181, section 8).
    func seconds(_ node: DocumentNode, from least: Int = 0) -> UInt32? {
        guard let span = node.value(TimeSpan.expected, problems, { TimeSpan($0) }) else { return nil }
        guard let seconds = span.wholeSeconds else {
            problems.error(node, "expected whole seconds")
            return nil
        }
        guard (least...Int(Int32.max)).contains(seconds) else {
            problems.error(node, "expected a time from \(least)s to \(Int32.max)s")
            return nil
        }
        return UInt32(seconds)
    }

    /// An IP address with an optional port.
    func socketAddress(_ node: DocumentNode, defaultPort: UInt16) -> SocketAddress? {
        node.value("an IP address with a port, such as 127.0.0.1:\(defaultPort) or [::1]:\(defaultPort)", problems) {
            SocketAddress($0, defaultPort: defaultPort)
        }
    }

    /// A list of networks; those that are bad are noted one by one and left out.
    func networks(_ list: DocumentNode) -> [IPPrefix]? {
        list.elements(problems)?.compactMap { node in
            node.value("an address or a network such as 10.0.0.0/8, without bits behind its length", problems) {
                IPPrefix($0)
            }
        }
    }

    /// A list of paths of files or folders.
    func paths(_ key: String, of mapping: inout DocumentMapping) -> [String]? {
        mapping.elements(key)?.compactMap { path($0) }
    }

    /// A path, from the folder of the configuration file if it is relative.
    func path(_ node: DocumentNode) -> String? {
        guard let text = node.string(problems) else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            problems.error(node, "expected a path, found \(quoted(text))")
            return nil
        }
        return text.hasPrefix("/") ? text : folder + text
    }

    /// The path of something that other processes look for: absolute, whatever their working directory is.
    func absolutePath(_ node: DocumentNode) -> String? {
        guard let path = path(node) else { return nil }
        guard !path.hasPrefix("/") else { return path }
        let directory = unsafe getcwd(nil, 0)
        defer { unsafe free(directory) }
        guard let directory = unsafe directory else {
            problems.error(node, "the working directory is gone, so the path must be absolute")
            return nil
        }
        return unsafe "\(String(cString: directory))/\(path)"
    }

    /// A path that fits into the address of a Unix socket.
    func socketPath(_ node: DocumentNode) -> String? {
        guard let path = absolutePath(node) else { return nil }
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard path.utf8.count <= limit else {
            problems.error(
                node, "a socket's path has at most \(limit) bytes, and \(quoted(path)) has \(path.utf8.count)")
            return nil
        }
        return path
    }
}
