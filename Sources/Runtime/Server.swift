import Automata
import Coordination
import NIOCore
import NIOPosix

/// A member of a cluster in production: the host that carries out what a `Replica` asks for, and the service
/// that dialects talk to.
public final class Server: CoordinationService, @unchecked Sendable {
    public let options: ServerOptions

    private init(options: ServerOptions) { self.options = options }

    /// Recovers from the data directory, listens for peers and takes part. Blocks until the server serves;
    /// a leader need not be known by then. Throws `ServerError`.
    public static func start(_ options: ServerOptions) throws -> Server {
        fatalError("being written")
    }

    /// Stops in order: hands leadership over where that is quick, answers what waits with `.stopped`, makes
    /// the store durable, closes everything. Blocks until done; calling it again does nothing.
    public func stop() { fatalError("being written") }

    /// The addresses that peers can connect to, with the real port where 0 was asked for.
    public var peerAddresses: [SocketAddress] { fatalError("being written") }

    public func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        fatalError("being written")
    }

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { fatalError("being written") }

    public func openView() throws -> any OrderedView { fatalError("being written") }

    public var status: ServiceStatus { fatalError("being written") }

    public var limits: ServiceLimits { options.limits }
}
