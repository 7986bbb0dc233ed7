import Testing

/// Expects `condition`, for expressions about values that cannot be copied, which `#expect` cannot take apart.
func holds(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}
