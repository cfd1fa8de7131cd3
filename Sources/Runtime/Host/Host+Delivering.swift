import Coordination
import Member

// What clients are told, in one batch for each port at the end of a turn.
extension Host {
    func answer(_ client: ClientToken, _ result: Result<ServiceAnswer, ServiceError>) {
        // One port for each event loop: there are few.
        guard let port = ports.first(where: { $0.number == client.port }) else { return }
        if port.hostDeliveries.isEmpty { touchedPorts.append(port) }
        port.hostDeliveries.append(.answer(token: client.token, result))
    }

    func deliverAll() {
        for port in touchedPorts {
            port.deliver(port.hostDeliveries)
            port.hostDeliveries = []
        }
        touchedPorts.removeAll(keepingCapacity: true)
    }
}
