import DNSWire
import Glibc

/// The nameservers of `/etc/resolv.conf`, which are the upstreams when none are configured.
enum ResolvConf {
    /// Where it is.
    static let path = "/etc/resolv.conf"

    /// The servers that `text` names, in order, without those that `excluded` are, on a host with the addresses `local`: the
    /// daemon must not ask itself.
    static func servers(
        in text: String, excluding excluded: [SocketAddress], local: Set<IPAddress> = []
    ) -> [UpstreamServer] {
        var servers: [UpstreamServer] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, words[0] == "nameserver",
                let address = SocketAddress(
                    words[1].contains(":") ? "[\(words[1])]" : String(words[1]), defaultPort: 53),
                !excluded.take(address, local: local), servers.count < RouteTable.serversPerRoute
            else { continue }
            servers.append(UpstreamServer(address))
        }
        return servers
    }

    /// The text of the file; empty when it cannot be read.
    static func read() -> String {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
