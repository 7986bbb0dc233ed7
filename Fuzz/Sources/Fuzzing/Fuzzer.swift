import LibFuzzer

/// Runs one fuzz target: the whole of its program.
public enum Fuzzer {
    /// What is done with each input; set once, before the driver runs.
    private nonisolated(unsafe) static var check: (Span<UInt8>) -> Void = { _ in }

    /// Hands inputs to `check` until the command line's limit is reached, and ends the program.
    public static func run(_ check: @escaping (Span<UInt8>) -> Void) {
        unsafe Fuzzer.check = check
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            unsafe Fuzzer.check(UnsafeBufferPointer(start: data, count: size).span)
            return 0
        }
    }
}

/// Ends the program, which is how libFuzzer learns of a failure, when a promise is broken; in release builds too.
@inline(__always)
public func require(_ holds: Bool, _ promise: @autoclosure () -> String) {
    guard !holds else { return }
    fatalError("broken promise: \(promise())")
}
