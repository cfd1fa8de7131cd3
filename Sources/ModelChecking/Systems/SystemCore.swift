import Automata

/// What may happen in a system, in terms of numbers alone, so that it is the same code for all processes.
@usableFromInline final class SystemCore: Sendable {
    @usableFromInline let processes: [ProcessID]
    let options: SystemOptions
    let network: NetworkWords
    private let count: Int
    private let mayCrash: [Bool]
    private let symmetry: SystemSymmetry
    let summaries = GrowingList<LocalSummary>()
    /// By number of a message.
    let messageMarks: GrowingList<Fingerprint>
    private let memory = StepMemory()

    init(_ processes: [ProcessID], _ options: SystemOptions) {
        precondition(
            (1...MessageWord.mostProcesses).contains(processes.count),
            "\(processes.count) processes; there must be from 1 to \(MessageWord.mostProcesses)")
        for bound in [options.crashes, options.losses, options.duplicates].compactMap({ $0 }) {
            precondition((0...SystemOptions.mostFaults).contains(bound), "\(bound) is no bound on faults")
        }
        self.processes = processes
        self.options = options
        count = processes.count
        messageMarks = GrowingList()
        network = NetworkWords(
            network: options.network, start: processes.count + 1, marks: messageMarks)
        mayCrash = processes.map { options.mayCrash?.contains($0) ?? true }
        symmetry = SystemSymmetry(options.interchangeable, among: processes)
    }

    deinit {
        for index in 0..<summaries.count {
            summaries[UInt32(index)].requests.deallocate()
            summaries[UInt32(index)].timers.deallocate()
        }
    }

    /// The bits that name a sender in the word of a message.
    @inline(__always) func sender(_ process: Int) -> UInt32 { MessageWord.word(0, from: process, to: 0) }

    // MARK: What may happen

    /// `addFromInbox` appends what a process, named by its place, may be asked for because of its inbox.
    func addActions(
        in state: SystemState, to actions: inout [SystemAction],
        addFromInbox: (Int, inout [SystemAction]) -> Void
    ) {
        let faults = FaultCounts(state.words[count])
        let crashes = options.crashes.map { faults.crashes < $0 } ?? true
        if options.durability == .beforeAnythingElse {
            for process in 0..<count {
                let undurable = summaries[state.words[process]].undurable
                guard undurable > 0 else { continue }
                actions.append(SystemAction(.durability, process, undurable))
                if crashes, mayCrash[process] { actions.append(SystemAction(.crash, process, 0)) }
                return
            }
        }
        addDeliveries(in: state, faults, to: &actions)
        for process in 0..<count {
            let summary = summaries[state.words[process]]
            for request in summary.requests { actions.append(SystemAction(.request, process, request)) }
            if summary.looksIntoInbox { addFromInbox(process, &actions) }
            for timer in summary.timers { actions.append(SystemAction(.timer, process, timer)) }
            for durable in 0..<summary.undurable {
                actions.append(SystemAction(.durability, process, durable + 1))
            }
            if crashes, mayCrash[process] { actions.append(SystemAction(.crash, process, 0)) }
        }
    }

    private func addDeliveries(
        in state: SystemState, _ faults: FaultCounts, to actions: inout [SystemAction]
    ) {
        let mayLose = options.losses.map { faults.losses < $0 } ?? true
        let mayRepeat = options.duplicates.map { faults.duplicates < $0 } ?? true
        for place in network.start..<state.words.count where network.isNext(place, in: state.words) {
            let (from, to) = (MessageWord.from(state.words[place]), MessageWord.to(state.words[place]))
            let operand = UInt32(truncatingIfNeeded: place)
            actions.append(SystemAction(.delivery, to, operand, from: from))
            guard options.network != .everSent else { continue }
            if mayRepeat { actions.append(SystemAction(.duplicate, to, operand, from: from)) }
            if mayLose { actions.append(SystemAction(.loss, to, operand, from: from)) }
        }
    }

    // MARK: What follows

    /// `compute` works out what follows from an input in a local state, when that is not known yet.
    func successor(
        of state: SystemState, by action: SystemAction,
        compute: (UInt32, SystemInput) -> (local: UInt32, sends: [UInt32])
    ) -> SystemState? {
        let process = action.process
        let local = state.words[process]
        switch action.kind {
        case .delivery, .duplicate:
            let word = state.words[Int(action.operand)]
            let outcome = outcome(
                of: local, .received(message: MessageWord.message(word), from: MessageWord.from(word)),
                compute)
            if options.network == .everSent { return next(state, process, outcome) }
            let isTaken = action.kind == .delivery
            return next(
                state, process, outcome, without: isTaken ? Int(action.operand) : nil,
                counting: isTaken || options.duplicates == nil ? nil : { $0.countDuplicate() })
        case .loss:
            var words = state.words
            words.remove(at: Int(action.operand))
            if options.losses != nil { count(in: &words) { $0.countLoss() } }
            return SystemState(words: words)
        case .request: return next(state, process, outcome(of: local, .requested(action.operand), compute))
        case .timer: return next(state, process, outcome(of: local, .timerFired(action.operand), compute))
        case .durability:
            return next(state, process, outcome(of: local, .durable(count: action.operand), compute))
        case .crash:
            let outcome = outcome(of: local, .crashed(process: process), compute)
            return next(
                state, process, outcome, counting: options.crashes == nil ? nil : { $0.countCrash() })
        }
    }

