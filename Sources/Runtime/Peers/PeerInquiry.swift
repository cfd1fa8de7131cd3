import Automata
import NIOCore
import NIOPosix

/// A process that joins asks the others to which cluster they belong, and one that does not know how its cluster
/// was formed asks for that.
enum PeerInquiry {
    /// Asks one after the other, again and again for `seconds`. Blocks. Throws `ServerError`.
    static func clusterID(asking urls: [PeerURL], on group: any EventLoopGroup, seconds: UInt64) throws
        -> UInt64
    {
        guard !urls.isEmpty else {
            throw ServerError(.badOptions, "a member that joins must be told who the others are")
        }
        let deadline = MonotonicClock.now() + .seconds(seconds)
        var last: any Error = ServerError(.failed, "nobody answered")
        repeat {
            for url in urls {
                do {
                    return try ask(url, on: group)
                } catch {
                    last = error
                }
            }
            pause(.milliseconds(200))
        } while MonotonicClock.now() < deadline
        throw ServerError(.failed, "no member of the existing cluster could be asked who they are: \(last)")
    }

    private static func ask(_ url: PeerURL, on group: any EventLoopGroup) throws -> UInt64 {
        let greeting = PeerGreeting(
            purpose: .inquiry, clusterID: 0, sender: ProcessID(0), receiver: ProcessID(0))
        return try ask(url, greeting, on: group.next(), within: .seconds(2)).wait().clusterID
    }

    /// One greeting and its answer, on a connection of their own.
    static func ask(
        _ url: PeerURL, _ greeting: PeerGreeting, on loop: any EventLoop, within time: TimeAmount
    ) -> EventLoopFuture<PeerGreetingAnswer> {
        let answer = loop.makePromise(of: PeerGreetingAnswer.self)
        let late = loop.scheduleTask(in: time) { answer.fail(ServerError(.failed, "no answer in time")) }
        ClientBootstrap(group: loop)
            .connectTimeout(time)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PeerInquiryHandler(greeting, answer))
                }
            }
            .connect(host: url.host, port: url.port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
                case .failure(let error): answer.fail(error)
                }
            }
        answer.futureResult.whenComplete { _ in late.cancel() }
        return answer.futureResult
    }
}

private final class PeerInquiryHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let greeting: PeerGreeting
    private let answer: EventLoopPromise<PeerGreetingAnswer>
    private var reader = PeerFrameReader()

    init(_ greeting: PeerGreeting, _ answer: EventLoopPromise<PeerGreetingAnswer>) {
        self.greeting = greeting
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.receive(unwrapInboundIn(data))
        do {
            while try reader.next(
                limit: 4096,
                { kind, body in
                    guard kind == .greetingAnswer else {
                        throw PeerProtocolError("a frame that is out of place")
                    }
                    answer.succeed(try PeerGreetingAnswer(decoding: body))
                })
            {}
        } catch {
            answer.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(PeerProtocolError("the connection was closed"))
    }
}
