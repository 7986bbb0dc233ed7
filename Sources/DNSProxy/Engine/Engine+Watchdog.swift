import Logging

extension Engine {
    /// How long a worker may take for one turn of its loop before somebody is told.
    private static let patience = Duration.seconds(10)

    /// Sees whether every worker still works: wakes each, and expects that it has gone round its loop by the next look.
    ///
    /// A worker that does not is logged, and the service manager hears no sign of life any more, so that it ends the
    /// daemon and starts another: a deaf socket helps nobody. A worker that traps takes the process with it at once.
    func watchWorkers() async {
        let interval = manager.watchdog.map { $0 / 2 } ?? Engine.patience
        var watch = WorkerWatch()
        repeat {
            let stuck = watch.stuck(turns: workers.map(\.latest.turns))
            for number in stuck {
                logger.critical("a worker does not work any more", metadata: ["worker": "\(number)"])
            }
            if stuck.isEmpty { manager.notify(.alive) }
            for worker in workers { worker.mailbox.wake() }
        } while (try? await Task.sleep(for: interval)) != nil
    }
}

/// Tells workers that work from those that do not, by the turns that each has gone round its loop.
struct WorkerWatch {
    /// The turns of each at the last look.
    private var before: [UInt64] = []

    /// The workers whose turns have not changed since the last look, by number; at the first look, none.
    mutating func stuck(turns: [UInt64]) -> [Int] {
        defer { before = turns }
        return zip(before, turns).enumerated().filter { $1.0 == $1.1 }.map(\.offset)
    }
}
