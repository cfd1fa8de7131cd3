import Automata
import Coordination
import Glibc
import Member
import Paxos
import Replica
import WriteAheadLog

/// What a process finds when it starts: its store, and the log from which the replica continues.
struct HostRecovery {
    let store: StoreBox
    let log: WriteAheadLog
    let member: MemberCore
    let segments: LogSegments

    init(
        options: ServerOptions, identity: Identity, directory: DataDirectory, logDirectory: String,
        folders: StoreFolders, ownFormation: OwnFormation, report: Reporter
    ) throws {
        store = StoreBox(try folders.open(folders.current))
        let first = HostRecovery.firstConfiguration(ownFormation, identity)
        let applied = try HostRecovery.appliedState(of: try store.store, first)
        // What was restored has no configuration before its cluster is formed.
        if ownFormation.known == nil, applied.slot > 0, applied.configuration != .unknown {
            throw ServerError(
                .damaged,
                "\(directory.path(of: "identity")) says that this member never took part, and the store in "
                    + "\(directory.path) holds what it has applied: one of them is not the other's. Put back the "
                    + "one that belongs here")
        }
        var durable = ReplicaDurableState(storedUpTo: Slot(applied.slot), applied.configuration)
        var segments = LogSegments()
        var logOptions = WriteAheadLog.Options()
        logOptions.synchronises = options.synchronises
        logOptions.files = options.logFiles
        logOptions.identity = HostRecovery.logIdentity(identity)
        do {
            log = try WriteAheadLog.open(logDirectory, options: logOptions) { bytes in
                let record = try ReplicaRecord(decoding: bytes)
                segments.note(record)
                try durable.absorb(record)
            }
        } catch let error as ReplicaRecoveryError {
            throw ServerError(
                .damaged,
                "\(error): the log in \(logDirectory) and the store in \(directory.path(of: folders.current.name)) "
                    + "do not belong together; one of them was lost, or is an older copy. Put back the one that "
                    + "belongs to the other, as it was when the member last stopped. Without it the member cannot "
                    + "go on; see \"A lost disk\" in docs/operations")
        }
        if ownFormation.known == nil, durable.acceptor.promised > .none {
            throw ServerError(
                .damaged,
                "\(directory.path(of: "identity")) says that this member never took part, and the log in "
                    + "\(logDirectory) holds promises of its own: one of them is not the other's, or an older copy. "
                    + "Put back the one that belongs here")
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
        settings.disk = ownFormation.disk
        settings.incarnationFloor = UInt64(time(nil))
        settings.heartbeatInterval = options.heartbeatInterval
        settings.electionTimeout = options.electionTimeout
        settings.catchUpEntries = options.catchUpEntries
        settings.leaseReadsClockDriftPPM = options.leaseReadsClockDriftPPM
        let replica = Replica(settings: settings, recovered: durable)
        member = try store.read { reader in
            try MemberCore(
                settings: HostRecovery.memberSettings(options, identity), replica: replica,
                applier: Applier(from: reader), from: reader, now: MonotonicClock.now())
        }
    }

    /// The configuration of the first slot: from the formation, or from the options where the cluster was formed
    /// before that was written down. A store that is lost beside a log that holds everything is made from there.
    private static func firstConfiguration(_ formation: OwnFormation, _ identity: Identity) -> Configuration {
        guard let known = formation.known else { return .unknown }
        if formation.disk == nil, !identity.isJoining {
            return Configuration(epoch: 1, voters: identity.members.map(\.id))
        }
        return known.configuration
    }

    private static func appliedState(
        of store: any OrderedStore, _ first: Configuration
    ) throws -> (slot: UInt64, configuration: Configuration) {
        let applied = try store.read { try AppliedState(from: $0) }
        if !applied.configuration.isEmpty {
            return (applied.slot, try ConfigurationCodec.decode(applied.configuration))
        }
        guard first.epoch > 0 else { return (applied.slot, first) }
        try store.write { transaction in
            try AppliedState.setSlot(applied.slot, in: transaction)
            try AppliedState.setConfiguration(ConfigurationCodec.encode(first), in: transaction)
        }
        return (applied.slot, first)
    }

    private static func memberSettings(_ options: ServerOptions, _ identity: Identity) -> MemberCore.Settings
    {
        var settings = MemberCore.Settings(
            electionTimeout: options.electionTimeout, firstNumber: .random(in: 1 ... .max >> 1))
        settings.limits = options.limits
        settings.pendingRequestLimit = options.pendingRequestLimit
        settings.pendingBytesLimit = options.pendingBytesLimit
        settings.autoCompaction = options.autoCompaction
        settings.checkpointEntries = options.checkpointEntries
        settings.name = options.name
        settings.clientURLs = options.advertiseClientURLs
        settings.peerURLs = identity.members.first { $0.id == identity.memberID }?.peerURLs
        return settings
    }

    private static func logIdentity(_ identity: Identity) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(identity.clusterID)
        bytes.appendLittleEndian(identity.memberID.rawValue)
        return bytes
    }
}
