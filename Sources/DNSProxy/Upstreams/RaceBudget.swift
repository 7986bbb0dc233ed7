/// What keeps second questions a small part of the load: each exchange earns an eighth of one, and no more than 64 are
/// saved up.
struct RaceBudget {
    /// Eighths of a second question that may be spent.
    private var eighths = RaceBudget.capacity
    /// Most eighths that are saved up.
    private static let capacity = 64 * 8

    /// Notes that an exchange has begun.
    mutating func earn() { eighths = min(eighths + 1, RaceBudget.capacity) }

    /// Takes what one second question costs; false when it is not there.
    mutating func spend() -> Bool {
        guard eighths >= 8 else { return false }
        eighths -= 8
        return true
    }
}
