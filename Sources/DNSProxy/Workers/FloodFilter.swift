import CLinux
import DNSWire
import FQDNCache
import Glibc

/// Keeps one client that floods from drowning the others in front of a listening socket.
///
/// All datagrams to a socket wait in one buffer of the kernel. When more come than are answered it is full, and then whoever
/// asks loses as large a part of the queries as the one who floods. So while the buffer, or 8 MB of it, is more than half
/// full, or a quarter and filling, the clients that most of the datagrams come from are thinned out in front of it, by a filter
/// in the kernel (`SO_ATTACH_FILTER`) that lets a random part of theirs pass: half at first, then half of that (a quarter while
/// it is nearly full), until the buffer is no longer that full. When it is nearly empty they get more again, and a third of a
/// second after a flood all.
///
/// Whoever floods is thus answered about as much as there is time for, everybody else as always. It costs nothing but a
/// comparison a datagram and one a batch while there is no backlog. A client that is alone has nobody to drown and may fill
/// the buffer, and what has waited for a daemon to start, at a socket that was kept open, is no flood, however much it is: for
/// a second nobody is thinned out.
struct FloodFilter {
    /// A client whose datagrams are thinned out.
    private struct Flooder {
        /// The client.
        let client: IPAddress
        /// The part of its datagrams that passes, of 1.
        var passes: Double
    }

    /// What the socket said about its buffer.
    struct Backlog {
        /// Bytes that wait, bookkeeping included.
        var waiting: UInt32 = 0
        /// Bytes that may wait while one client sends most of them.
        var limit: UInt32 = 0
        /// Datagrams that were dropped in front of it, modulo 2³².
        var drops: UInt32 = 0
    }

    /// Clients that are thinned out at a time.
    static let maximumFlooders = 8
    /// Bytes that may wait while one client sends most of them, however large the buffer is: some 10,000 queries, which take
    /// a fifth of a second.
    private static let mostWaiting: UInt32 = 8 << 20
    /// Nanoseconds between two looks at the buffer.
    static let interval: Int64 = 10_000_000
    /// Nanoseconds in which nobody is thinned out at a socket that somebody else has kept open, from its first datagram on.
    static let grace: Int64 = 1_000_000_000
    /// Nanoseconds for which a client is reckoned with that was seen beside another one.
    static let memory: Int64 = 10_000_000_000
    /// Datagrams of a full batch that are looked at.
    private static let samplesPerBatch = 4
    /// Clients that are told apart among those.
    private static let candidates = 32
    /// The part of the datagrams that has to come from one client for it to flood: an eighth.
    private static let share = 8
    /// The least part of a client's datagrams that passes.
    private static let leastPasses = 1.0 / 1024
    /// How much larger the part gets at each look while the buffer is nearly empty.
    private static let growth = 1.25

    /// Whether queries may wait that came before anybody read them.
    private let mayHaveWaited: Bool
    /// When somebody may be thinned out at the earliest.
    private var beginning = Moment(nanoseconds: 0)
    /// Those that are thinned out.
    private var flooders: [Flooder] = []
    /// Clients of datagrams that were looked at since the last look at the buffer, and how many each had.
    private var samples: [(client: IPAddress, count: Int)] = []
    /// How many were looked at.
    private var sampled = 0
    /// The client that was seen last.
    private var latest: IPAddress?
    /// Until when there is somebody to protect.
    private var protects = Moment(nanoseconds: 0)
    /// When the buffer was looked at.
    private var lookedAt = Moment(nanoseconds: 0)
    /// Bytes that waited then.
    private var waited: UInt32 = 0
    /// Datagrams that the kernel had dropped then, modulo 2³².
    private var knownDrops: UInt32 = 0
    /// Datagrams that the kernel has dropped in front of the socket.
    private(set) var drops: UInt64 = 0
    /// Times that a client began to be thinned out.
    private(set) var floods: UInt64 = 0

    /// Nobody floods. At a socket that was there before the daemon, queries may have waited for it.
    init(mayHaveWaited: Bool = false) { self.mayHaveWaited = mayHaveWaited }

    /// Whether somebody is thinned out, and the buffer has to be looked at although nothing may come.
    var isActive: Bool { !flooders.isEmpty }

    /// The part of the datagrams of `client` that passes.
    func passes(_ client: IPAddress) -> Double { flooders.first { $0.client == client }?.passes ?? 1 }

    /// Notes that a datagram of `client` has come: is it another one than the last time, there is somebody to protect. Each is
    /// noted, because in front of a full buffer few of whoever is to be protected get through. With the first one ends what
    /// the daemon needed to start.
    @inline(__always)
    mutating func see(_ client: IPAddress, now: Moment) {
        guard client != latest else { return }
        if latest != nil {
            protects = now.adding(nanoseconds: FloodFilter.memory)
        } else if mayHaveWaited {
            beginning = now.adding(nanoseconds: FloodFilter.grace)
        }
        latest = client
    }

    /// Notes whose datagrams are in a batch that was full, so that more wait behind it.
    mutating func note(_ batch: borrowing DatagramBuffers) {
        for sample in 0..<FloodFilter.samplesPerBatch {
            note(batch.client(sample * batch.count / FloodFilter.samplesPerBatch).address)
        }
    }

    /// Notes a datagram of `client` that was looked at.
    mutating func note(_ client: IPAddress) {
        sampled += 1
        if let known = samples.firstIndex(where: { $0.client == client }) {
            samples[known].count += 1
        } else if samples.count < FloodFilter.candidates {
            samples.append((client, 1))
        } else {
            // One of many: each of those that are known pays for it, so that who has many stays (Misra and Gries).
            for index in samples.indices { samples[index].count -= 1 }
            samples.removeAll { $0.count <= 0 }
        }
    }

