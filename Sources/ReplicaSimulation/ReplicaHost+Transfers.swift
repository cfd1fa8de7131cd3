import Automata
import Paxos
import PeerLinks
import Simulation

/// How checkpoints travel.
struct TransferSettings {
    /// How long either side waits for the other: the server's limits.
    var times: LinkTimes
    var pieces = 1
    var pieceBytes = 0
    /// Of a thousand transfers, in how many one side does not get on although it is alive.
    var hangsPerMille: UInt64 = 0
}

/// The checkpoints that a process sends and the one that it receives, as the server's exporter and importer do it:
/// in pieces, of which few are on their way at once, with a word at every tick that this side is there.
struct Transfers {
    static let piecesInFlight = 4

    struct Sending {
        let to: ProcessID
        let number: UInt64
        /// What the state machine was when the receiver had said that it takes it.
        var image: [UInt8]?
        var sent = 0
        var taken = 0
        var watch: TransferWatch
    }

    struct Receiving {
        let from: ProcessID
        let number: UInt64
        var pieces = 0
        /// It takes no more, and says at every tick that it is there.
        var hangs = false
        var watch: TransferWatch
    }

    var sending: [Sending] = []
    var receiving: Receiving?
    private var lastNumber: UInt64

    /// Each life begins with a number of its own, so that nothing is taken for what an earlier one has sent.
    init(firstNumber: UInt64) { lastNumber = firstNumber }

    mutating func nextNumber() -> UInt64 {
        lastNumber &+= 1
        return lastNumber
    }
}

extension ReplicaHost {
    private var times: LinkTimes { settings.transfers.times }

    func say(
        _ content: TransferMessage.Content, of number: UInt64, to: ProcessID, into outputs: inout [Output]
    ) {
        let message = TransferMessage(number: number, content: content)
        outputs.append(
            .send(.transfer(message, formation: identity.formation?.nonce ?? 0), to: to, after: .none))
    }

    /// Which piece is never sent, or never taken, of a transfer that does not get on.
    private func hangsAt(_ number: UInt64) -> Int? {
        let draw = number &* 0x9E37_79B9_7F4A_7C15 >> 32
        guard draw % 1_000 < settings.transfers.hangsPerMille else { return nil }
        return Int(draw / 1_000 % UInt64(settings.transfers.pieces))
    }

    // MARK: Sending

    mutating func sendCheckpoint(_ to: ProcessID, into outputs: inout [Output]) {
        let number = transfers.nextNumber()
        transfers.sending.removeAll { $0.to == to }
        transfers.sending.append(
            .init(to: to, number: number, watch: TransferWatch(times)))
        outputs.append(.report(.sentCheckpoint(to: to)))
        outputs.append(.dial(to, .transfer))
        outputs.append(.setTimer(.sending(to), after: times.tick...times.tick))
        say(.greeting, of: number, to: to, into: &outputs)
    }

    private mutating func sendPieces(_ index: Int, into outputs: inout [Output]) {
        if transfers.sending[index].image == nil { transfers.sending[index].image = machine.image }
        let sending = transfers.sending[index]
        let count = settings.transfers.pieces
        // Whoever has an even number hangs at the sender's, another at the receiver's.
        let hangsAt = sending.number % 2 == 0 ? hangsAt(sending.number) : nil
        while transfers.sending[index].sent < min(count, sending.taken + Transfers.piecesInFlight),
            transfers.sending[index].sent != hangsAt
        {
            let piece = transfers.sending[index].sent
            transfers.sending[index].sent += 1
            say(
                .piece(
                    piece, of: count, bytes: settings.transfers.pieceBytes,
                    image: piece == count - 1 ? sending.image ?? [] : []),
                of: sending.number, to: sending.to, into: &outputs)
        }
    }

    private mutating func endSending(_ index: Int, into outputs: inout [Output]) -> Transfers.Sending {
        let ended = transfers.sending.remove(at: index)
        outputs.append(.cancelTimer(.sending(ended.to)))
        return ended
    }

    private mutating func failSending(_ index: Int, into outputs: inout [Output]) {
        let ended = endSending(index, into: &outputs)
        outputs.append(.setTimer(.sendAgain(ended.to), after: times.nextTransfer...times.nextTransfer))
    }

    mutating func onSendingTick(_ to: ProcessID, into outputs: inout [Output]) {
        guard let index = transfers.sending.firstIndex(where: { $0.to == to }) else { return }
        let number = transfers.sending[index].number
        switch transfers.sending[index].watch.tick() {
        case .goOn:
            say(.alive, of: number, to: to, into: &outputs)
            outputs.append(.setTimer(.sending(to), after: times.tick...times.tick))
        case .silent, .stalled:
            pass(.sendingGivenUp, into: &outputs)
            say(.ended, of: number, to: to, into: &outputs)
            failSending(index, into: &outputs)
        }
    }

