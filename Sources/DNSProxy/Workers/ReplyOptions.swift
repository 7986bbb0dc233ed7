import DNSWire
import FQDNPolicy

/// What the OPT record of the reply at hand has besides an extended error.
struct ReplyOptions {
    /// The cookie, if the client sent one (RFC 7873, section 5.2).
    var cookie: CookieResponse?
    /// Units of 100 ms for which the client's connection may be idle, if it is told so (RFC 7828, section 3.3.2).
    var keepalive: UInt16?

    /// Length of the OPT record with these options, in bytes.
    @inline(__always)
    var recordLength: Int { EDNS.emptyLength + length }

    /// Length of the options.
    @inline(__always)
    private var length: Int {
        (cookie == nil ? 0 : CookieResponse.optionLength) + (keepalive == nil ? 0 : EDNSOption.keepaliveLength)
    }

    /// Writes the options at `offset`, where there is room for them, and returns the offset behind them.
    @inline(__always)
    func write(to output: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        var end = offset
        if let cookie { end = cookie.write(to: &output, at: end) }
        if let keepalive { end = EDNSOption.writeKeepalive(timeout: keepalive, to: &output, at: end) }
        return end
    }
}

extension Pipeline {
    /// Takes new secrets of cookies if there are any.
    mutating func adoptCookies() {
        if shared.cookies.generation != secrets.generation { secrets = shared.cookies.load() }
    }

    /// Prepares the options of the reply to the query at hand.
    @inline(__always)
    mutating func prepareOptions(client: IPAddress, transport: QueryTransport) {
        options = ReplyOptions()
        guard let edns = query.edns else { return }
        options.keepalive = transport == .tcp && edns.asksForKeepalive ? keepalive : nil
        guard let cookie = edns.cookie else { return }
        let seconds = UInt32(truncatingIfNeeded: Int64(SystemClock.wallSeconds()))
        options.cookie = secrets.cookies.respond(to: cookie, from: client, at: seconds)
    }
}
