// Measures which answers a cache keeps: the answer cache of the daemon beside textbook policies of equal memory.
//
//   CacheBench SEED    prints lines "POLICY FLOOD RATIO ENTRIES", the ratio in percent of the questions that repeat
//
// The questions that repeat follow Zipf's law; FLOOD percent of all are for names that nobody asks for twice.

import FQDNCache
import Glibc

/// Names that are asked for again.
let nameCount = 1_000_000
/// Answers that the cache has room for.
let room = nameCount / 10
/// Questions, the first third of which only fill the cache.
let questionCount = 6_000_000

guard CommandLine.arguments.count == 2, let seed = UInt64(CommandLine.arguments[1]) else {
    print("usage: CacheBench SEED")
    exit(64)
}

let zipf = Zipf(exponent: 0.9, count: nameCount)
for flood in [0, 50] {
    // The answer cache first: it says how many answers of this size its memory holds, and the others get as many.
    let own = try OwnCache(room: room)
    var policies: [(String, any ReplacementPolicy)] = [
        ("S3-FIFO", own), ("LRU", LeastRecentlyUsed(room: own.room)), ("random", RandomReplacement(room: own.room)),
    ]
    for index in policies.indices {
        var dice = Dice(seed)
        var (asked, hits) = (0, 0)
        for step in 0..<questionCount {
            let isFlood = Int.random(in: 0..<100, using: &dice) < flood
            let isKnown = policies[index].1.ask(isFlood ? nameCount + step : zipf.draw(&dice))
            guard !isFlood, step >= questionCount / 3 else { continue }
            asked += 1
            if isKnown { hits += 1 }
        }
        print(policies[index].0, flood, 100 * Double(hits) / Double(asked), policies[index].1.entries)
    }
}
