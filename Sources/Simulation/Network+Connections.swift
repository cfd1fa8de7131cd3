import Automata

/// What becomes of messages where processes speak over connections.
extension Network {
    func connection(_ from: Int, _ to: Int, _ lane: Lane) -> Connection {
        connections[(from * count + to) * Lane.allCases.count + lane.rawValue]
    }

    /// When the bytes of a parcel that is sent now have arrived, unless something happens to the connection on the
    /// way; `nil` when they never leave, or nowhere.
    mutating func arrival(of parcel: Parcel, from: Int, to: Int, at now: Instant) -> Instant? {
        if from == to { return now + TimeSpan(nanoseconds: 1) }
        let connection = connection(from, to, parcel.lane)
        let isSpared = isSheltered(from, to)
        guard isSpared || !isGivenUp(from, to, at: now) else { return nil }
        let rate = isSpared ? nil : rules.bytesPerSecond
        guard case .leaves(let left) = connection.send(parcel.bytes, at: now, bytesPerSecond: rate) else {
            return nil
        }
        if isSpared {
            return connection.arrival(notBefore: left + rules.delay.withoutSpikes.drawn(from: &random))
        }
        var time = max(left, links[from * count + to].cloggedUntil) + rules.delay.drawn(from: &random)
        // What is lost is sent again by the system, and holds up what is behind it.
        if random.chance(rules.lossPPM) {
            time = time + random.span(in: .milliseconds(5) ... .milliseconds(200))
        }
        return connection.arrival(notBefore: time)
    }

    /// Whether the link has been cut for so long, in either direction, that the sender has no connection any more.
    private func isGivenUp(_ from: Int, _ to: Int, at now: Instant) -> Bool {
        guard let silence = policy?.silence else { return false }
        for link in [from * count + to, to * count + from] {
            if let since = links[link].cutSince, now.since(since) >= silence { return true }
        }
        return false
    }

    /// A direction works again. What was not given up goes on when the system tries it again, which it does after
    /// waits that double; what was is dialled until somebody answers.
    mutating func resume(_ from: Int, _ to: Int, cutSince since: Instant, at now: Instant) {
        let took = now.since(since)
        let again = now + random.span(in: .zero...took)
        guard let silence = policy?.silence, took >= silence else {
            for lane in Lane.allCases { connection(from, to, lane).hold(until: again) }
            return
        }
        for (from, to) in [(from, to), (to, from)] {
            for lane in Lane.allCases {
                connection(from, to, lane).reset(upAt: dialled(since: since + silence, until: now))
            }
        }
    }

    /// When the first attempt after `end` is made of those that began at `start`.
    private mutating func dialled(since start: Instant, until end: Instant) -> Instant {
        guard let policy else { return end }
        var time = start
        var failures = 0
        repeat {
            time = time + random.span(in: policy.redial(failures))
            failures += 1
        } while time < end
        return time
    }

    /// One connection ends, and both sides know.
    mutating func reset(_ from: Int, _ to: Int, _ lane: Lane, at now: Instant) {
        connection(from, to, lane).reset(upAt: dialled(since: now, until: now))
    }

    /// Connections of one direction lead nowhere any more, and their sender has not been told.
    mutating func loseTrack(_ from: Int, _ to: Int, _ lanes: [Lane] = Lane.allCases, at now: Instant) {
        let noticed = policy?.silence.map { now + $0 } ?? Instant(nanoseconds: .max)
        let upAt = policy?.silence == nil ? noticed : dialled(since: noticed, until: noticed)
        for lane in lanes { connection(from, to, lane).die(noticedAt: noticed, upAt: upAt) }
    }

    /// A process went down. Those who spoke with it are told by its system, unless that has gone with it.
    mutating func lose(_ process: Int, withItsSystem: Bool, at now: Instant) {
        guard policy != nil else { return }
        for other in 0..<count where other != process {
            guard !withItsSystem else {
                loseTrack(other, process, at: now)
                continue
            }
            for lane in Lane.allCases { connection(other, process, lane).reset(upAt: now) }
        }
    }
}
