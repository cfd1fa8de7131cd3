import Automata
import ModelChecking

/// Servers of a register and clients that each put once and then get once, over a network that loses and
/// repeats nothing and keeps no order.
///
/// Client i sends its put to server i modulo their number and its get to the one after it; its requests are
/// numbered i and 2i. A message that its receiver does not look at stays in the network, without a step.
/// The clients' histories are a part of the state.
struct RegisterSystem<Server: RegisterServer>: Model {
    struct State: Hashable, Sendable, Fingerprinted {
        var servers: [Server]
        var clients: [RegisterClient]
        /// In ascending order; what is on its way twice is there twice.
        var network: [Envelope]

        func combine(into hash: inout StableHash) {
            for server in servers { server.combine(into: &hash) }
            for client in clients { hash.combine(UInt64(client.word)) }
            for envelope in network { hash.combine(envelope.word) }
        }
    }

    /// The delivery of one message.
    typealias Action = Envelope

    let servers: Int
    let clients: Int

    func initialStates() -> [State] {
        var state = State(
            servers: (0..<servers).map { Server(number: $0, of: servers) },
            clients: Array(repeating: RegisterClient(), count: clients), network: [])
        for client in servers..<servers + clients {
            let put = RegisterMessage<Server.Message>.put(request: client, value: client)
            state.network.append(Envelope(put, from: client, to: client % servers))
        }
        state.network.sort()
        return [state]
    }

    func addActions(in state: State, to actions: inout [Envelope]) {
        var last: Envelope?
        for envelope in state.network where envelope != last {
            actions.append(envelope)
            last = envelope
        }
    }

    func successor(of state: State, by envelope: Envelope) -> State? {
        let receiver = envelope.receiver
        return receiver < servers
            ? deliver(envelope, toServer: receiver, state)
            : deliver(envelope, toClient: receiver, state)
    }

    private func deliver(_ envelope: Envelope, toServer number: Int, _ state: State) -> State? {
        var server = state.servers[number]
        var outbox = Outbox<Server.Message>(sender: number)
        guard server.receive(envelope.message(), from: envelope.sender, to: &outbox) else { return nil }
        var next = state
        next.servers[number] = server
        next.network.exchange(envelope, for: outbox.envelopes)
        return next
    }

    private func deliver(_ envelope: Envelope, toClient number: Int, _ state: State) -> State? {
        let index = number - servers
        var next = state
        var outbox = Outbox<Server.Message>(sender: number)
        switch (envelope.message(Server.Message.self), state.clients[index].phase) {
        case (.putOK(number), .putting):
            next.clients[index].invokeGet(state.clients, except: index)
            outbox.send(.get(request: 2 * number), to: (number + 1) % servers)
        case (.getOK(2 * number, let value), .getting):
            next.clients[index].finish(result: value)
        default: return nil
        }
        next.network.exchange(envelope, for: outbox.envelopes)
        return next
    }

    var properties: [Property<State>] {
        [
            .always("linearizable") {
                RegisterHistory(clients: $0.clients, firstClient: servers).isLinearizable
            },
            .sometimes("value read") { state in
                state.network.contains {
                    guard case .getOK(_, let value) = $0.message(Server.Message.self) else { return false }
                    return value != initialValue
                }
            },
        ]
    }

    // MARK: Words

    private func name(_ process: Int) -> String {
        process < servers ? "s\(process)" : "c\(process)"
    }

    func describe(_ envelope: Envelope, in state: State) -> String {
        "\(name(envelope.receiver)) receives \(text(envelope)) from \(name(envelope.sender))"
    }

    private func text(_ envelope: Envelope) -> String {
        switch envelope.message(Server.Message.self) {
        case .put(let request, let value): "put(\(request), \(text(value)))"
        case .get(let request): "get(\(request))"
        case .putOK(let request): "putOK(\(request))"
        case .getOK(let request, let value): "getOK(\(request), \(text(value)))"
        case .between(let message): Server.describe(message)
        }
    }

    private func text(_ value: Int) -> String { value == initialValue ? "nothing" : "v\(value)" }

    func actor(of envelope: Envelope) -> String? { name(envelope.receiver) }

    func describe(_ state: State) -> String {
        parts(of: state).map { "\($0.name): \($0.text)" }.joined(separator: "; ")
    }

    func parts(of state: State) -> [StatePart] {
        let clients = state.clients.enumerated().map { index, client in
            let result = client.phase == .done ? " with \(text(client.result))" : ""
            return StatePart(name: name(servers + index), text: "\(client.phase)\(result)")
        }
        let messages = state.network.map { "\(name($0.sender))→\(name($0.receiver)) \(text($0))" }
        let underWay = messages.isEmpty ? "nothing" : messages.joined(separator: ", ")
        return clients + [StatePart(name: "under way", text: underWay)]
    }
}

extension [Envelope] {
    /// Takes one message out and puts others in; the array stays sorted.
    fileprivate mutating func exchange(_ old: Envelope, for new: [Envelope]) {
        if let place = firstIndex(of: old) { remove(at: place) }
        for envelope in new {
            let place = firstIndex { $0 > envelope } ?? count
            insert(envelope, at: place)
        }
    }
}
