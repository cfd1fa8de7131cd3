import Glibc

/// The service manager that has started this process, such as systemd, which reads on the socket that
/// `NOTIFY_SOCKET` names when a unit's type is `notify` (sd_notify(3)). Nobody there: nobody is told.
enum Supervisor {
    enum News: String {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    static func tell(_ news: News) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }),
            let descriptor = UnixSocket.connect(.datagram, to: path)
        else { return }
        _ = Array(news.rawValue.utf8).withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        close(descriptor)
    }
}
