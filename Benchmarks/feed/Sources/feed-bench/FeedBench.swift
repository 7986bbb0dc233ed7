import Glibc

/// Measures the mapping feed: `feed-bench [ROUNDS [FOLDER]]`; the folder, default `/tmp`, is where journals are written.
@main
struct FeedBench {
    /// Runs every measurement and prints a table.
    static func main() async throws {
        var arguments = CommandLine.arguments.dropFirst()
        // What the throughput measurement starts as its subscriber.
        if arguments.first == "subscribe", let path = arguments.last {
            exit(IdleSubscriber.run(path))
        }
        let rounds = max(arguments.popFirst().flatMap { Int($0) } ?? 5, 1)
        let folder = (arguments.popFirst() ?? "/tmp") + "/feed-bench.\(getpid())"
        guard mkdir(folder, 0o700) == 0 else {
            print("\(folder): cannot make this folder: \(String(cString: strerror(errno)))")
            exit(1)
        }
        defer { removeFolder(folder) }
        print("| what | unit | median | lowest | highest | goal |")
        print("|---|---|---|---|---|---|")
        for row in try await Throughput.measure(rounds: rounds, folder: folder) { row.print() }
        for row in try JournalCost.measure(rounds: rounds, folder: folder) { row.print() }
        for row in try Restoring.measure(rounds: rounds, folder: folder) { row.print() }
    }
}

/// One line of the table.
struct Row {
    /// What was measured.
    let what: String
    /// The unit of the values.
    let unit: String
    /// One value for each round.
    let values: [Double]
    /// What is to be reached; empty if nothing.
    var goal = ""

    /// Prints the line.
    func print() {
        let sorted = values.sorted()
        let numbers = [sorted[sorted.count / 2], sorted[0], sorted[sorted.count - 1]].map(Row.text)
        Swift.print("| \(what) | \(unit) | \(numbers.joined(separator: " | ")) | \(goal) |")
    }

    /// A number with three digits that say something.
    private static func text(_ value: Double) -> String {
        if value >= 100 { return "\(Int(value.rounded()))" }
        let scale = value >= 10 ? 10.0 : 100.0
        return "\((value * scale).rounded() / scale)"
    }
}

/// Seconds of CPU time that this process has used, in user and kernel.
func processSeconds() -> Double { clockSeconds(CLOCK_PROCESS_CPUTIME_ID) }

/// Seconds on a clock that only goes forward.
func seconds() -> Double { clockSeconds(CLOCK_MONOTONIC) }

/// Reads a clock of the kernel.
private func clockSeconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Removes a folder with its files.
func removeFolder(_ path: String) {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard name != ".", name != ".." else { continue }
        let child = path + "/" + name
        if unlink(child) != 0 { removeFolder(child) }
    }
    closedir(directory)
    rmdir(path)
}
