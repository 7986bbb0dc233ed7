import CLinux
import Glibc
import Synchronization
import Testing

@testable import DNSProxy

@Suite struct BackgroundThreadTests {
    @Test func `it gives way, and nobody else does`() async {
        let before = BackgroundThread.current
        for precedence in [BackgroundThread.Precedence.normal, .low, .lowest] {
            let inside = await BackgroundThread.run(precedence) { BackgroundThread.current }
            #expect(inside == max(before, precedence.rawValue))
        }
        let inside = await BackgroundThread.run(.low) {
            [BackgroundThread.wait(.lowest) { BackgroundThread.current }, BackgroundThread.current]
        }
        #expect(inside == [19, 10].map { max(before, $0) })
        #expect(BackgroundThread.current == before)
    }

    @Test func `a worker asks for little of its core at a time, and nobody else does`() async {
        let before = clinux_slice()
        let inside = await BackgroundThread.run(.normal) {
            WorkerThread.askForLittle()
            return clinux_slice()
        }
        // A kernel before 6.12 keeps no such number, and says 0.
        #expect(inside == (before == 0 ? 0 : Int64(WorkerThread.slice)))
        #expect(clinux_slice() == before)
    }

    @Test func `reloads come one after the other`() async {
        let reloader = Reloader()
        let reloads = Reloads()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<20 {
                tasks.addTask {
                    await reloader.run {
                        #expect(reloads.running.add(1, ordering: .relaxed).newValue == 1, "two at once")
                        usleep(1_000)
                        reloads.running.subtract(1, ordering: .relaxed)
                    }
                }
            }
        }
    }

    /// Reloads under way.
    private final class Reloads: Sendable {
        /// How many.
        let running = Atomic(0)
    }
}
