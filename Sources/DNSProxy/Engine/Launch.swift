import Glibc
public import Logging
import Synchronization

/// What a daemon does first, while it has one thread and the rights that it was started with: it binds what takes these
/// rights, and gives them up. All else, documents and journal and every thread, comes after that, with what is left.
///
/// To be made before the process has a second thread: rights belong to threads.
public final class Launch: Sendable {
    /// What the daemon was told.
    let configuration: EngineConfiguration
    /// Where its listening sockets come from.
    let source: Engine.Sockets
    /// What took rights that are gone; nil for nothing, or when it is taken.
    private let prepared: Mutex<Prepared?>

    /// What took rights.
    struct Prepared: ~Copyable {
        /// The daemon to take over from; nil for none.
        let predecessor: Predecessor?
        /// All listening sockets.
        let sockets: ListeningSockets
    }

    /// Does what takes rights, and gives up those that the daemon as `configuration` has it goes without: all, unless it was
    /// started by root and is not told whom to become.
    /// - Parameter takesOver: whether to take the sockets of a daemon that runs with the same `admin.socket`, if there is
    ///   one. It answers until this one can.
    /// - Throws: `EngineError.system` for a port in use, an unknown user, rights that cannot be given up, or folders that
    ///   cannot be used without them.
    public init(
        _ configuration: EngineConfiguration, takesOver: Bool = false, logger: Logger
    ) throws(EngineError) {
        self.configuration = configuration
        source = takesOver ? .runningDaemon : .serviceManager
        Allocator.keepCompact()
        System.raiseFileLimit()
        let account = try Account(configuration)
        do {
            guard account != nil || (geteuid() != 0 && Privileges.hasCapabilities) else {
                try Privileges.refuseMore()
                prepared = Mutex(nil)
                if geteuid() == 0 { logger.notice("this process is root and stays so; `user` says whom to become") }
                return
            }
            let predecessor = try Engine.predecessor(configuration, source, logger: logger)
            let sockets = try Engine.sockets(configuration, source, predecessor)
            if let account, !account.isOurs {
                guard geteuid() == 0 else {
                    throw EngineError.system(
                        "cannot become the user \(account); start the daemon as root or as that user, or leave out "
                            + "`user`")
                }
                for folder in Launch.folders(of: configuration) { try Folder.make(folder.path, for: account) }
            }
            try Privileges.drop(to: account)
            prepared = Mutex(Prepared(predecessor: predecessor, sockets: sockets))
        } catch {
            throw .system("\(error)")
        }
        if let account { try Launch.checkFolders(of: configuration, for: account) }
        let user = account?.description ?? "\(geteuid())"
        logger.info(
            "rights given up", metadata: ["user": "\(user)", "group": "\(getegid())", "capabilities": "none"])
    }

    /// What took rights; nil for nothing. Sockets that take none are bound when documents and journal are read: who asks
    /// before the daemon can answer shall ask somebody else.
    func takePrepared() -> Prepared? { prepared.withLock { $0.take() } }

    /// The folders that the daemon makes and writes in, with the keys that they come from.
    private static func folders(of configuration: EngineConfiguration) -> [(key: String, path: String)] {
        let folders = [
            ("feed.journal", configuration.feed.journal),
            ("feed.socket", configuration.feed.socket.map { TextFile.folder(of: $0) }),
            ("admin.socket", configuration.admin.socket.map { TextFile.folder(of: $0) }),
        ]
        return folders.compactMap { key, path in path.map { (key, $0) } }
    }

    /// Looks whether the daemon, which is `account` by now, may write where it will have to, sooner or later.
    private static func checkFolders(of configuration: EngineConfiguration, for account: Account) throws(EngineError) {
        var folders = folders(of: configuration)
        // A file is also replaced when it is full.
        if let file = configuration.flows.export?.file { folders.append(("flows.export", TextFile.folder(of: file))) }
        for (key, path) in folders where !Folder.isWritable(path) {
            throw .system(
                "the user \(account) may not write in \(path), which \(key) is about: give the folder to that user, or set "
                    + "another one")
        }
    }
}