    /// Whether it is time to look at the buffer.
    func isDue(_ now: Moment) -> Bool { now.nanoseconds(since: lookedAt) >= FloodFilter.interval }

    /// Decides who is thinned out, and how much, now that the buffer is as `backlog` says; whether that has changed.
    mutating func decide(_ backlog: Backlog, now: Moment) -> Bool {
        let looks = max(1, now.nanoseconds(since: lookedAt) / FloodFilter.interval)
        lookedAt = now
        drops += UInt64(backlog.drops &- knownDrops)
        knownDrops = backlog.drops
        defer {
            samples.removeAll(keepingCapacity: true)
            sampled = 0
        }
        let isGrowing = backlog.waiting >= waited
        waited = backlog.waiting
        if now >= beginning, now < protects,
            backlog.waiting > backlog.limit / 2 || backlog.waiting > backlog.limit / 4 && isGrowing
        {
            let before = flooders.map(\.passes)
            for sample in samples where sample.count * FloodFilter.share >= sampled {
                thinOut(sample.client, by: backlog.waiting > backlog.limit / 4 * 3 ? 4 : 2)
            }
            return flooders.map(\.passes) != before
        }
        guard isActive, backlog.waiting < backlog.limit / 16 else { return false }
        for index in flooders.indices {
            for _ in 0..<min(looks, 64) { flooders[index].passes *= FloodFilter.growth }
        }
        flooders.removeAll { $0.passes >= 1 }
        return true
    }

    /// Lets a half or a quarter as many datagrams of `client` pass.
    private mutating func thinOut(_ client: IPAddress, by divisor: Double) {
        if let known = flooders.firstIndex(where: { $0.client == client }) {
            flooders[known].passes = max(flooders[known].passes / divisor, FloodFilter.leastPasses)
        } else if flooders.count < FloodFilter.maximumFlooders {
            flooders.append(Flooder(client: client, passes: 1 / divisor))
            floods += 1
        }
    }
}

/// What it asks of the kernel.
extension FloodFilter {
    /// Puts the decision in force at the socket `descriptor` of that family.
    func apply(to descriptor: Int32, isIPv4: Bool) {
        guard isActive else { return FloodFilter.detach(descriptor) }
        var program = program(isIPv4: isIPv4)
        unsafe program.withUnsafeMutableBufferPointer { instructions in
            var fprog = unsafe sock_fprog(len: UInt16(instructions.count), filter: instructions.baseAddress)
            // Where the kernel refuses, nobody is thinned out.
            _ = unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, socklen_t(MemoryLayout<sock_fprog>.size))
        }
    }

    /// Lets everything pass at the socket `descriptor`.
    static func detach(_ descriptor: Int32) {
        var none: Int32 = 0
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &none, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What the buffer of the socket `descriptor` is like; nil where the kernel does not say.
    static func backlog(of descriptor: Int32) -> Backlog? {
        var memory = InlineArray<9, UInt32>(repeating: 0)
        var size = socklen_t(MemoryLayout<InlineArray<9, UInt32>>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, &memory, &size) == 0,
            Int(size) == MemoryLayout<InlineArray<9, UInt32>>.size
        else { return nil }
        return Backlog(
            waiting: memory[Int(SK_MEMINFO_RMEM_ALLOC)],
            limit: min(memory[Int(SK_MEMINFO_RCVBUF)], FloodFilter.mostWaiting),
            drops: memory[Int(SK_MEMINFO_DROPS)])
    }

    /// The filter in the kernel's language (classic BPF): for each flooder, if the source address is its, a random number
    /// decides; all others pass.
    private func program(isIPv4: Bool) -> [sock_filter] {
        let accept = FloodFilter.instruction(BPF_RET | BPF_K, UInt32.max)
        var program: [sock_filter] = []
        for flooder in flooders where flooder.client.isIPv4 == isIPv4 {
            let verdict = [
                FloodFilter.instruction(BPF_LD | BPF_W | BPF_ABS, UInt32(bitPattern: SKF_AD_OFF + SKF_AD_RANDOM)),
                FloodFilter.instruction(BPF_JMP | BPF_JGE | BPF_K, UInt32(flooder.passes * 4_294_967_295), no: 1),
                FloodFilter.instruction(BPF_RET | BPF_K, 0),
                accept,
            ]
            let words = flooder.client.words(isIPv4: isIPv4)
            for (index, word) in words.enumerated() {
                // Of the IP header, the source address.
                let offset = SKF_NET_OFF + (isIPv4 ? 12 : 8) + Int32(4 * index)
                let rest = 2 * (words.count - index - 1) + verdict.count
                program.append(FloodFilter.instruction(BPF_LD | BPF_W | BPF_ABS, UInt32(bitPattern: offset)))
                program.append(FloodFilter.instruction(BPF_JMP | BPF_JEQ | BPF_K, word, no: UInt8(rest)))
            }
            program += verdict
        }
        return program + [accept]
    }

    /// One instruction; of a comparison that fails `no` instructions are skipped.
    private static func instruction(_ code: Int32, _ operand: UInt32, no: UInt8 = 0) -> sock_filter {
        sock_filter(code: UInt16(truncatingIfNeeded: code), jt: 0, jf: no, k: operand)
    }
}

extension IPAddress {
    /// The address in words of the network's order: one, or four.
    fileprivate func words(isIPv4: Bool) -> [UInt32] {
        if isIPv4 { return [ipv4] }
        return [high >> 32, high, low >> 32, low].map { UInt32(truncatingIfNeeded: $0) }
    }
}
