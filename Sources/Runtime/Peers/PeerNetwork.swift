import Automata
import Coordination
import NIOCore
import NIOPosix
import PeerLinks
import Synchronization

/// All of this process's connections with the other members: a `PeerLink` to each for what it says, and the
/// listening side for what they say.
final class PeerNetwork: @unchecked Sendable {
    let clusterID: UInt64
    let own: ProcessID
    let formation: OwnFormation
    let host: Mailbox<HostInput>
    let instruments: Instruments
    let report: Reporter
    let frameLimit: Int
    let times: LinkTimes
    let checkpoints: CheckpointImporter
    private let group: any EventLoopGroup
    private var listeners: [any Channel] = []

    private struct Members {
        /// In ascending order of ids.
        var links: [PeerLink] = []
        var known: [ProcessID] = []
    }
    private let members = Mutex(Members())
    private let inbound = Mutex([ObjectIdentifier: any Channel]())
    /// Who is being asked how the cluster was formed.
    private let asked = Mutex(Set<ProcessID>())
    private let complaints = Mutex((next: Instant.zero, suppressed: 0))

    init(
        clusterID: UInt64, own: ProcessID, formation: OwnFormation, group: any EventLoopGroup,
        frameLimit: Int, times: LinkTimes, host: Mailbox<HostInput>, checkpoints: CheckpointImporter,
        instruments: Instruments,
        report: Reporter
    ) {
        self.clusterID = clusterID
        self.own = own
        self.formation = formation
        self.group = group
        self.frameLimit = frameLimit
        self.times = times
        self.host = host
        self.checkpoints = checkpoints
        self.instruments = instruments
        self.report = report
    }

    // MARK: members

    /// Makes and ends links so that there is one to every other member. What the links greet with is how the
    /// cluster was formed, so before that is known there are none. Any thread.
    func use(members all: [Identity.Member]) {
        let (ended, added) = members.withLock { members in
            let ended = members.links.filter { link in !all.contains { $0.id == link.peer } }
            var added: [PeerLink] = []
            members.links.removeAll { link in ended.contains { $0 === link } }
            for member in all where member.id != own {
                let urls = member.peerURLs.compactMap { try? PeerURL($0) }
                if let link = members.links.first(where: { $0.peer == member.id }) {
                    link.use(urls: urls)
                } else {
                    added.append(
                        PeerLink(
                            peer: member.id, urls: urls,
                            greeting: PeerGreeting(
                                purpose: .messages, clusterID: clusterID, sender: own, receiver: member.id,
                                formation: formation.known?.nonce ?? 0),
                            loop: group.next(), times: times, queueLimitBytes: 2 * frameLimit + (16 << 20),
                            instruments: instruments, report: report,
                            changed: { [host] in host.send(.linksChanged) }))
                }
            }
            members.links += added
            members.links.sort { $0.peer < $1.peer }
            members.known = all.map(\.id).sorted()
            return (ended, added)
        }
        for link in ended { link.close() }
        for link in added { link.start() }
        if !ended.isEmpty { host.send(.linksChanged) }
    }

    func link(to member: ProcessID) -> PeerLink? {
        members.withLock { $0.links.first { $0.peer == member } }
    }

    var links: [PeerLink] { members.withLock { $0.links } }

    /// What a greeting is answered.
    func judge(_ greeting: PeerGreeting) -> PeerGreetingAnswer {
        let formed = formation.known
        var answer = PeerGreetingAnswer(verdict: .welcome, clusterID: clusterID, member: own)
        answer.formation = formed?.nonce ?? 0
        if greeting.version != PeerGreeting.baseVersion {
            answer.verdict = .otherVersion
        } else if greeting.purpose == .inquiry {
            judge(inquiry: greeting, &answer)
        } else if greeting.clusterID != clusterID {
            answer.verdict = .otherCluster
        } else if greeting.receiver != own {
            answer.verdict = .otherMember
        } else if formed?.nonce != greeting.formation {
            answer.verdict = formed == nil ? .notFormed : .otherFormation
        } else if !members.withLock({ $0.known.contains(greeting.sender) }) {
            answer.verdict = .strangeSender
        }
        if answer.verdict == .welcome, greeting.latest >= 3 { answer.commands = CommandVersions() }
        return answer
    }

