import Automata
import Paxos

/// Stands before the quorum system of a configuration that names disks, where there would be its tag.
private let disksFollow: UInt8 = 0x80

extension Configuration {
    /// Appends the wire form, in which hosts may also store it.
    public func encode(into bytes: inout [UInt8]) {
        bytes.write(byte: wireVersion)
        bytes.write(self)
    }

    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.version()
        self = try reader.configuration()
        try reader.end()
    }
}

extension [UInt8] {
    mutating func write(_ configuration: Configuration) {
        write(configuration.epoch)
        write(configuration.voters)
        write(configuration.learners)
        // A configuration that names no disks has the form that it had before there were any.
        guard !configuration.disks.isEmpty else { return write(configuration.quorums) }
        write(byte: disksFollow)
        write(configuration.quorums)
        write(count: configuration.disks.count)
        for member in configuration.disks {
            write(member.process)
            write(member.disk)
        }
    }

    mutating func write(_ disk: DiskID) { appendLittleEndian(disk.rawValue) }

    mutating func write(_ disk: DiskID?) {
        write(flag: disk != nil)
        if let disk { write(disk) }
    }

    mutating func write(_ processes: [ProcessID]) {
        write(count: processes.count)
        for process in processes { write(process) }
    }

    mutating func write(_ quorums: QuorumSystem) {
        switch quorums {
        case .majority:
            write(byte: 0)
        case .flexible(let phase1, let phase2):
            write(byte: 1)
            write(count: phase1)
            write(count: phase2)
        case .weighted(let weights, let phase1, let phase2):
            write(byte: 2)
            write(count: weights.count)
            for weight in weights {
                write(weight.process)
                write(weight.weight)
            }
            write(phase1)
            write(phase2)
        case .grid(let rows):
            write(byte: 3)
            write(count: rows.count)
            for row in rows { write(row) }
        }
    }

    mutating func write(_ change: ConfigurationChange) {
        switch change {
        case .add(let process, let asLearner, let disk):
            write(byte: 0)
            write(process)
            write(flag: asLearner)
            write(disk)
        case .remove(let process):
            write(byte: 1)
            write(process)
        case .replace(let old, let new, let disk):
            write(byte: 2)
            write(old)
            write(new)
            write(disk)
        case .promote(let process):
            write(byte: 3)
            write(process)
        case .setQuorums(let quorums):
            write(byte: 4)
            write(quorums)
        }
    }
}

extension WireReader {
    mutating func configuration() throws(WireError) -> Configuration {
        let epoch = try number()
        let voters = try processes()
        let learners = try processes()
        var tag = try byte()
        let namesDisks = tag == disksFollow
        if namesDisks { tag = try byte() }
        let quorums = try quorums(tag)
        let disks = namesDisks ? try disks() : []
        guard epoch < 1 << 62, namesDisks == !disks.isEmpty else { throw .malformed }
        if epoch == 0, voters.isEmpty, learners.isEmpty, quorums == .majority { return .unknown }
        do {
            return try Configuration(
                epoch: epoch, voters: voters, learners: learners, quorums: quorums, disks: disks)
        } catch {
            throw .malformed
        }
    }

    mutating func processes() throws(WireError) -> [ProcessID] {
        var processes: [ProcessID] = []
        for _ in 0..<(try count()) { processes.append(try process()) }
        return processes
    }

    private mutating func disks() throws(WireError) -> [Configuration.MemberDisk] {
        var disks: [Configuration.MemberDisk] = []
        for _ in 0..<(try count()) {
            let process = try process()
            disks.append(.init(process, DiskID(try littleEndian())))
        }
        return disks
    }

    mutating func disk() throws(WireError) -> DiskID? { try flag() ? DiskID(try littleEndian()) : nil }

    private mutating func quorums(_ tag: UInt8) throws(WireError) -> QuorumSystem {
        switch tag {
        case 0:
            return .majority
        case 1:
            let phase1 = try number()
            let phase2 = try number()
            guard phase1 < 1 << 20, phase2 < 1 << 20 else { throw .malformed }
            return .flexible(phase1: Int(phase1), phase2: Int(phase2))
        case 2:
            var weights: [QuorumSystem.Weight] = []
            for _ in 0..<(try count()) {
                let process = try process()
                weights.append(QuorumSystem.Weight(process, try number()))
            }
            let phase1 = try number()
            let phase2 = try number()
            guard phase1 < 1 << 62, phase2 < 1 << 62 else { throw .malformed }
            return .weighted(weights, phase1: phase1, phase2: phase2)
        case 3:
            var rows: [[ProcessID]] = []
            for _ in 0..<(try count()) { rows.append(try processes()) }
            return .grid(rows: rows)
        case let tag:
            throw .unknownTag(tag)
        }
    }

    mutating func change() throws(WireError) -> ConfigurationChange {
        switch try byte() {
        case 0:
            let process = try process()
            let asLearner = try flag()
            return .add(process, asLearner: asLearner, disk: try disk())
        case 1: return .remove(try process())
        case 2:
            let old = try process()
            let new = try process()
            return .replace(old, with: new, disk: try disk())
        case 3: return .promote(try process())
        case 4: return .setQuorums(try quorums(try byte()))
        case let tag: throw .unknownTag(tag)
        }
    }
}
