import Automata

/// The faults: drawn from the mix while it is active, or asked for one by one by a scripted test.
extension SimulatedCluster {
    // MARK: One by one

    /// Takes the process down. What it had not synced is at the mercy of its disk.
    /// Whether the machine loses its power with it is drawn when it is not said.
    public mutating func crash(
        _ process: ProcessID, restartingAfter span: TimeSpan? = nil, losingPower: Bool? = nil
    ) {
        let index = index(of: process)
        guard hosts[index].process != nil else { return }
        count(\.crashes)
        breakOffFilesTurn(index)
        hosts[index].goDown()
        let withMachine = losingPower ?? (network.policy != nil && faultRandom.chance(mix.powerCutsPPM))
        if withMachine { count(\.powerCuts) }
        network.lose(index, withItsSystem: withMachine, at: now)
        if drawnCrash(index, losingPower: withMachine ? true : losingPower) { count(\.damagedLogs) }
        trace.note(.crashed, at: now, process)
        let after = span ?? (mix.crashes.map { faultRandom.span(in: $0.lasting) } ?? .seconds(1))
        queue.schedule(.restart(index, incarnation: hosts[index].incarnation), at: now + after)
    }

    /// Takes the process down when it runs, and its disk or a part of that with it; the process starts again
    /// with what is left.
    public mutating func wipe(
        _ process: ProcessID, _ part: SimulatedDisk.Part, restartingAfter span: TimeSpan
    ) {
        crash(process, restartingAfter: span)
        hosts[index(of: process)].disk.wipe(part)
        count(\.wipes)
        trace.note(.wiped, at: now, process)
    }

    /// Takes the process down for good, until the harness starts it.
    public mutating func stop(_ process: ProcessID) {
        let index = index(of: process)
        if hosts[index].process != nil {
            breakOffFilesTurn(index)
            hosts[index].goDown()
            network.lose(index, withItsSystem: false, at: now)
            _ = drawnCrash(index, losingPower: nil)
            trace.note(.crashed, at: now, process)
        }
        // A restart that was scheduled for this incarnation is void.
        hosts[index].incarnation += 1
    }

    /// Lets the process do nothing for a while: messages pile up and timers are late.
    public mutating func pause(_ process: ProcessID, lasting span: TimeSpan) {
        let index = index(of: process)
        guard hosts[index].process != nil, !hosts[index].isPaused else { return }
        count(\.pauses)
        hosts[index].isPaused = true
        trace.note(.paused, at: now, process)
        queue.schedule(.resume(index, incarnation: hosts[index].incarnation), at: now + span)
    }

    public mutating func resume(_ process: ProcessID) {
        let index = index(of: process)
        guard hosts[index].isPaused else { return }
        hosts[index].isPaused = false
        trace.note(.resumed, at: now, process)
        release(index)
    }

    /// Lets one direction of a link lose everything until the next `heal()`.
    public mutating func cut(_ from: ProcessID, _ to: ProcessID) {
        network.cut(index(of: from), index(of: to), at: now)
        trace.note(.cut, at: now, from, to.rawValue)
    }

    public mutating func heal() {
        network.healAll(at: now)
        letStalledPass()
        trace.note(.healed, at: now, ProcessID(0))
    }

    /// What waited for a link that works again goes on behind what was sent before it.
    private mutating func letStalledPass() {
        let waiting = stalled
        stalled.removeAll()
        for event in waiting {
            guard case .arrival(_, let from, let to, _, let passage?) = event else { continue }
            let connection = network.connection(from, to, passage.lane)
            if network.isCut(from, to) {
                stalled.append(event)
            } else if connection.generation == passage.generation {
                queue.schedule(event, at: connection.arrival(notBefore: now))
            } else {
                count(\.lost)
            }
        }
    }

