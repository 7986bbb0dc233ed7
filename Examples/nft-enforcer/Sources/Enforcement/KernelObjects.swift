/// What is in the table, but for the elements of its sets and maps.
package struct KernelObjects: Hashable, Sendable {
    /// Chains, the base chain among them.
    package var chains: [String] = []
    /// Sets.
    package var sets: [String] = []
    /// Maps.
    package var maps: [String] = []
    /// How many rules a chain has, for those that have any.
    package var ruleCounts: [String: Int] = [:]

    /// Nothing yet.
    package init() {}
}
