internal import DNSWire
package import MappingFeed

extension FeedOpening {
    /// The elements that let packets through for the opening.
    package var elements: [Element] {
        /// An element of the set of a shape.
        func element(_ shape: ElementSet.Shape, _ text: String) -> Element {
            Element(set: ElementSet(identity: identity, isIPv4: address.isIPv4, shape: shape), text: text)
        }
        guard !ports.isEverything else { return [element(.hosts, "\(address)")] }
        return ports.ranges.map { range in
            let start = "\(address) . \(range.transport.rawValue.lowercased())"
            if range.isWhole { return element(.protocols, start) }
            if range.isSingle { return element(.ports, "\(start) . \(range.first)") }
            return element(.ranges, "\(start) . \(range.first)-\(range.last)")
        }
    }
}
