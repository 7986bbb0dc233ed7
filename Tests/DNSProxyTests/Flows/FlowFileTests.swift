import Foundation
import Testing

@testable import DNSProxy

/// The file that flows are exported to.
struct FlowFileTests {
    /// A folder of the test.
    private final class Folder {
        /// Where it is.
        let path: String

        /// Makes it.
        init() throws {
            path = NSTemporaryDirectory() + "dnsproxyd-flows-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// The text of a file in it; nil when there is none.
        func read(_ name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    }

    /// Lines of ten bytes with these numbers.
    private func lines(_ numbers: ClosedRange<Int>) -> [[UInt8]] { numbers.map { Array("line \($0 + 1000)\n".utf8) } }

    /// The numbers in `text`.
    private func numbers(_ text: String?) -> [Int]? {
        text?.split(separator: "\n").compactMap { Int($0.dropFirst(5)).map { $0 - 1000 } }
    }

    @Test func `a full file gives way to a new one, and the oldest is dropped`() throws {
        let folder = try Folder()
        var file = try FlowFile(path: folder.path + "/log", maxSize: 35, maxFiles: 2)
        #expect(file.append(lines(1...3)).written == 3)
        #expect(folder.read("log.1") == nil)
        #expect(file.append(lines(4...4)).written == 1)
        #expect(numbers(folder.read("log")) == [4] && numbers(folder.read("log.1")) == [1, 2, 3])
        #expect(file.append(lines(5...11)).written == 7)
        #expect(numbers(folder.read("log")) == [10, 11])
        #expect(numbers(folder.read("log.1")) == [7, 8, 9] && numbers(folder.read("log.2")) == [4, 5, 6])
        #expect(folder.read("log.3") == nil)
    }

    @Test func `a file that is there is continued, and its size counts`() throws {
        let folder = try Folder()
        for number in 1...5 {
            var file = try FlowFile(path: folder.path + "/log", maxSize: 35, maxFiles: 1)
            #expect(file.append(lines(number...number)).failure == nil)
        }
        #expect(numbers(folder.read("log")) == [4, 5] && numbers(folder.read("log.1")) == [1, 2, 3])
    }

    @Test func `without older files the file begins anew`() throws {
        let folder = try Folder()
        var file = try FlowFile(path: folder.path + "/log", maxSize: 25, maxFiles: 0)
        #expect(file.append(lines(1...5)).written == 5)
        #expect(numbers(folder.read("log")) == [5])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["log"])
    }

    @Test func `a line that is longer than a file may be has a file of its own`() throws {
        let folder = try Folder()
        var file = try FlowFile(path: folder.path + "/log", maxSize: 15, maxFiles: 5)
        let long = Array(String(repeating: "x", count: 99).utf8) + [10]
        #expect(file.append(lines(1...1) + [long] + lines(2...2)).written == 3)
        #expect(numbers(folder.read("log")) == [2] && folder.read("log.1")?.count == 100)
    }

    @Test func `a file that was moved away is written anew after it is opened again`() throws {
        let folder = try Folder()
        var file = try FlowFile(path: folder.path + "/log", maxSize: 1_000, maxFiles: 1)
        _ = file.append(lines(1...1))
        try FileManager.default.moveItem(atPath: folder.path + "/log", toPath: folder.path + "/moved")
        _ = file.append(lines(2...2))
        try file.reopen()
        _ = file.append(lines(3...3))
        #expect(numbers(folder.read("moved")) == [1, 2] && numbers(folder.read("log")) == [3])
    }

    @Test func `a full disk loses lines and says so, and a folder that is missing is named`() throws {
        var file = try FlowFile(path: "/dev/full", maxSize: 1_000, maxFiles: 1)
        let (written, failure) = file.append(lines(1...3))
        #expect(written == 0)
        #expect("\(try #require(failure))" == "cannot write to /dev/full: No space left on device")
        #expect(throws: SystemError.self) { _ = try FlowFile(path: "/missing/log", maxSize: 1, maxFiles: 1) }
    }
}
