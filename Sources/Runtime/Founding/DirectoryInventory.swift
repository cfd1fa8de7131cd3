import Automata
import Replica
import WriteAheadLog

/// Looks at what is in a member's directories before anything of it is believed or made.
struct DirectoryInventory {
    let inventory: Inventory
    private let directory: DataDirectory
    private let logDirectory: String

    init(_ directory: DataDirectory, logDirectory: String) throws {
        self.directory = directory
        self.logDirectory = logDirectory
        let identity = directory.identity
        let hasLog = try WriteAheadLog.isPresent(in: logDirectory)
        let hasStore = StoreFolders.arePresent(in: directory)
        // In a directory of the first format the identity was followed by all the rest at once.
        let isFormed = identity.map { $0.formation != nil || $0.isOfFirstFormat && (hasLog || hasStore) }
        inventory = Inventory(
            hasIdentity: identity != nil, isFormed: isFormed ?? false, hasLog: hasLog, hasStore: hasStore)
    }

    /// Throws what is missing, where it should be, and what can be done.
    func judge() throws {
        switch inventory.loss {
        case nil: break
        case .identity:
            let found = inventory.hasLog ? "a log in \(logDirectory)" : "a store in \(directory.path)"
            throw ServerError(
                .damaged,
                "there is \(found), but no identity in \(directory.path) that says whose it is. If the data "
                    + "directory is on a volume of its own, see that it is mounted; if the file \"identity\" was "
                    + "lost, put it back as it was. For a new member use an empty data directory"
                    + (inventory.hasLog ? " and an empty --wal-dir" : ""))
        case .log:
            throw ServerError(
                .damaged,
                "the log of \(directory.identity!) is missing: there is no segment of it in \(logDirectory), and "
                    + "the member has taken part with it. See that its volume is mounted, and that --wal-dir and "
                    + "--data-dir are what they were before. Without its log the member does not know what it has "
                    + "promised and acknowledged, so it must not vote; if the log is lost for good, its vote is "
                    + "lost too. See \"A lost disk\" in docs/operations")
        }
    }

    /// Whether the directory was made before disks had names, and the member has taken part since.
    var hasTakenPartUnnamed: Bool { directory.identity?.isOfFirstFormat == true && inventory.isFormed }
}
