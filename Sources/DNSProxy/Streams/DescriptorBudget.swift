/// Who may have how many of the descriptors of the process, so that however many connections there are, upstreams can still
/// be asked, the journal written and the admin API used.
enum DescriptorBudget {
    /// Descriptors of the process itself: journal, feed with its subscribers, admin API, event loops, documents while they
    /// are read, and what libraries have open.
    private static let process = 160
    /// Descriptors of a worker besides its sockets to upstreams: its own sockets, its sleep, its mailbox.
    private static let worker = 16
    /// Servers of upstreams that a worker is thought to speak with at a time.
    private static let servers = 8

    /// Connections of clients that there may be at a time when `wanted` are configured: so many that with `descriptors` in
    /// all, `workers` have what they need to ask `servers`, though never less than a quarter of all.
    static func connections(wanted: Int, descriptors: Int, workers: Int, servers: Int) -> Int {
        // Sockets that have made way for others stay open until their last answer has come.
        let sockets = 2 * UpstreamSockets.perServer * min(servers, DescriptorBudget.servers)
        let reserved = process + workers * (worker + sockets)
        return max(1, min(wanted, max(descriptors / 4, descriptors - reserved)))
    }
}