    /// Ends one connection, as either side sees at once.
    public mutating func reset(_ from: ProcessID, _ to: ProcessID, _ lane: Lane) {
        guard network.policy != nil, from != to else { return }
        network.reset(index(of: from), index(of: to), lane, at: now)
        count(\.resets)
        trace.note(.reset, at: now, from, to.rawValue)
    }

    /// Lets the connections of one direction, or one of them, lead nowhere until their sender finds out.
    public mutating func halfOpen(_ from: ProcessID, _ to: ProcessID, _ lanes: [Lane] = Lane.allCases) {
        guard network.policy != nil, from != to else { return }
        network.loseTrack(index(of: from), index(of: to), lanes, at: now)
        count(\.halfOpens)
        trace.note(.halfOpened, at: now, from, to.rawValue)
    }

    /// Lets everything that is sent in one direction of a link wait, and arrive afterwards.
    public mutating func clog(_ from: ProcessID, _ to: ProcessID, lasting span: TimeSpan) {
        network.clog(index(of: from), index(of: to), until: now + span)
        count(\.clogs)
        trace.note(.clogged, at: now, from, to.rawValue)
    }

    // MARK: Drawn

    /// Until faults start the network loses nothing and holds nothing up.
    public mutating func keepPeace() {
        var rules = mix.network
        rules.lossPPM = 0
        rules.duplicationPPM = 0
        rules.delay.spikesPPM = 0
        network.rules = rules
    }

    /// From now on faults strike as the mix says.
    public mutating func startFaults() {
        faultsAreActive = true
        network.rules = mix.network
        for strike in Strike.allCases { scheduleStrike(strike) }
    }

    /// No fault strikes any more, and what is broken is mended for the processes in `healthy`: they run,
    /// hear each other, and lose nothing. The others stay as they are, and no link between them and the
    /// healthy ones works in the directions that `cut` says.
    public mutating func stopFaults(healthy: [ProcessID], cuttingOff cut: RemainingLinks = .both) {
        faultsAreActive = false
        mix.network.lossPPM = 0
        mix.network.duplicationPPM = 0
        mix.network.delay.spikesPPM = 0
        mix.sync.spikesPPM = 0
        network.rules = mix.network
        network.unclogAll()
        partitionGeneration += 1
        heal()
        for host in hosts where healthy.contains(host.id) {
            let index = index(of: host.id)
            hosts[index].crashesAtNextSync = false
            hosts[index].slowUntil = .zero
            hosts[index].disk.cachedFiles.mendSyncs()
            resume(host.id)
            if hosts[index].process == nil { start(host.id) }
        }
        for other in hosts where !healthy.contains(other.id) {
            for id in healthy {
                if cut != .outward { network.cut(index(of: id), index(of: other.id), at: now) }
                if cut != .inward { network.cut(index(of: other.id), index(of: id), at: now) }
            }
        }
    }

    // MARK: A quorum in the middle of faults

    /// From now on nothing strikes these processes: they run, their disks are quick, and they hear each other.
    /// All others go on as the mix says, and so do the links to and from them.
    public mutating func shelter(_ processes: [ProcessID]) {
        network.shelter(processes.map { index(of: $0) })
        stalled.removeAll { event in
            guard case .arrival(_, let from, let to, _, _) = event else { return false }
            return network.isSheltered(from, to)
        }
        for host in hosts where processes.contains(host.id) {
            let index = index(of: host.id)
            hosts[index].crashesAtNextSync = false
            hosts[index].disk.cachedFiles.mendSyncs()
            resume(host.id)
            if hosts[index].process == nil { start(host.id) }
        }
    }

    public mutating func endShelter() {
        network.endShelter()
    }

    /// Which directions fail between the healthy processes and the others, once faults have stopped.
    public enum RemainingLinks: CaseIterable, Sendable {
        case both
        /// The healthy ones are not heard by the others, which they still hear.
        case inward
        /// The others are not heard, and still hear.
        case outward
    }

