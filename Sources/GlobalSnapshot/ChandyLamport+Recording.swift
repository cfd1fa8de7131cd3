import Automata

/// The marker-sending rule, the marker-receiving rule, and what is recorded between markers.
extension ChandyLamport {
    /// How many snapshots this process has to do with.
    private var openSnapshots: Int { max(recordings.count, collection.open.count) }

    private func index(of id: SnapshotID) -> Int? { recordings.firstIndex { $0.id == id } }

    /// Somebody here wants a snapshot. Where it has begun already, this process only waits for the result.
    mutating func onSnapshotRequested(_ id: SnapshotID, _ outputs: inout [Output]) {
        if id.initiator == process { lastSequence = max(lastSequence, id.sequence) }
        if collection.hasEnded(id) {
            outputs.append(.refuse(id, .ended))
        } else if index(of: id) != nil || finished.contains(id) {
            collection.ask(for: id)
        } else if openSnapshots >= limits.concurrentSnapshots {
            outputs.append(.refuse(id, .tooManySnapshots))
        } else if collection.method == .flooding, !topology.isStronglyConnected {
            outputs.append(.refuse(id, .notStronglyConnected))
        } else {
            collection.ask(for: id)
            record(id, closing: nil, &outputs)
        }
    }

    /// The marker-receiving rule: the first marker makes the process record, and each closes its channel.
    mutating func onMarker(
        _ id: SnapshotID, from sender: ProcessID, at now: Instant, _ outputs: inout [Output]
    ) {
        // A marker from a process that is known to have departed belongs to a snapshot that is being aborted.
        guard topology.contains(ChannelID(from: sender, to: process)) else { return }
        if let index = index(of: id) {
            if let source = recordings[index].sources.firstIndex(where: { $0.process == sender }) {
                recordings[index].sources[source].isOpen = false
            }
            finishIfClosed(id, at: now, &outputs)
        } else if finished.contains(id) || collection.hasEnded(id) {
            // The snapshot was aborted while the marker was on its way.
        } else if openSnapshots >= limits.concurrentSnapshots {
            abort(id, because: .tooManySnapshots(at: process), at: now, &outputs)
        } else {
            record(id, closing: sender, &outputs)
        }
    }

    /// The marker-sending rule: the state first, then a marker through every channel before anything else.
    private mutating func record(_ id: SnapshotID, closing sender: ProcessID?, _ outputs: inout [Output]) {
        outputs.append(.recordState(id))
        for destination in topology.destinations(of: process) {
            outputs.append(.send(.marker(id), to: destination))
        }
        let sources = topology.sources(of: process).map {
            Recording.Source(process: $0, isOpen: $0 != sender)
        }
        let index = recordings.firstIndex { $0.id > id } ?? recordings.count
        recordings.insert(Recording(id: id, isInitiator: sender == nil, sources: sources), at: index)
        collection.expect(id)
    }

    /// A message is part of the channel's state for every snapshot whose marker it arrived before.
    mutating func onApplication(
        _ payload: Payload, from sender: ProcessID, at now: Instant, _ outputs: inout [Output]
    ) {
        let channel = ChannelID(from: sender, to: process)
        var tooLong: [SnapshotID] = []
        for index in recordings.indices {
            guard let source = recordings[index].sources.firstIndex(where: { $0.process == sender }),
                recordings[index].sources[source].isOpen
            else { continue }
            recordings[index].messages.append(RecordedMessage(channel: channel, payload: payload))
            recordings[index].sources[source].bytes += SnapshotLimits.bytes(payload)
            if recordings[index].sources[source].bytes > limits.recordedBytesPerChannel {
                tooLong.append(recordings[index].id)
            }
        }
        outputs.append(.deliver(payload, from: sender))
        for id in tooLong { abort(id, because: .channelTooLong(channel), at: now, &outputs) }
    }

    /// The snapshot may have been aborted since the host was asked for the state; then it is not wanted.
    mutating func onStateRecorded(
        _ id: SnapshotID, _ state: Payload, at now: Instant, _ outputs: inout [Output]
    ) {
        guard let index = index(of: id) else { return }
        recordings[index].state = state
        finishIfClosed(id, at: now, &outputs)
    }

    private mutating func finishIfClosed(_ id: SnapshotID, at now: Instant, _ outputs: inout [Output]) {
        guard let index = index(of: id), let piece = recordings[index].piece(of: process) else { return }
        stopRecording(id)
        onReport(SnapshotReport(id: id, .piece(piece)), from: nil, at: now, &outputs)
    }
}
