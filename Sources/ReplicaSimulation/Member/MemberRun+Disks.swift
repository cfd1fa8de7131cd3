import Automata
import Paxos
import Simulation

// Disks that are lost, as a whole or in part, and logs in which something is not as it was written: never more than a
// quorum can do without, so that nothing that was acknowledged may be lost.
extension MemberRun {
    enum LostPart {
        case everything, log, store
    }

    private var segmentBytes: Int { plan.host.segmentBytes }

    /// What a lost disk may cost shows when those who come back beside it are those who knew less. So in every second
    /// case as many as a quorum can spare are away first, and those who stayed go down when the disk is lost.
    ///
    /// - Returns: when to call it again, where that is not left to chance.
    mutating func loseDisk() -> TimeSpan? {
        if let (process, part, away) = comingLoss {
            comingLoss = nil
            for other in plan.voters where other != process && !away.contains(other) {
                takeDown(other, for: .milliseconds(UInt64(random.number(in: 500...4_000))))
            }
            lose(part, of: process, for: .milliseconds(UInt64(random.number(in: 0...100))))
            return nil
        }
        let process = random.element(plan.voters)
        let part = random.element([.everything, .log, .store, .store] as [LostPart])
        guard isRunning(process), roster.canSpare(process, of: judge.membership.configuration) else {
            return nil
        }
        guard random.coin() else {
            lose(part, of: process, for: .milliseconds(UInt64(random.number(in: 0...3_000))))
            return nil
        }
        let others = random.shuffled(plan.voters.filter { $0 != process })
        let away = Array(others.prefix((plan.voters.count - 1) / 2))
        let span = TimeSpan.milliseconds(UInt64(random.number(in: 300...2_000)))
        for other in away { takeDown(other, for: span) }
        comingLoss = (process, part, away)
        return span
    }

    private func isRunning(_ process: ProcessID) -> Bool {
        roster.present.contains(process) && !roster.mayRefuse(process)
    }

    private mutating func takeDown(_ process: ProcessID, for span: TimeSpan) {
        guard cluster.isUp(process) else { return }
        cluster.crash(process, restartingAfter: span)
        lose(process)
    }

    private mutating func lose(_ part: LostPart, of process: ProcessID, for span: TimeSpan) {
        guard isRunning(process), roster.canSpare(process, of: judge.membership.configuration) else { return }
        takeDown(process, for: span)
        let disk = cluster.disk(of: process)
        switch part {
        case .everything: replaceDisk(of: process, after: span)
        case .log:
            // One whose cluster was not formed yet has promised nothing, and begins its log.
            let isFormed = disk.cell(MemberIdentity.cell).map { $0.count > 8 } ?? false
            cluster.wipe(process, .files, restartingAfter: span)
            roster.loseVote(process, start: isFormed ? .refused : .doubtful)
        case .store:
            cluster.wipe(process, .cells(MemberHost.storeCells), restartingAfter: span)
            if MemberHost.storeCells.contains(where: { disk.cell($0) != nil }) {
                roster.loseVote(process, start: .doubtful)
            }
        }
    }

    /// The member is given an empty disk, on which it begins under its old name.
    private mutating func replaceDisk(of process: ProcessID, after span: TimeSpan) {
        cluster.wipe(process, .everything, restartingAfter: span)
        disks.replace(process)
        witness.forget(process)
        roster.replaceDisk(of: process)
        roster.loseVote(process, start: .empty)
        lose(process)
    }

    /// Something in the log of a member is not as it was written. What a crash cannot have done is to be seen at its next
    /// start, at the latest.
    mutating func damageLog() throws(Violation) {
        let process = random.element(plan.voters)
        guard isRunning(process), roster.canSpare(process, of: judge.membership.configuration) else { return }
        takeDown(process, for: .milliseconds(UInt64(random.number(in: 100...2_000))))
        let files = cluster.disk(of: process).cachedFiles
        guard let damage = LogDamage(files, &random) else { return }
        let effect = damage.effect(on: files, segmentBytes: segmentBytes)
        cluster.noteDamage(of: process)
        switch effect {
        // What only shortens the last write looks like what a crash does; the machine did not lose it, though.
        case .shortened: return
        case .deceived:
            throw Violation(
                .recovery, "\(process) does not see the damage in its log: \(damage.kind.rawValue)")
        case .none: statistics.note(.damagePassed)
        case .refused: roster.loseVote(process, start: .refused)
        }
        statistics.note(damage.kind)
        damage.strike(files)
    }

    // MARK: starts

    mutating func onRefusedStart(_ process: ProcessID, _ reason: String) throws(Violation) {
        guard roster.mayRefuse(process) else {
            throw Violation(.recovery, "\(process) refused to start: \(reason)")
        }
        let isLogGone = !cluster.disk(of: process).cachedFiles.paths.contains {
            $0.hasPrefix(SimulatedLogDirectory.path)
        }
        statistics.note(isLogGone ? .logMissed : roster.mustRefuse(process) ? .damageRefused : .storeMissed)
        // As an operator does who has no copy of what was lost.
        replaceDisk(of: process, after: .milliseconds(UInt64(random.number(in: 100...2_000))))
    }

    mutating func onStarted(_ process: ProcessID) throws(Violation) {
        guard !roster.mustRefuse(process) else {
            throw Violation(
                .recovery, "\(process) started with a log in which something is missing or damaged")
        }
        if roster.mayRefuse(process) {
            roster.noteStarted(process)
            statistics.note(.lostStoreMadeAnew)
        }
        guard cluster[process]?.member?.replica.hasLostItsVote == true else { return }
        witness.ignore(process)
        statistics.note(.diskLost)
    }
}
