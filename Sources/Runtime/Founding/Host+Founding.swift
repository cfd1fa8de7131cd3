import Automata
import Coordination
import Member
import Paxos
import Replica
import WriteAheadLog

// How the cluster began, and what a member is told that has lost its vote.
extension Host {
    /// Steps the agreement on how the cluster began, and carries out what it wants.
    func found(_ input: Founding.Input) {
        var outputs: [Founding.Output] = []
        founding.step(input, at: now, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let message, let receiver):
                // Questions that come are answered on the connection on which they come.
                if case .question = message { ask(receiver) }
            // Questions are asked at every beat.
            case .setTimer: break
            case .record(let formation): record(formation)
            case .begin(let formation): begin(formation)
            }
        }
    }

    private func ask(_ member: ProcessID) {
        let urls = (identity.members.first { $0.id == member })?.peerURLs ?? []
        network.ask(member, at: urls.compactMap { try? PeerURL($0) })
    }

    private func record(_ formation: Formation) {
        ownFormation.beginRecording(formation)
        do {
            try directory.record(DataDirectory.Formation(formation))
            try storeFirstConfiguration(formation)
        } catch {
            return onFailure("how the cluster was formed cannot be made durable: \(error)")
        }
        ownFormation.endRecording()
        found(.recorded)
    }

    /// A checkpoint of the store carries its configuration. After a crash it is made from the formation again.
    private func storeFirstConfiguration(_ formation: Formation) throws {
        guard formation.configuration.epoch > 0 else { return }
        try store.store.write { transaction in
            let applied = try AppliedState(from: transaction)
            guard applied.configuration.isEmpty else { return }
            try AppliedState.setSlot(applied.slot, in: transaction)
            try AppliedState.setConfiguration(
                ConfigurationCodec.encode(formation.configuration), in: transaction)
        }
    }

    private func begin(_ formation: Formation) {
        let isFounder = formation.isFounder(identity.memberID, founding.settings.disk)
        report(
            .info,
            isFounder
                ? "the cluster is formed (\(hex(formation.nonce), as: "formation")), and this member takes part"
                : "the cluster was formed (\(hex(formation.nonce), as: "formation")) without this disk")
        tell(.formed(formation.configuration))
    }

    // MARK: At every beat

    func continueFounding() {
        if founding.formation == nil {
            found(.timerFired)
            tellWhoIsMissing()
        }
        tellLostVotes()
    }

    /// Once a second while that changes, and every ten seconds.
    private func tellWhoIsMissing() {
        let missing = founding.missing
        guard founding.settings.isNew, !missing.isEmpty, toldMissingAt + .seconds(1) < now,
            missing != toldMissing || toldMissingAt + .seconds(10) < now
        else { return }
        toldMissing = missing
        toldMissingAt = now
        var line = LogLine("the cluster forms once all its first members are there at once; waiting for ")
        for (index, member) in missing.enumerated() {
            line = line + (index > 0 ? ", " : "") + "\(member: member, as: "waiting-for")"
        }
        report(.info, line)
    }

    /// Once a minute: nobody looks at a log at the moment when a vote is lost.
    private func tellLostVotes() {
        guard toldLostVotesAt == .zero || toldLostVotesAt + .seconds(60) < now else { return }
        let others = member.replica.votersWithoutVote
        guard member.replica.hasLostItsVote || !others.isEmpty else { return }
        toldLostVotesAt = now
        if member.replica.hasLostItsVote {
            report(
                .error,
                "this member has no vote: its data directory is not the one with which it took part, so what it "
                    + "had promised and acknowledged is lost. It follows the others and answers serializable reads "
                    + "only. If the old directory is still there, stop the member and start it with that one, as "
                    + "it was when the member last stopped; a member cannot be replaced by another yet. See \"A "
                    + "lost disk\" in docs/operations")
        }
        for (member, _) in others {
            report(
                .warning,
                "\(member: member) has no vote any more: it came back with another data directory than the one "
                    + "with which it took part. As long as it does, the cluster tolerates one failure less")
        }
    }
}
