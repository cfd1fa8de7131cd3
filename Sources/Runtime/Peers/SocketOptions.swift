import Automata
import NIOCore
import PeerLinks

extension TimeAmount {
    init(_ span: TimeSpan) { self = .nanoseconds(Int64(span.nanoseconds)) }
}

extension LinkTimes {
    var unacknowledgedMilliseconds: ChannelOptions.Types.SocketOption.Value {
        .init(unacknowledged.nanoseconds / 1_000_000)
    }
}

extension ChannelOption where Self == ChannelOptions.Types.SocketOption {
    /// TCP_USER_TIMEOUT, milliseconds (tcp(7)).
    static var tcpUserTimeout: Self { ChannelOptions.tcpOption(.init(rawValue: 18)) }
    /// TCP_NOTSENT_LOWAT, bytes (tcp(7)).
    static var tcpNotSentLowWater: Self { ChannelOptions.tcpOption(.init(rawValue: 25)) }
}
