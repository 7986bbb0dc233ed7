import DNSWire
import Foundation
import MappingFeed
import Testing

@testable import DNSProxy

/// Whatever happens in whatever order, what the subscribers of the feed believe is what the mapping table holds.
@Suite(.timeLimit(.minutes(5))) struct FeedAgreementTests {
    @Test(arguments: 0..<60)
    func `table, feed and subscribers agree after any interleaving of learning, expiry, policy, faults and restarts`(
        _ seed: Int
    ) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var node = try await FeedNode()
        let tier = IdentitySelector(labels: ["tier": "1"])
        let followers = [
            FeedFollower(Subscription(acknowledges: true)),
            FeedFollower(Subscription(acknowledges: true, identities: [tier])),
            FeedFollower(Subscription(acknowledges: false)),
        ]
        var steps = "seed \(seed):"
        for _ in 0..<120 {
            let follower = followers[random.below(followers.count)]
            let step = Step.random(using: &random)
            steps += " \(step)"
            switch step {
            case .learn: node.learn(using: &random)
            case .expire: node.expire(after: random.below(40))
            case .keep: node.keep(using: &random)
            case .reject: node.reject(using: &random)
            case .policy: node.removeByPolicy(using: &random)
            case .identities: node.changeIdentities(using: &random)
            case .leave: try await disconnect(follower, of: followers, from: node)
            case .resume: try await connect(follower, of: followers, to: node)
            case .startOver: try await connect(follower, of: followers, to: node, resumes: false)
            case .kill:
                let isSettled = random.below(2) == 0
                if isSettled { try await node.settle() }
                let before = node.mappings
                for follower in followers { try await disconnect(follower, of: followers, from: node) }
                node = try await node.killedAndRestarted()
                // What was journalled is not lost; it may be more than what was acknowledged.
                if isSettled { #expect(node.mappings == before, "\(steps)") }
            case .compare: try await expectAgreement(of: followers, with: node, steps)
            }
        }
        try await expectAgreement(of: followers, with: node, steps)
        for follower in followers { await follower.disconnect() }
        await node.stop()
    }

    /// What happens next.
    private enum Step: String, CustomStringConvertible {
        case learn, expire, keep, reject, policy, identities, leave, resume, startOver, kill, compare

        /// How often each is chosen, of a hundred.
        private static let weights: [(Step, Int)] = [
            (.learn, 45), (.expire, 10), (.keep, 5), (.reject, 4), (.policy, 4), (.identities, 6), (.leave, 6),
            (.resume, 6), (.startOver, 3), (.kill, 3), (.compare, 8),
        ]

        /// Chooses one.
        static func random(using random: inout SeededGenerator) -> Step {
            var rest = random.below(100)
            for (step, weight) in weights {
                if rest < weight { return step }
                rest -= weight
            }
            return .compare
        }

        var description: String { rawValue }
    }

    /// Lets a follower connect, and waits until the feed counts it.
    private func connect(
        _ follower: FeedFollower, of followers: [FeedFollower], to node: FeedNode, resumes: Bool = true
    ) async throws {
        try await disconnect(follower, of: followers, from: node)
        try await follower.connect(to: node.socket, resumes: resumes)
        try await node.wait(forSubscribers: await count(followers))
    }

    /// Lets a follower leave, and waits until the feed has noticed.
    private func disconnect(
        _ follower: FeedFollower, of followers: [FeedFollower], from node: FeedNode
    ) async throws {
        await follower.disconnect()
        try await node.wait(forSubscribers: await count(followers))
    }

    /// How many have a connection.
    private func count(_ followers: [FeedFollower]) async -> Int {
        var count = 0
        for follower in followers where await follower.isConnected { count += 1 }
        return count
    }

    /// Waits until everything published has arrived everywhere, and compares.
    private func expectAgreement(
        of followers: [FeedFollower], with node: FeedNode, _ steps: String
    ) async throws {
        for follower in followers where await !follower.isConnected {
            try await connect(follower, of: followers, to: node)
        }
        let last = node.learning.hub.lastSequence
        // What is acknowledged has been applied.
        try await node.settle()
        for follower in followers {
            if !follower.subscription.acknowledges { try await follower.wait(for: last) }
            let believed = await follower.openings
            let held = node.openings(selected: follower.subscription.identities)
            #expect(believed == held, "follower \(follower.subscription) \(steps)")
        }
    }
}
