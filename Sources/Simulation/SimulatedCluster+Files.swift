import Automata

/// The turns that processes take with their files, and what of the files a process or a machine that goes down leaves.
extension SimulatedCluster {
    mutating func onFilesTurn(_ index: Int, _ incarnation: Int) -> Occurrence {
        guard hosts[index].incarnation == incarnation, hosts[index].process != nil else { return .other }
        let id = hosts[index].id
        guard !hosts[index].crashesAtNextSync else {
            crash(id)
            return .crashed(id)
        }
        hosts[index].isUsingFiles = false
        failSync(index)
        trace.note(.durable, at: now, id, UInt64(hosts[index].disk.cachedFiles.counts.operations))
        give(.filesTurn, to: index)
        guard hosts[index].endsItself else { return .stepped(id) }
        crash(id, losingPower: false)
        return .crashed(id)
    }

    /// Lets the process do what it was about to do with its files, up to somewhere in the middle.
    mutating func breakOffFilesTurn(_ index: Int) {
        guard hosts[index].isUsingFiles, hostRandom.chance(800_000) else { return }
        // Mostly a turn is a write and a sync, and now and then much more.
        hosts[index].disk.cachedFiles.stop(afterOperations: hostRandom.index(hostRandom.coin() ? 2 : 12))
        outputs.removeAll(keepingCapacity: true)
        hosts[index].process?.step(
            .filesTurn, at: hosts[index].clock.reading(at: now), into: &outputs)
        outputs.removeAll(keepingCapacity: true)
    }

    // MARK: Faults

    /// What a crash leaves of the disk. True when something was torn or lost.
    mutating func drawnCrash(_ index: Int, losingPower: Bool?) -> Bool {
        let isDamaged = hosts[index].disk.crash(mix.crashRules, &hostRandom)
        let files = hosts[index].disk.cachedFiles
        // Who has no files draws nothing for them.
        guard files.counts.operations > 0 else { return isDamaged }
        guard losingPower ?? hostRandom.chance(mix.crashRules.powerLossPPM) else {
            files.endProcess()
            return isDamaged
        }
        count(\.powerLosses)
        return files.losePower() || isDamaged
    }

    /// A process that starts may go down again in the middle of it.
    mutating func failStart(_ index: Int) {
        let files = hosts[index].disk.cachedFiles
        guard faultsAreActive, !network.sheltered[index], files.counts.operations > 0,
            hostRandom.chance(mix.failedStartsPPM)
        else { return }
        files.stop(afterOperations: hostRandom.index(10))
    }

    mutating func endStart(_ index: Int) {
        let files = hosts[index].disk.cachedFiles
        files.runOn()
        guard files.isStopped else { return }
        count(\.failedStarts)
        crash(hosts[index].id)
    }

    private mutating func failSync(_ index: Int) {
        guard faultsAreActive, !network.sheltered[index], mix.failedSyncsPPM > 0,
            hostRandom.chance(mix.failedSyncsPPM)
        else { return }
        hosts[index].disk.cachedFiles.failSync(
            hostRandom.coin() ? .failed : .noRoom, after: hostRandom.index(3))
    }
}
