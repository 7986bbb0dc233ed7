import Foundation

/// Writes the seeds of every fuzz target: `MakeCorpus FOLDER` fills `FOLDER/<target>/seed-<number>`.
///
/// Messages are made by `MessageBuilder` and lines by the feed's own encoder, so that seeds follow the code.
@main
struct MakeCorpus {
    /// Runs the program.
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: MakeCorpus FOLDER")
            exit(64)
        }
        let folder = URL(fileURLWithPath: CommandLine.arguments[1], isDirectory: true)
        let messages = MessageSeeds.queries + MessageSeeds.responses
        try write(messages, to: folder.appendingPathComponent("FuzzMessage"))
        // Options and offset first: compression allowed, and the question's name or what follows it.
        try write(
            messages.flatMap { [[0, 12] + $0, [1, 12] + $0, [0, 33] + $0] } + MessageSeeds.texts,
            to: folder.appendingPathComponent("FuzzName"))
        try write(MessageSeeds.programs, to: folder.appendingPathComponent("FuzzBuilder"))
        // The type that is asked for first; every response as the answer to several.
        try write(
            MessageSeeds.responses.flatMap { response in [0, 3, 9].map { [$0] + response } },
            to: folder.appendingPathComponent("FuzzScrubber"))
        try write(PolicySeeds.documents.map { Array($0.utf8) }, to: folder.appendingPathComponent("FuzzPolicy"))
        try write(FeedSeeds.lines, to: folder.appendingPathComponent("FuzzFeed"))
    }

    /// Writes each of `seeds` as a file of its own.
    private static func write(_ seeds: [[UInt8]], to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (index, seed) in seeds.enumerated() {
            let number = String(index + 1)
            let name = "seed-" + String(repeating: "0", count: max(0, 3 - number.count)) + number
            try Data(seed).write(to: folder.appendingPathComponent(name))
        }
    }
}
