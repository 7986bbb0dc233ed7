/// What one file may cost before it is refused.
package struct DocumentLimits: Sendable {
    /// Largest file in bytes.
    package var bytes: Int
    /// Most values (scalars, lists, mappings) of one file, those that aliases repeat included.
    package var values: Int
    /// Deepest nesting of lists and mappings.
    package var depth: Int

    /// Limits that hold every sensible policy file and let no file take more than a second or two and 200 MB.
    package init(bytes: Int = 16 << 20, values: Int = 500_000, depth: Int = 64) {
        self.bytes = bytes
        self.values = values
        self.depth = depth
    }
}
