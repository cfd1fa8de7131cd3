import Glibc

/// Passes on what several processes print, line by line, each line behind the name of its process: to standard
/// output what they print there, and to standard error what they print there.
///
/// One thread reads all their pipes and ends when every process has closed its own.
final class PrefixedOutputs: @unchecked Sendable {
    /// A line that is longer is passed on in pieces, so that nobody can make us keep more.
    private static let longestLine = 1 << 16

    private struct Source {
        let descriptor: Int32
        let prefix: String
        let destination: Int32
        var line: [UInt8] = []
    }

    private var sources: [Source] = []
    private var thread = pthread_t()

    /// Makes the pipes of one more process and returns the ends that it is to write to, which the caller closes;
    /// nil when there are none. Before `start`.
    func add(prefix: String) -> (output: Int32, errors: Int32)? {
        var ends: [Int32] = []
        for destination in [Int32(1), 2] {
            var pipe: [Int32] = [0, 0]
            guard Glibc.pipe(&pipe) == 0 else { return nil }
            // The other processes must not keep this one's pipe open.
            for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            sources.append(Source(descriptor: pipe[0], prefix: prefix, destination: destination))
            ends.append(pipe[1])
        }
        return (ends[0], ends[1])
    }

    func start() {
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<PrefixedOutputs>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
    }

    /// Waits until everything has been passed on.
    func finish() { pthread_join(thread, nil) }

    private func run() {
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        while !sources.isEmpty {
            var waits = sources.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { return }
            for index in waits.indices.reversed() where waits[index].revents != 0 {
                let count = read(sources[index].descriptor, &bytes, bytes.count)
                if count > 0 {
                    take(bytes[..<count], index)
                } else if count == 0 || errno != EINTR {
                    if !sources[index].line.isEmpty { pass(index) }
                    close(sources[index].descriptor)
                    sources.remove(at: index)
                }
            }
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ index: Int) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                pass(index)
                continue
            }
            sources[index].line.append(byte)
            if sources[index].line.count >= Self.longestLine { pass(index) }
        }
    }

    private func pass(_ index: Int) {
        let source = sources[index]
        writeAll("\(source.prefix)\(String(decoding: source.line, as: UTF8.self))\n", to: source.destination)
        sources[index].line.removeAll(keepingCapacity: true)
    }
}
