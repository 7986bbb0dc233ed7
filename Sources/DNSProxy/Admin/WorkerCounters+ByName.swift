import DNSWire

extension WorkerCounters {
    /// Every counter by the name that `status` shows; response codes that never occurred are left out.
    public var byName: [String: UInt64] {
        var values: [String: UInt64] = [:]
        for (name, path) in WorkerCounters.named { values[name] = self[keyPath: path] }
        for code in responses.indices where responses[code] > 0 {
            values["responses_\(ResponseCode(rawValue: UInt16(code)))".lowercased()] = responses[code]
        }
        for outcome in QueryOutcome.allCases { values["outcomes_\(outcome.label)"] = self[outcome] }
        return values
    }
}
