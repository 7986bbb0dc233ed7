import FQDNPolicy

/// Reading and compiling of documents, and lint.
struct YAMLBench {
    /// The files.
    let documents: [String]

    /// Prints the time for all of them, or ends with what is wrong.
    func run() {
        let start = cpuTime()
        do throws(PolicySources.LoadError) {
            let loaded = try PolicySources(policies: documents).load(generation: 1)
            print("rules", loaded.snapshot.ruleCount)
        } catch {
            print(error)
        }
        print("load_ms", (cpuTime() - start) * 1e3)
        let middle = cpuTime()
        print("problems", PolicySources(policies: documents).check().count)
        print("check_ms", (cpuTime() - middle) * 1e3)
    }
}
