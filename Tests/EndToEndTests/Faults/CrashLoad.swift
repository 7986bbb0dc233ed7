import Foundation
import Synchronization

/// Clients that ask for names as fast as they are answered, and note who told them what, and when.
final class CrashLoad: Sendable {
    /// What the clients have seen.
    private struct Log {
        /// When each name was first answered with its address.
        var answered: [Int: ContinuousClock.Instant] = [:]
        /// Answers with an address.
        var answers = 0
        /// Answers that no server could have given.
        var wrong: [String] = []
    }

    /// What was seen.
    private let log = Mutex(Log())
    /// Whether the clients ask.
    private let isAsking = Atomic(false)
    /// Clients that wait to be told to ask.
    private let resting = Atomic(0)
    /// Tells the threads to end.
    private let isStopped = Atomic(false)

    /// Clients.
    private static let clients = 4
    /// Questions of a client that wait at a time.
    private static let questions = 8

    /// Clients of the server at `port`, which do nothing yet.
    init(port: Int) throws {
        for _ in 0..<CrashLoad.clients {
            let client = try DNSClient(port: port)
            Thread.detachNewThread { [self] in run(client, port) }
        }
    }

    /// Has the clients ask.
    func begin() { isAsking.store(true, ordering: .sequentiallyConsistent) }

    /// Has them ask no more, and returns when nobody waits for an answer.
    func pause() throws {
        isAsking.store(false, ordering: .sequentiallyConsistent)
        try eventually("a client still asks") {
            resting.load(ordering: .sequentiallyConsistent) == CrashLoad.clients
        }
    }

    /// Ends the threads.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// When each name was first answered with its address.
    var answered: [Int: ContinuousClock.Instant] { log.withLock { $0.answered } }

    /// Answers with an address so far.
    var answers: Int { log.withLock { $0.answers } }

    /// Answers that no server could have given.
    var wrong: [String] { log.withLock { $0.wrong } }

    /// The thread of one client.
    private func run(_ first: DNSClient, _ port: Int) {
        var client = first
        var isResting = false
        while !isStopped.load(ordering: .relaxed) {
            let isAsking = isAsking.load(ordering: .sequentiallyConsistent)
            if isAsking == isResting {
                isResting.toggle()
                resting.add(isResting ? 1 : -1, ordering: .sequentiallyConsistent)
            }
            guard isAsking else {
                usleep(1_000)
                continue
            }
            let numbers = (0..<CrashLoad.questions).map { _ in Int.random(in: 0..<CrashNames.count) }
            for (slot, number) in numbers.enumerated() { client.ask(CrashNames.name(number), id: UInt16(slot)) }
            for _ in numbers {
                // Nobody is there, or was there and is no more: the answers to the rest would be in the way later.
                guard let answer = client.answer(within: .milliseconds(500)) else {
                    if let next = try? DNSClient(port: port) { client = next }
                    usleep(2_000)
                    break
                }
                note(answer, numbers)
            }
        }
    }

    /// Notes an answer to one of the questions for `numbers`, whose place is the ID.
    private func note(_ answer: DNSAnswer, _ numbers: [Int]) {
        // SERVFAIL is what a client gets while no enforcer is there.
        guard answer.code == 0 else { return }
        let slot = Int(answer.id)
        log.withLock { log in
            guard numbers.indices.contains(slot), answer.answerCount == 1,
                let place = CrashLoad.place(of: CrashNames.address(numbers[slot]), in: answer.bytes), place > 12
            else {
                log.wrong.append("\(answer.bytes)")
                return
            }
            log.answers += 1
            if log.answered[numbers[slot]] == nil { log.answered[numbers[slot]] = answer.received }
        }
    }

    /// Where the data of an A record with this address begins.
    private static func place(of address: [UInt8], in message: [UInt8]) -> Int? {
        let data = [0, 4] + address
        return message.indices.first { message[$0...].starts(with: data) }
    }
}
