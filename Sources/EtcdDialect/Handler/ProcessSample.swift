import Glibc

/// What the kernel says of this process, under Prometheus's usual names.
struct ProcessSample {
    let name: String
    let value: Double

    static var current: [ProcessSample] {
        var samples: [ProcessSample] = []
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
            samples.append(
                .init(
                    name: "process_cpu_seconds_total",
                    value: seconds(usage.ru_utime) + seconds(usage.ru_stime)))
        }
        if let memory = read("/proc/self/statm")?.split(separator: " "), memory.count > 1,
            let virtualPages = Double(memory[0]), let residentPages = Double(memory[1])
        {
            let page = Double(sysconf(Int32(_SC_PAGESIZE)))
            samples.append(.init(name: "process_virtual_memory_bytes", value: virtualPages * page))
            samples.append(.init(name: "process_resident_memory_bytes", value: residentPages * page))
        }
        if let open = openFileDescriptors() { samples.append(.init(name: "process_open_fds", value: open)) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.append(.init(name: "process_max_fds", value: Double(limit.rlim_cur)))
        }
        if let start = startTime() { samples.append(.init(name: "process_start_time_seconds", value: start)) }
        return samples
    }

    private static func openFileDescriptors() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the one that reads.
        return Double(max(0, count - 3))
    }

    /// In seconds since 1970.
    private static func startTime() -> Double? {
        // The name in parentheses may hold spaces; the start, in clock ticks after boot, is the 20th field
        // behind it.
        guard let stat = read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        guard let boot = read("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let booted = Double(boot.dropFirst(6))
        else { return nil }
        return booted + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }
}
