import TextForms

/// `simulate multicast`: seeds of each kind of multicast.
public struct MulticastProgram {
    public static let usage = """
        usage: simulate multicast [--kind \(MulticastKind.allCases.map(\.name).joined(separator: "|"))] \
        [--runs COUNT --from N | --seed N [--trace]]
               simulate multicast [--kind …] --soak MULTICASTS [--seed N]
        """

    private let say: (String) -> Void
    private let complain: (String) -> Void

    public init(say: @escaping (String) -> Void, complain: @escaping (String) -> Void) {
        self.say = say
        self.complain = complain
    }

    /// Exit codes: 0 every promise was kept, 1 one was broken, 2 wrong command line.
    public func run(_ arguments: [String]) -> Int32 {
        var kinds = MulticastKind.allCases
        var (runs, first, printsTrace) = (100, UInt64(1), false)
        var soak: Int?
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let flag = parts.first ?? ""
            if ["--help", "-h"].contains(flag) {
                say(Self.usage)
                return 0
            }
            guard Self.options.contains(flag) else {
                return refuse("\"\(argument)\" is no option\(NearestName.hint(flag, in: Self.options))")
            }
            if flag == "--trace" {
                printsTrace = true
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                return refuse("\(flag) needs a value")
            }
            switch (flag, UInt64(value)) {
            case ("--kind", _):
                let names = MulticastKind.allCases.map(\.name)
                guard let kind = MulticastKind(name: value) else {
                    return refuse(
                        "--kind is one of \(names.joined(separator: ", ")), not \"\(value)\""
                            + NearestName.hint(value, in: names))
                }
                kinds = [kind]
            case ("--runs", let number?) where number > 0 && number < 1_000_000_000: runs = Int(number)
            case ("--from", let number?): first = number
            case ("--seed", let number?): (first, runs) = (number, 1)
            case ("--soak", let number?) where number > 0 && number < 1_000_000_000: soak = Int(number)
            default: return refuse("\(flag) cannot be \"\(value)\"")
            }
        }
        var isWell = true
        for kind in kinds {
            let isKept =
                soak.map { run(soak: $0, kind, seed: first) } ?? sweep(kind, first, runs, printsTrace)
            isWell = isKept && isWell
        }
        return isWell ? 0 : 1
    }

    private func run(soak multicasts: Int, _ kind: MulticastKind, seed: UInt64) -> Bool {
        let run = MulticastSoak(kind, multicasts: multicasts, seed: seed)
        say(
            "\(kind.name): \(multicasts) multicasts among \(MulticastSoak.members) members: \(run.delivered) "
                + "deliveries, \(run.refusals) times a sender had to wait; at most \(run.mostHeld) held by one member "
                + "(windows: \(MulticastSoak.members) of \(MulticastSoak.window)) and \(run.mostOnTheirWay) messages "
                + "on their way; \(run.isComplete ? "everything arrived, in order" : "NOT everything arrived in order")"
        )
        return run.isComplete && run.mostHeld <= MulticastSoak.bound
    }

    private static let options = ["--kind", "--runs", "--from", "--seed", "--soak", "--trace", "--help"]

    private func refuse(_ reason: String) -> Int32 {
        complain("simulate multicast: \(reason); see simulate multicast --help")
        return 2
    }

    private func sweep(_ kind: MulticastKind, _ first: UInt64, _ runs: Int, _ printsTrace: Bool) -> Bool {
        var (total, failures) = (RunTally(), 0)
        for seed in first..<first + UInt64(runs) {
            let run = kind.run(seed: seed, keepsTrace: printsTrace)
            if printsTrace { run.trace.forEach(say) }
            total.messages += run.messages
            total.crashes += run.crashes
            total.refusals += run.refusals
            total.views += run.views
            total.mostHeld = max(total.mostHeld, run.mostHeld)
            if let violation = run.violation {
                failures += 1
                say("seed \(seed) fails: \(violation)")
                say("replay: synod simulate multicast --kind \(kind.name) --seed \(seed) --trace")
            }
        }
        let views = total.views > 0 ? "\(total.views) views, " : ""
        say(
            "\(kind.name): \(runs) runs, \(failures) failures; \(total.messages) messages, \(views)"
                + "\(total.crashes) crashes, \(total.refusals) times a sender had to wait, "
                + "at most \(total.mostHeld) held at once")
        return failures == 0
    }
}