    // MARK: Receiving

    private mutating func onGreeting(_ number: UInt64, _ from: ProcessID, into outputs: inout [Output]) {
        guard transfers.receiving == nil, installing == nil else {
            // It may be a copy.
            if transfers.receiving?.number == number || installing?.number == number { return }
            pass(.transferRefused, into: &outputs)
            return say(.ended, of: number, to: from, into: &outputs)
        }
        transfers.receiving = .init(from: from, number: number, watch: TransferWatch(times))
        outputs.append(.setTimer(.receiving, after: times.tick...times.tick))
        say(.taken(0), of: number, to: from, into: &outputs)
    }

    private mutating func onPiece(
        _ piece: Int, of count: Int, _ image: [UInt8], _ number: UInt64, _ from: ProcessID,
        into outputs: inout [Output]
    ) {
        if let installing, installing.from == from, installing.number == number { return }
        guard let receiving = transfers.receiving, receiving.from == from, receiving.number == number else {
            // It was given up, or is a copy.
            return say(.ended, of: number, to: from, into: &outputs)
        }
        guard piece >= receiving.pieces, !receiving.hangs else { return }
        guard piece == receiving.pieces else {
            say(.ended, of: number, to: from, into: &outputs)
            return failReceiving(into: &outputs)
        }
        take(piece, of: count, image, into: &outputs)
    }

    private mutating func take(
        _ piece: Int, of count: Int, _ image: [UInt8], into outputs: inout [Output]
    ) {
        guard var receiving = transfers.receiving else { return }
        receiving.watch.heard()
        if receiving.number % 2 == 1, hangsAt(receiving.number) == piece {
            receiving.hangs = true
            transfers.receiving = receiving
            return
        }
        receiving.pieces += 1
        receiving.watch.progressed()
        transfers.receiving = receiving
        guard receiving.pieces == count else {
            return say(.taken(receiving.pieces), of: receiving.number, to: receiving.from, into: &outputs)
        }
        transfers.receiving = nil
        install(image, receiving.number, from: receiving.from, into: &outputs)
    }

    /// Whoever is asked next is free to send another.
    private mutating func failReceiving(into outputs: inout [Output]) {
        guard let ended = transfers.receiving else { return }
        transfers.receiving = nil
        inputs.append(.checkpointFailed(ended.from))
    }

    mutating func onReceivingTick(into outputs: inout [Output]) {
        guard transfers.receiving != nil || installing != nil else { return }
        outputs.append(.setTimer(.receiving, after: times.tick...times.tick))
        if let (_, _, from, number) = installing { say(.alive, of: number, to: from, into: &outputs) }
        guard let (from, number) = transfers.receiving.map({ ($0.from, $0.number) }) else { return }
        switch transfers.receiving?.watch.tick() ?? .goOn {
        case .goOn: say(.alive, of: number, to: from, into: &outputs)
        case .silent, .stalled:
            pass(.receivingGivenUp, into: &outputs)
            say(.ended, of: number, to: from, into: &outputs)
            failReceiving(into: &outputs)
        }
    }

    // MARK: Both

    mutating func onTransferMessage(
        _ message: TransferMessage, _ from: ProcessID, into outputs: inout [Output]
    ) {
        let number = message.number
        if message.content == .greeting { return onGreeting(number, from, into: &outputs) }
        if case .piece(let piece, let count, _, let image) = message.content {
            return onPiece(piece, of: count, image, number, from, into: &outputs)
        }
        if transfers.receiving?.from == from, transfers.receiving?.number == number {
            transfers.receiving?.watch.heard()
            if message.content == .ended { failReceiving(into: &outputs) }
        }
        guard let index = transfers.sending.firstIndex(where: { $0.to == from && $0.number == number }) else {
            // The answer to an earlier checkpoint, which was given up.
            return
        }
        transfers.sending[index].watch.heard()
        switch message.content {
        case .taken(let count) where count > transfers.sending[index].taken || count == 0:
            transfers.sending[index].taken = max(count, transfers.sending[index].taken)
            transfers.sending[index].watch.progressed()
            sendPieces(index, into: &outputs)
        case .installed:
            _ = endSending(index, into: &outputs)
            inputs.append(.checkpointSent(to: from))
        case .ended: failSending(index, into: &outputs)
        case .greeting, .piece, .taken, .alive: break
        }
    }
}
