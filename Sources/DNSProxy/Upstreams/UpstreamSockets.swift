import CLinux
import DNSWire
import Glibc

/// One worker's UDP sockets towards upstreams: several to each server, each connected, from a random port of the
/// kernel's choice, and replaced after some use, so that neither port nor ID of a query can be foreseen
/// (RFC 5452, section 4).
struct UpstreamSockets: ~Copyable {
    /// Sockets to one server that are in use at a time.
    static let perServer = 16
    /// Queries after which a socket makes way for one with another port.
    static let usesPerSocket = 256
    /// Sockets of a family that are kept for when there are no descriptors left.
    private static let sparesPerFamily = 2

    /// One socket, or the free place of one.
    private struct Entry {
        /// The kernel's handle, -1 for a free place.
        var fd: Int32 = -1
        /// Index of the server it is connected to.
        var server = 0
        /// Queries sent.
        var uses = 0
        /// Queries that wait for an answer.
        var outstanding = 0
        /// Whether it takes no more queries and closes with the last answer.
        var isRetired = false
    }

    /// All places.
    private var entries: [Entry] = []
    /// Places that are free.
    private var free: [Int] = []
    /// For each server, by its number, the places of the sockets that take queries.
    private var active: [[Int]] = []
    /// What each server listens at, by its number.
    private var servers: [SocketAddress] = []
    /// Sockets that are open and neither bound nor connected.
    private var spares: [(family: Int32, fd: Int32)] = []

    /// No sockets yet, and no servers.
    init() {}

    /// Knows the servers of `routes`, by their numbers.
    mutating func adopt(_ routes: RouteTable) {
        servers = routes.servers.map(\.address)
        while active.count < servers.count { active.append([]) }
        refillSpares()
    }

    deinit {
        for spare in spares { close(spare.fd) }
        for entry in entries where entry.fd >= 0 { close(entry.fd) }
    }

    /// Picks a socket to `server`, opening one while there are few, and counts a query on it.
    /// New sockets are added to `epoll` with the token that `token` makes of their index. Where none can be opened, those that
    /// there are do for more queries than otherwise.
    /// - Throws: `SystemError` when there is no socket to be had.
    mutating func acquire(
        server: Int, epoll: borrowing Epoll, token: (Int) -> UInt64
    ) throws(SystemError) -> (index: Int, fd: Int32) {
        var opened: Int?
        if active[server].count < UpstreamSockets.perServer {
            do throws(SystemError) {
                opened = try open(server: server, epoll: epoll, token: token)
            } catch {
                guard !active[server].isEmpty else { throw error }
            }
        }
        let isShort = opened == nil && active[server].count < UpstreamSockets.perServer
        let index = opened ?? active[server][Int.random(in: 0..<active[server].count)]
        entries[index].uses += 1
        entries[index].outstanding += 1
        if entries[index].uses >= UpstreamSockets.usesPerSocket, !isShort {
            entries[index].isRetired = true
            active[server].removeAll { $0 == index }
        }
        return (index, entries[index].fd)
    }

    /// Counts an answer, or the end of waiting for one, on the socket at `index`.
    mutating func release(_ index: Int) {
        entries[index].outstanding -= 1
        guard entries[index].isRetired, entries[index].outstanding == 0 else { return }
        close(entries[index].fd)
        entries[index] = Entry()
        free.append(index)
        refillSpares()
    }

    /// The handle of the socket at `index`; -1 when it is closed.
    func fd(_ index: Int) -> Int32 { index < entries.count ? entries[index].fd : -1 }

    /// Opens and connects a socket to `server`.
    private mutating func open(
        server: Int, epoll: borrowing Epoll, token: (Int) -> UInt64
    ) throws(SystemError) -> Int {
        let address = servers[server]
        let fd = try makeSocket(for: address)
        guard unsafe address.withSockaddr({ unsafe connect(fd, $0, $1) }) == 0 else {
            let error = SystemError("reach upstream \(address)")
            close(fd)
            throw error
        }
        let index = free.popLast() ?? entries.count
        do {
            try epoll.add(fd, token: token(index))
        } catch {
            close(fd)
            if index < entries.count { free.append(index) }
            throw error
        }
        let entry = Entry(fd: fd, server: server)
        if index == entries.count { entries.append(entry) } else { entries[index] = entry }
        active[server].append(index)
        return index
    }

    /// A new socket for `address`, or a spare one when there are no descriptors left.
    /// - Throws: `SystemError` when there is none either.
    private mutating func makeSocket(for address: SocketAddress) throws(SystemError) -> Int32 {
        let fd = UpstreamSockets.socket(of: address.family)
        guard fd < 0 else { return fd }
        let error = SystemError("open a socket to upstream \(address)")
        guard error.code == EMFILE || error.code == ENFILE,
            let index = spares.firstIndex(where: { $0.family == address.family })
        else { throw error }
        return spares.remove(at: index).fd
    }

    /// Opens the spare sockets that are missing, as far as there are descriptors.
    private mutating func refillSpares() {
        for family in [AF_INET, AF_INET6] where servers.contains(where: { $0.family == family }) {
            while spares.count(where: { $0.family == family }) < UpstreamSockets.sparesPerFamily {
                let fd = UpstreamSockets.socket(of: family)
                guard fd >= 0 else { return }
                spares.append((family, fd))
            }
        }
    }

    /// A socket for datagrams, or -1 and the kernel's error number.
    private static func socket(of family: Int32) -> Int32 {
        Glibc.socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
}