    /// Who asks only to which cluster this process belongs is always told; what is said about the formation is
    /// meant for a process of the same cluster that knows whom it asks.
    private func judge(inquiry greeting: PeerGreeting, _ answer: inout PeerGreetingAnswer) {
        guard let asking = greeting.disk else { return }
        if greeting.clusterID != clusterID {
            answer.verdict = .otherCluster
        } else if greeting.receiver != own {
            answer.verdict = .otherMember
        } else {
            answer.news = formation.answer(to: asking)
        }
    }

    /// Asks another process how the cluster was formed. What it says comes to the host; silence does not.
    /// One question at a time to each.
    func ask(_ member: ProcessID, at urls: [PeerURL]) {
        guard let disk = formation.disk, let url = urls.randomElement(),
            asked.withLock({ $0.insert(member).inserted })
        else { return }
        let greeting = PeerGreeting(
            purpose: .inquiry, clusterID: clusterID, sender: own, receiver: member, disk: disk)
        let host = host
        let answered = PeerInquiry.ask(url, greeting, on: group.next(), within: TimeAmount(times.greeting))
        answered.whenComplete { [self] _ in asked.withLock { _ = $0.remove(member) } }
        answered.whenSuccess { [self] answer in
            if let news = answer.news {
                _ = host.offer(.formation(news, from: member))
            } else if answer.verdict != .welcome {
                complain(
                    "cannot ask \(member: member, as: "remote-member-id") at \(url, as: "remote-addr") how the "
                        + "cluster was formed: \(answer.reason(for: greeting), as: "error")")
            }
        }
    }

    /// Says that a connection was refused or ended; at most once a second, as anybody can connect.
    func complain(_ line: LogLine) {
        let now = MonotonicClock.now()
        let suppressed = complaints.withLock { complaints -> Int? in
            guard complaints.next <= now else {
                complaints.suppressed += 1
                return nil
            }
            complaints.next = now + .seconds(1)
            defer { complaints.suppressed = 0 }
            return complaints.suppressed
        }
        guard let suppressed else { return }
        report(
            .warning,
            suppressed == 0 ? line : line + " (and \(suppressed, as: "suppressed") more like it before)")
    }

    // MARK: listening

    /// Throws `ServerError.cannotListen`.
    func listen(on urls: [PeerURL]) throws {
        for url in urls {
            do {
                let channel = try ServerBootstrap(group: group)
                    .serverChannelOption(ChannelOptions.backlog, value: 128)
                    .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                    .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
                    .childChannelOption(.tcpUserTimeout, value: times.unacknowledgedMilliseconds)
                    .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 4)
                    .childChannelOption(
                        ChannelOptions.recvAllocator,
                        value: AdaptiveRecvByteBufferAllocator(
                            minimum: 2048, initial: 16384, maximum: 1 << 18)
                    )
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(PeerInboundHandler(self))
                        }
                    }
                    .bind(host: url.host, port: url.port).wait()
                listeners.append(channel)
            } catch {
                throw ServerError(.cannotListen, "cannot listen for peers on \(url): \(reason(of: error))")
            }
        }
    }

    var addresses: [SocketAddress] { listeners.compactMap(\.localAddress) }

    func onOpened(_ channel: any Channel) {
        inbound.withLock { $0[ObjectIdentifier(channel)] = channel }
    }

    func onClosed(_ channel: any Channel) {
        inbound.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// Ends every connection. Blocks until the ports are free.
    func close() {
        for listener in listeners { try? listener.close().wait() }
        listeners = []
        use(members: [])
        for channel in inbound.withLock({ Array($0.values) }) { try? channel.close().wait() }
    }
}