    @inline(__always)
    private func outcome(
        of local: UInt32, _ input: SystemInput,
        _ compute: (UInt32, SystemInput) -> (local: UInt32, sends: [UInt32])
    ) -> StepOutcome {
        memory.outcome(of: local, input.word) { compute(local, input) }
    }

    private func count(in words: inout [UInt32], _ change: (inout FaultCounts) -> Void) {
        var faults = FaultCounts(words[count])
        change(&faults)
        words[count] = faults.word
    }

    /// `nil` when nothing is different: then it was no step.
    @inline(__always)
    private func next(
        _ state: SystemState, _ process: Int, _ outcome: StepOutcome, without place: Int? = nil,
        counting fault: ((inout FaultCounts) -> Void)? = nil
    ) -> SystemState? {
        if place == nil, fault == nil, outcome.local == state.words[process] {
            if outcome.sends.isEmpty { return nil }
            let isNew =
                options.network != .everSent
                || outcome.sends.contains { send in
                    !state.words[network.start...].contains(send | sender(process))
                }
            if !isNew { return nil }
        }
        var words: [UInt32] = []
        words.reserveCapacity(state.words.count + outcome.sends.count)
        if let place {
            words += state.words[..<place]
            words += state.words[(place + 1)...]
        } else {
            words += state.words
        }
        words[process] = outcome.local
        if let fault { count(in: &words, fault) }
        for send in outcome.sends { network.insert(send | sender(process), into: &words) }
        return SystemState(words: words)
    }

    // MARK: Names of states

    func fingerprint(of state: SystemState) -> Fingerprint {
        var sum = FingerprintSum()
        for process in 0..<count {
            sum.add(summaries[state.words[process]].fingerprint, at: UInt64(process + 1) << 40)
        }
        if state.words[count] != 0 { sum.add(UInt64(state.words[count])) }
        forEachPlace(in: state) { word, position in
            sum.add(
                messageMarks[MessageWord.message(word)],
                at: position << 16 | UInt64(MessageWord.channel(word)) + 1)
        }
        return sum.fingerprint
    }

    /// Calls `body` with every message and its position in its channel, where that counts.
    @inline(__always)
    private func forEachPlace(in state: SystemState, _ body: (UInt32, _ position: UInt64) -> Void) {
        let isOrdered = options.network == .fifo || options.network == .overtaking
        var (position, channel) = (UInt64(0), UInt32.max)
        for place in network.start..<state.words.count {
            let word = state.words[place]
            position = isOrdered && MessageWord.channel(word) == channel ? position + 1 : 0
            channel = MessageWord.channel(word)
            body(word, position)
        }
    }

    func canonical(_ state: SystemState) -> SystemState {
        guard symmetry.isThere else { return state }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { marks in
            mark(state, marks)
            guard let places = symmetry.order(by: marks) else { return state }
            return renamed(state, places)
        }
    }

    /// Gives each process a mark that its name does not bear on.
    private func mark(_ state: SystemState, _ marks: UnsafeMutableBufferPointer<UInt64>) {
        for process in 0..<count {
            marks[process] = FingerprintSum.mixed(summaries[state.words[process]].fingerprint.low)
        }
        forEachPlace(in: state) { word, position in
            let (from, to) = (MessageWord.from(word), MessageWord.to(word))
            let low = messageMarks[MessageWord.message(word)].low &+ position << 16
            marks[to] &+= FingerprintSum.mixed(low &+ symmetry.mark(of: from) << 1)
            marks[from] &+= FingerprintSum.mixed(~low &+ symmetry.mark(of: to) << 1)
        }
    }

    private func renamed(_ state: SystemState, _ places: [Int]) -> SystemState {
        var words = state.words
        for process in 0..<count { words[places[process]] = state.words[process] }
        for place in network.start..<words.count {
            let word = words[place]
            words[place] = MessageWord.word(
                MessageWord.message(word), from: places[MessageWord.from(word)],
                to: places[MessageWord.to(word)])
        }
        network.sort(&words)
        return SystemState(words: words)
    }
}
