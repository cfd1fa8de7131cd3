import Automata
import Coordination
import Paxos
import Replica
import WriteAheadLog

/// What a process finds when it starts: its store, and the log from which the replica continues.
struct HostRecovery {
    let store: StoreBox
    let log: WriteAheadLog
    let replica: Replica
    let applier: Applier
    let segments: LogSegments

    init(
        options: ServerOptions, identity: Identity, directory: DataDirectory, folders: StoreFolders,
        report: Reporter
    ) throws {
        store = StoreBox(try folders.open(folders.current))
        let applied = try HostRecovery.appliedState(of: try store.store, identity: identity)

        var durable: ReplicaDurableState
        if let configuration = applied.configuration {
            durable = ReplicaDurableState(storedUpTo: Slot(applied.slot), configuration)
        } else {
            durable = .joining
        }
        var segments = LogSegments()
        var logOptions = WriteAheadLog.Options()
        logOptions.synchronises = options.synchronises
        logOptions.identity = HostRecovery.logIdentity(identity)
        log = try WriteAheadLog.open(
            options.logDirectory ?? directory.path(of: "log"), options: logOptions
        ) { bytes in
            let record = try ReplicaRecord(decoding: bytes)
            segments.note(record)
            try durable.absorb(record)
        }
        segments.recovered(log.recovery.segments)
        self.segments = segments
        if let unfinished = log.recovery.unfinished {
            report(
                .info,
                "passed over \(unfinished.bytes, as: "bytes") bytes of an unfinished write at the end of \(unfinished.file, as: "file")"
            )
        }

        var settings = Replica.Settings(process: identity.memberID)
        settings.heartbeatInterval = options.heartbeatInterval
        settings.electionTimeout = options.electionTimeout
        settings.catchUpEntries = options.catchUpEntries
        settings.leaseReadsClockDriftPPM = options.leaseReadsClockDriftPPM
        replica = Replica(settings: settings, recovered: durable)
        applier = try Applier(store: store)
    }

    /// A new store of a new cluster is given the first configuration, durably, before anything else happens:
    /// from then on the process is a member and never asks its options again.
    private static func appliedState(
        of store: any OrderedStore, identity: Identity
    ) throws -> (slot: UInt64, configuration: Configuration?) {
        let applied = try store.read { try AppliedState(from: $0) }
        if !applied.configuration.isEmpty {
            return (applied.slot, try ConfigurationCodec.decode(applied.configuration))
        }
        guard !identity.isJoining else { return (applied.slot, nil) }
        let configuration = Configuration(epoch: 1, voters: identity.members.map(\.id))
        try store.write { transaction in
            try AppliedState.setSlot(0, in: transaction)
            try AppliedState.setConfiguration(ConfigurationCodec.encode(configuration), in: transaction)
        }
        try store.synchronize()
        return (0, configuration)
    }

    private static func logIdentity(_ identity: Identity) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendInteger(identity.clusterID)
        bytes.appendInteger(identity.memberID.rawValue)
        return bytes
    }
}
