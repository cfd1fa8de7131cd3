/// Which requests there are, in which order, and what became of them.
///
/// What is drawn depends on the seed alone: two servers get the same requests, up to the order in which connections
/// take them.
final class Workload {
    struct Draw {
        let operation: Request.Operation
        let key: Int
    }

    let options: Options
    private(set) var answered = 0
    private(set) var puts = 0
    private(set) var bytes = 0
    private(set) var microseconds: [UInt32]
    private var started = 0
    private var random: SplitMix64
    private var put: Request
    private var range: Request
    private var answer: Answer

    init(_ options: Options) {
        self.options = options
        random = SplitMix64(state: options.seed)
        put = Request(.put, options)
        range = Request(.range, options)
        answer = Answer(options)
        microseconds = []
        microseconds.reserveCapacity(options.count)
    }

    var isComplete: Bool { answered == options.count }

    /// The next request; nil once all have been sent.
    func next() -> Draw? {
        guard started < options.count else { return nil }
        let key = options.isInOrder ? started % options.keys : random.below(options.keys)
        started += 1
        let isPut = random.below(100) < options.putsOfHundred
        return Draw(operation: isPut ? .put : .range, key: key)
    }

    /// The bytes of a request, its key put in.
    func bytes<R>(of draw: Draw, stream: UInt32, _ use: (Request) -> R) -> R {
        switch draw.operation {
        case .put:
            put.set(stream: stream)
            put.set(key: draw.key)
            return use(put)
        case .range:
            range.set(stream: stream)
            range.set(key: draw.key)
            return use(range)
        }
    }

    func finish(_ draw: Draw, answer message: UnsafeRawBufferPointer, nanoseconds: UInt64) throws(Failure) {
        try answer.check(message, draw.operation, key: draw.key)
        answered += 1
        bytes += message.count
        if draw.operation == .put { puts += 1 }
        microseconds.append(UInt32(clamping: nanoseconds / 1_000))
    }
}

/// Steele, Lea and Flood 2014: a sequence of 64-bit numbers from any state.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// From 0 up to but not including the bound.
    mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
