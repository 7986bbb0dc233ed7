/// What one access to memory costs that has to wait for the one before: the control beside verdicts, which are a few of
/// them when there are many rules.
struct LoadControl {
    /// One element of each cache line has the index of another line's; following them leads through all lines.
    private var next: [UInt32]
    /// Elements of a cache line of 64 bytes.
    private static let lineSize = 16
    /// Accesses that one measurement makes.
    private static let accesses = 200_000

    /// A control over as many bytes as the compiled rules have.
    init(bytes: Int) {
        let lines = max(2, bytes / 64)
        next = [UInt32](repeating: 0, count: lines * LoadControl.lineSize)
        // Sattolo's shuffle: one cycle, in no order that a prefetcher could guess.
        var order = (0..<lines).map { UInt32(truncatingIfNeeded: $0 * LoadControl.lineSize) }
        var generator = SystemRandomNumberGenerator()
        for index in stride(from: lines - 1, to: 0, by: -1) {
            order.swapAt(index, Int.random(in: 0..<index, using: &generator))
        }
        for index in 0..<lines { next[index * LoadControl.lineSize] = order[index] }
    }

    /// The time of one access in nanoseconds.
    func measure() -> Double {
        let start = cpuTime()
        var place: UInt32 = 0
        for _ in 0..<LoadControl.accesses { place = next[Int(place)] }
        let time = cpuTime() - start
        // Used, so that the loop is not left out.
        if place == .max { print("") }
        return time * 1e9 / Double(LoadControl.accesses)
    }
}
