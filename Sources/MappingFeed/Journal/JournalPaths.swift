/// The files of a journal's folder.
struct JournalPaths: Sendable {
    /// The folder.
    let directory: String
    /// Held with flock by the process that uses the folder.
    var lock: String { directory + "/lock" }
    /// The last snapshot.
    var snapshot: String { directory + "/snapshot.jsonl" }
    /// A snapshot that is being written.
    var newSnapshot: String { directory + "/snapshot.jsonl.new" }
    /// The changes since the last snapshot began.
    var journal: String { directory + "/journal.jsonl" }
    /// A journal that is being begun.
    var newJournal: String { directory + "/journal.jsonl.new" }
    /// The changes that the snapshot being written will hold.
    var oldJournal: String { directory + "/journal.old.jsonl" }
}
