import Coordination

/// A call of LeaseKeepAlive: renewals in, answers out in the same order.
final class KeepAliveStream: EtcdCall {
    private struct Renewal {
        let lease: LeaseID
        /// Nil while the leader has not answered.
        var seconds: Int64?
    }

    /// Renewals whose answer has not been sent, oldest first; those before `head` are sent.
    private var renewals: [Renewal] = []
    private var head = 0
    /// The tag of `renewals[0]`.
    private var firstTag = 0
    private var isHalfClosed = false
    private var isDraining = false

    override func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        var reader = ProtobufReader(message)
        var lease: Int64 = 0
        do {
            while let field = try reader.nextField() {
                if field == 1 { lease = try reader.int64() } else { try reader.skip() }
            }
        } catch { throw .malformed(error) }
        try endpoint.refuseLearner()
        let tag = firstTag + renewals.count
        renewals.append(Renewal(lease: LeaseID(lease)))
        endpoint.submit(.renewLease(LeaseID(lease)), for: self, tag: tag)
    }

    /// Renewals that have arrived are answered.
    override func onDrain() {
        isDraining = true
        if head == renewals.count { fail(.stopped) }
    }

    override func halfClosed() {
        isHalfClosed = true
        if head == renewals.count { finish() }
    }

    override func onAnswer(_ answer: Result<ServiceAnswer, ServiceError>, tag: Int) throws(EtcdFault) {
        switch answer {
        case .success(.leaseRenewed(let seconds)): renewals[tag - firstTag].seconds = seconds
        case .success(let other): throw EtcdFault(.internalError, "etcdserver: unexpected answer \(other)")
        case .failure(let error): throw EtcdFault(error)
        }
        try sendAnswered()
        guard head == renewals.count else { return }
        if isHalfClosed { finish() } else if isDraining { fail(.stopped) }
    }

    private func sendAnswered() throws(EtcdFault) {
        let header = endpoint.header
        let revision = endpoint.status.revision
        while head < renewals.count, let seconds = renewals[head].seconds {
            let lease = renewals[head].lease
            head += 1
            try send { writer throws(EtcdFault) in
                writer.header(header, revision: revision)
                writer.int64(lease.rawValue, field: 2)
                writer.int64(seconds, field: 3)
            }
        }
        if head == renewals.count || head >= 256 {
            firstTag += head
            renewals.removeFirst(head)
            head = 0
        }
    }
}
