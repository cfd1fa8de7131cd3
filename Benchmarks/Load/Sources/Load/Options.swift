/// What the command line asks for.
struct Options {
    static let usage = """
        load --port P --count N [options]: puts and linearizable ranges over gRPC, on one thread.

          --host A           IPv4 address of the server (127.0.0.1)
          --connections N    connections (1)
          --streams M        requests in flight on each (1)
          --count N          requests in all
          --key NAME         the key, or with --keys above 1 what each key begins with (bench/key)
          --keys K           how many keys there are; eight digits tell them apart (1)
          --puts PERCENT     how many of a hundred requests are puts, by chance; the others are ranges of one key (100)
          --value-bytes N    bytes of every value (256)
          --in-order         the keys one after the other instead of by chance
          --seed S           what keys and puts are drawn from (1)
          --latencies FILE   writes the microseconds of each request, 32 bits each, lowest byte first
          --patience S       seconds without any answer that end the run (30)

        Prints one JSON object once every request was answered with success. A range must find its key, with a value of
        --value-bytes. Anything else ends the run with a line that says why, and exit code 1; 2 for a wrong command line.

        """

    var host = "127.0.0.1"
    var port = 0
    var connections = 1
    var streams = 1
    var count = 0
    var key = "bench/key"
    var keys = 1
    var putsOfHundred = 100
    var valueBytes = 256
    var isInOrder = false
    var seed: UInt64 = 1
    var latencies: String?
    var patienceSeconds = 30

    init(_ arguments: [String]) throws(Failure) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--in-order" {
                isInOrder = true
                continue
            }
            guard Self.names.contains(name) else {
                throw Failure("\(name) is no option; --help lists them")
            }
            guard let value = rest.popFirst() else { throw Failure("\(name) wants a value") }
            try set(name, value)
        }
        if port == 0 { throw Failure("--port is missing") }
        if count == 0 { throw Failure("--count is missing") }
        if connections * streams > count {
            throw Failure(
                "\(connections) connections with \(streams) streams are more than the \(count) requests")
        }
    }

    private static let names: Set = [
        "--host", "--port", "--connections", "--streams", "--count", "--key", "--keys", "--puts",
        "--value-bytes",
        "--seed", "--latencies", "--patience",
    ]

    private mutating func set(_ name: String, _ value: String) throws(Failure) {
        switch name {
        case "--host": host = value
        case "--port": port = try number(name, value, 1...65_535)
        case "--connections": connections = try number(name, value, 1...1_000)
        case "--streams": streams = try number(name, value, 1...10_000)
        case "--count": count = try number(name, value, 1...100_000_000)
        case "--key":
            if value.isEmpty || value.utf8.count > 1_000 { throw Failure("--key wants 1 to 1000 bytes") }
            key = value
        case "--keys": keys = try number(name, value, 1...100_000_000)
        case "--puts": putsOfHundred = try number(name, value, 0...100)
        case "--value-bytes": valueBytes = try number(name, value, 0...16 << 20)
        case "--seed":
            guard let drawn = UInt64(value) else {
                throw Failure("--seed wants a number from 0 to \(UInt64.max), not \(value)")
            }
            seed = drawn
        case "--latencies": latencies = value
        case "--patience": patienceSeconds = try number(name, value, 1...3_600)
        default: preconditionFailure("\(name) is listed and not set")
        }
    }

    private func number(_ name: String, _ value: String, _ allowed: ClosedRange<Int>) throws(Failure) -> Int {
        guard let number = Int(value), allowed.contains(number) else {
            throw Failure(
                "\(name) wants a number from \(allowed.lowerBound) to \(allowed.upperBound), not \(value)")
        }
        return number
    }
}
