import Dispatch
import Synchronization

/// A line on standard error that says that a command is still at work, for a person at a terminal, from its second
/// second on. There is one command in a process, and so one line.
enum Progress {
    /// What is shown.
    private struct State {
        /// What is going on; nil when nothing is.
        var work: String?
        /// When it began.
        var start = ContinuousClock.now
        /// Counts the works, so that a tick of an earlier one is known.
        var number = 0
        /// Whether the line is on the terminal now.
        var isShown = false
    }

    /// What is shown now.
    private static let state = Mutex(State())
    /// Elements that have come.
    private static let count = Atomic(0)

    /// Begins to tell of `work`, which is said until elements come.
    static func begin(_ work: String) {
        guard Terminal.isProgress else { return }
        let number = state.withLock { state in
            state.work = work
            state.start = .now
            state.number += 1
            return state.number
        }
        count.store(0, ordering: .relaxed)
        schedule(number, after: .seconds(1))
    }

    /// Notes that one more element has come.
    static func advance() {
        count.add(1, ordering: .relaxed)
    }

    /// Takes the line back, for good.
    static func end() {
        state.withLock { state in
            state.work = nil
            clear(&state)
        }
    }

    /// Makes way for output to the terminal, which is progress enough from now on.
    static func makeWay(for descriptor: Int32) {
        guard Terminal.isProgress, descriptor == 2 || Terminal.isOutput else { return }
        end()
    }

    /// Shows the line of work `number` after `delay`, and again and again.
    private static func schedule(_ number: Int, after delay: DispatchTimeInterval) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) {
            let isOn = state.withLock { state in
                guard let work = state.work, state.number == number else { return false }
                let elements = count.load(ordering: .relaxed)
                let what = elements == 0 ? work : "\(grouped(elements)) so far"
                let seconds = (ContinuousClock.now - state.start).components.seconds
                state.isShown = writeAll(Array("\r\u{1B}[Kdnsproxyd: \(what), \(seconds) s".utf8), to: 2)
                return true
            }
            if isOn { schedule(number, after: .milliseconds(250)) }
        }
    }

    /// Takes the line from the terminal.
    private static func clear(_ state: inout State) {
        guard state.isShown else { return }
        state.isShown = false
        _ = writeAll(Array("\r\u{1B}[K".utf8), to: 2)
    }

    /// `number` with commas between groups of three digits.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in "\(number)".reversed().enumerated() {
            if index > 0, index % 3 == 0 { text = "," + text }
            text = String(digit) + text
        }
        return text
    }
}
