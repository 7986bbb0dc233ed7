import MappingFeed

/// The mappings that everything here is measured with: 1,000 identities, names of 30 bytes, one address, one rule.
enum Mappings {
    /// The `number`th mapping.
    static func mapping(_ number: Int) -> MappingUpsert {
        guard case .upsert(let upsert) = decode(line(number)) else { fatalError("the line is an upsert") }
        return upsert
    }

    /// The `number`th mapping as a line, numbered one higher.
    static func line(_ number: Int) -> [UInt8] {
        let digits = String(number)
        let name = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let address = "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
        let text = [
            #"{"event":"upsert","seq":\#(number + 1),"identity":\#(number % 1000 + 1),"client":"10.0.0.1","#,
            #""name":"h\#(name).service.example.net.","chain":[],"#,
            #""addresses":[{"ip":"\#(address)","ttl":60,"expires":1900000000.123}],"#,
            #""rules":[{"policy":"production/web","ports":[{"port":443,"protocol":"TCP"}]}],"source":"answer"}"#, "\n",
        ]
        return Array(text.joined().utf8)
    }

    /// The event of a line.
    private static func decode(_ line: [UInt8]) -> FeedEvent? { try? FeedEvent.decode(line.span) }
}
