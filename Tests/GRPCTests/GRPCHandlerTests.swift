import GRPCTestSupport
import NIOCore
import NIOEmbedded
import Testing

@testable import GRPC

/// How the handler treats its channel.
@Suite struct GRPCHandlerTests {
    /// A channel that counts what reaches its head, with a client in front of it.
    private final class Bench {
        let channel = EmbeddedChannel()
        let client = HTTP2TestSession(window: 100 << 20)
        let log = EchoService.Log()
        let counter = Counter()

        init() throws {
            let log = NIOLoopBound(log, eventLoop: channel.embeddedEventLoop)
            try channel.pipeline.syncOperations.addHandler(counter)
            try channel.pipeline.syncOperations.addHandler(
                GRPCHandler(settings: GRPCSettings()) { _ in EchoService(log: log.value) })
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func run() throws {
            let bytes = client.takeOutput()
            if !bytes.isEmpty { try channel.writeInbound(ByteBuffer(bytes: bytes)) }
            channel.embeddedEventLoop.run()
            while let output = try channel.readOutbound(as: ByteBuffer.self) {
                client.receive(output.readableBytesView)
            }
        }
    }

    private final class Counter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0
        var writes = 0
        var largestWrite = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            writes += 1
            largestWrite = max(largestWrite, unwrapOutboundIn(data).readableBytes)
            context.write(data, promise: promise)
        }
    }

    @Test("all that one read brings is answered with one write")
    func oneWrite() throws {
        let bench = try Bench()
        try bench.run()
        let before = bench.counter.writes
        for index in 0..<256 {
            bench.client.request(
                GRPCWire.fields("/test.Echo/Unary"), body: GRPCWire.frame([UInt8(index)]))
        }
        try bench.run()
        #expect(bench.counter.writes == before + 1)
        #expect(bench.log.readCompletes == 2)
        let answered = bench.client.exchanges.values.filter { $0.isClosed && $0.messages.count == 1 }
        #expect(answered.count == 256)
        _ = try bench.channel.finish()
    }

    @Test("answers that come later leave together at the end of the turn")
    func laterAnswers() throws {
        let bench = try Bench()
        bench.log.keepsCalls = true
        for _ in 0..<10 {
            bench.client.request(GRPCWire.fields("/test.Echo/Silent"), body: GRPCWire.frame([1]))
        }
        try bench.run()
        let before = bench.counter.writes
        for call in bench.log.calls { call.finish(.ok) }
        #expect(bench.counter.writes == before)
        try bench.run()
        #expect(bench.counter.writes == before + 1)
        #expect(bench.client.exchanges.values.filter(\.isClosed).count == 10)
        _ = try bench.channel.finish()
    }

    @Test("while the channel takes no more, nothing is produced and nothing is read")
    func slowReader() throws {
        let bench = try Bench()
        bench.channel.isWritable = false
        let id = bench.client.request(
            GRPCWire.fields("/test.Echo/Many"), body: GRPCWire.frame(Array("2000".utf8)))
        try bench.run()
        let (reads, writes) = (bench.counter.reads, bench.counter.writes)
        bench.channel.pipeline.read()
        #expect(bench.counter.reads == reads)
        #expect(bench.counter.writes == writes)
        #expect(bench.log.largestQueue < 110_000)

        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        try bench.run()
        #expect(bench.counter.reads == reads + 1)
        // The client's acknowledgements are not needed: its windows are wide enough, but for the
        // connection's, which opens as it reads.
        while bench.client.exchanges[id]?.isClosed == false { try bench.run() }
        #expect(bench.client.exchanges[id]?.messages.count == 2000)
        _ = try bench.channel.finish()
    }

    @Test("when the connection goes, its calls are cancelled and all is let go")
    func gone() throws {
        let bench = try Bench()
        bench.client.request(GRPCWire.fields("/test.Echo/Silent", timeout: "9S"), ends: false)
        try bench.run()
        #expect(bench.log.live == 1)
        _ = try bench.channel.finish()
        #expect(bench.log.cancelled == 1)
        #expect(bench.log.closed == 1)
        #expect(bench.log.live == 0)
    }

    @Test("one timer at the earliest deadline serves all calls")
    func deadlines() throws {
        let bench = try Bench()
        let ids = [30, 10, 20].map {
            bench.client.request(GRPCWire.fields("/test.Echo/Silent", timeout: "\($0)n"), ends: false)
        }
        try bench.run()
        bench.channel.embeddedEventLoop.advanceTime(to: .now() + .seconds(1))
        try bench.run()
        for id in ids {
            #expect(GRPCTestReply(bench.client.exchanges[id]!, messages: []).code == 4)
        }
        _ = try bench.channel.finish()
    }
}