    private func strikes(_ strike: Strike) -> FaultMix.Strikes? {
        switch strike {
        case .crash: mix.crashes
        case .partition: mix.partitions
        case .clog: mix.clogs
        case .pause: mix.pauses
        case .reset: mix.resets
        case .halfOpen: mix.halfOpens
        case .suspension: mix.suspensions
        case .clockJump: mix.clockJumps
        case .slowDisk: mix.slowDisks
        }
    }

    private mutating func scheduleStrike(_ strike: Strike) {
        guard let strikes = strikes(strike) else { return }
        let span = faultRandom.below(2 * strikes.every.nanoseconds + 1)
        queue.schedule(.strike(strike), at: now + TimeSpan(nanoseconds: span))
    }

    mutating func onStrike(_ strike: Strike) -> Occurrence {
        guard faultsAreActive, let strikes = strikes(strike), counts.strikes < mix.mostStrikes ?? .max
        else { return .other }
        count(\.strikes)
        scheduleStrike(strike)
        let lasting = faultRandom.span(in: strikes.lasting)
        let index = faultRandom.index(hosts.count)
        let victim = hosts[index].id
        // A partition and a clog spare what is sheltered by themselves.
        if network.sheltered[index], strike.isOfOneMachine { return .other }
        switch strike {
        case .crash: return strikeDown(victim, for: lasting)
        case .partition: strikePartition(for: lasting)
        case .clog: clog(victim, hosts[faultRandom.index(hosts.count)].id, lasting: lasting)
        case .pause: pause(victim, lasting: lasting)
        case .reset: strikeConnection(index) { $0.reset($1, $2, $0.faultRandom.element(Lane.allCases)) }
        case .halfOpen:
            let isMutual = faultRandom.coin()
            // Those of old, or one of them.
            let lanes = faultRandom.coin() ? Lane.allCases : [faultRandom.element(Lane.allCases)]
            strikeConnection(index) {
                $0.halfOpen($1, $2, lanes)
                if isMutual { $0.halfOpen($2, $1, lanes) }
            }
        case .suspension: suspend(victim, lasting: lasting)
        case .clockJump: advanceClock(of: victim, by: lasting)
        case .slowDisk: slowDisk(of: victim, lasting: lasting)
        }
        return .other
    }

    private mutating func strikeDown(_ victim: ProcessID, for span: TimeSpan) -> Occurrence {
        if faultRandom.chance(mix.blackoutsPPM) {
            count(\.blackouts)
            for host in hosts where host.process != nil && !network.sheltered[self.index(of: host.id)] {
                crash(host.id, restartingAfter: faultRandom.span(in: .zero...span))
            }
            return .crashed(victim)
        }
        let index = index(of: victim)
        let down = hosts.count { $0.process == nil && $0.incarnation > 0 }
        guard hosts[index].process != nil, down < mix.mostDown else { return .other }
        if faultRandom.coin() {
            hosts[index].crashesAtNextSync = true
            return .other
        }
        crash(victim, restartingAfter: span)
        return .crashed(victim)
    }

    /// With another process, unless both are sheltered.
    private mutating func strikeConnection(
        _ from: Int, _ strike: (inout Self, ProcessID, ProcessID) -> Void
    ) {
        let to = faultRandom.index(hosts.count)
        guard from != to, !network.isSheltered(from, to) else { return }
        strike(&self, hosts[from].id, hosts[to].id)
    }

    private mutating func strikePartition(for span: TimeSpan) {
        let kind = faultRandom.element(mix.partitionKinds)
        count(\.partitions)
        partitionGeneration += 1
        let cuts = kind.cuts(among: hosts.count, &faultRandom)
        network.healAll(at: now, except: cuts)
        letStalledPass()
        for (from, to) in cuts {
            network.cut(from, to, at: now)
            trace.note(.cut, at: now, hosts[from].id, hosts[to].id.rawValue)
        }
        queue.schedule(.heal(generation: partitionGeneration), at: now + span)
    }
}
