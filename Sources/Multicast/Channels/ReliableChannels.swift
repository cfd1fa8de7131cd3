import Automata

/// What goes over a channel that loses, repeats and reorders so that what comes out at its end does not.
public enum ChannelFrame<Message: Hashable & Sendable>: Hashable, Sendable {
    /// Numbered from 1 for each pair of processes.
    case data(UInt64, Message)
    /// Everything up to this number has come.
    case acknowledged(UInt64)
}

extension ChannelFrame: CustomStringConvertible {
    public var description: String {
        switch self {
        case .data(let number, let message): "\(number): \(message)"
        case .acknowledged(let number): "acknowledged(\(number))"
        }
    }
}

/// Channels to other processes that deliver everything once and in order, made of a network that does not: numbers,
/// cumulative acknowledgements, and sending again until acknowledged.
///
/// A peer that crashes is to be forgotten; otherwise what was meant for it is kept for ever.
public struct ReliableChannels<Message: Hashable & Sendable>: Hashable, Sendable {
    private struct Channel: Hashable, Sendable {
        let peer: ProcessID
        /// Sent and not acknowledged.
        var unacknowledged: [Message] = []
        var acknowledged: UInt64 = 0
        /// How many have come out.
        var received: UInt64 = 0
        /// What came before its turn, from number `received + 1` on.
        var early: [Message?] = []
    }

    /// In ascending order of peers.
    private var channels: [Channel]
    private let limit: Int

    /// `limit`: how many messages that came before their turn are kept; more are dropped and come again.
    public init(to peers: [ProcessID], limit: Int = 256) {
        channels = peers.sorted().map { Channel(peer: $0) }
        self.limit = limit
    }

    /// The most that any one peer has not acknowledged.
    public var backlog: Int { channels.map(\.unacknowledged.count).max() ?? 0 }
    public var heldCount: Int {
        channels.reduce(0) { $0 + $1.unacknowledged.count + $1.early.count { $0 != nil } }
    }

    /// What to send to the peer now; nil where it is none, or was forgotten.
    public mutating func send(_ message: Message, to peer: ProcessID) -> ChannelFrame<Message>? {
        guard let place = place(of: peer) else { return nil }
        channels[place].unacknowledged.append(message)
        let number = channels[place].acknowledged + UInt64(channels[place].unacknowledged.count)
        return .data(number, message)
    }

    /// What comes out of the channel, in order, and what to answer.
    public mutating func receive(
        _ frame: ChannelFrame<Message>, from peer: ProcessID
    ) -> (messages: [Message], answer: ChannelFrame<Message>?) {
        guard let place = place(of: peer) else { return ([], nil) }
        switch frame {
        case .acknowledged(let number):
            let sent = channels[place].acknowledged + UInt64(channels[place].unacknowledged.count)
            guard number > channels[place].acknowledged, number <= sent else { return ([], nil) }
            channels[place].unacknowledged.removeFirst(Int(number - channels[place].acknowledged))
            channels[place].acknowledged = number
            return ([], nil)
        case .data(let number, let message):
            var messages: [Message] = []
            if number > channels[place].received, number - channels[place].received <= UInt64(limit) {
                let early = Int(number - channels[place].received) - 1
                while channels[place].early.count <= early { channels[place].early.append(nil) }
                channels[place].early[early] = message
                while let next = channels[place].early.first, let next {
                    messages.append(next)
                    channels[place].early.removeFirst()
                    channels[place].received += 1
                }
            }
            return (messages, .acknowledged(channels[place].received))
        }
    }

    /// What was not acknowledged, to be sent again.
    public func resend(atMost count: Int = 16) -> [(frame: ChannelFrame<Message>, to: ProcessID)] {
        channels.flatMap { channel in
            channel.unacknowledged.prefix(count).enumerated().map { place, message in
                (.data(channel.acknowledged + UInt64(place) + 1, message), channel.peer)
            }
        }
    }

    public mutating func forget(_ peer: ProcessID) { channels.removeAll { $0.peer == peer } }

    private func place(of peer: ProcessID) -> Int? { channels.firstIndex { $0.peer == peer } }
}
