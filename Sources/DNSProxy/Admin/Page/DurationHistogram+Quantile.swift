extension DurationHistogram {
    /// Seconds within which the part `quantile` of what was counted since `earlier` was done, as Prometheus estimates it:
    /// as if what is in a range were spread evenly over it. What took longer than all bounds took the last bound; nil when
    /// nothing was counted.
    func quantile(_ quantile: Double, since earlier: DurationHistogram) -> Double? {
        let count = self.count &- earlier.count
        guard count > 0 else { return nil }
        let wanted = Double(count) * quantile
        var below = 0.0
        for range in DurationHistogram.bounds.indices {
            let inside = Double(counts[range] &- earlier.counts[range])
            if below + inside >= wanted, inside > 0 {
                let lower = range == 0 ? 0 : Double(DurationHistogram.bounds[range - 1])
                let upper = Double(DurationHistogram.bounds[range])
                return (lower + (upper - lower) * (wanted - below) / inside) / 1e9
            }
            below += inside
        }
        return Double(DurationHistogram.bounds[DurationHistogram.bounds.count - 1]) / 1e9
    }
}
