/// An element of a set, without its timeout.
package struct Element: Hashable, Sendable {
    /// The set.
    package var set: ElementSet
    /// How nftables writes the element.
    package var text: String
}
