/// Elements to remove and to add in one transaction, set by set.
struct ElementBatch {
    /// The sets in the order in which they were first needed.
    private var order: [ElementSet] = []
    /// What happens to each.
    private var work: [ElementSet: Work] = [:]

    /// What happens to one set.
    private struct Work {
        /// Elements that the set may have, and that go.
        var removed: [String] = []
        /// Elements that come, with their timeouts.
        var added: [String] = []
    }

    /// Removes an element, whether the set still has it or not.
    mutating func remove(_ element: Element) { work(on: element.set) { $0.removed.append(element.text) } }

    /// Adds an element that the set does not have, or that is also removed.
    mutating func add(_ element: Element, until expires: Double, now: Double, comment: String) {
        let timeout = ElementBatch.timeout(until: expires, now: now)
        work(on: element.set) { $0.added.append("\(element.text) timeout \(timeout)s comment \"\(comment)\"") }
    }

    /// Changes what happens to a set.
    private mutating func work(on set: ElementSet, _ change: (inout Work) -> Void) {
        if work[set] == nil { order.append(set) }
        change(&work[set, default: Work()])
    }

    /// The commands. Nothing but a deletion and an addition renews a timeout on every kernel, and a deletion fails where
    /// the element has timed out; so what goes is added first.
    func text(_ table: String) -> String {
        var text = ""
        for set in order {
            guard let work = work[set] else { continue }
            let name = "element inet \(table) \(set.name)"
            if !work.removed.isEmpty {
                let elements = work.removed.joined(separator: ", ")
                text += "add \(name) { \(elements) }\ndelete \(name) { \(elements) }\n"
            }
            if !work.added.isEmpty { text += "add \(name) { \(work.added.joined(separator: ", ")) }\n" }
        }
        return text
    }

    /// Seconds from `now` until `expires`, rounded up, from one second to a year.
    static func timeout(until expires: Double, now: Double) -> Int {
        let seconds = (expires - now).rounded(.up)
        return seconds >= 1 ? Int(min(seconds, 31_536_000)) : 1
    }
}
