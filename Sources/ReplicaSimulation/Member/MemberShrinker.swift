/// Makes a run that fails smaller: without each kind of fault that it does not need, with fewer faults, fewer
/// operations and less time, as long as it breaks the same rule.
///
/// A run from which something was taken goes another way from there on, as what is drawn later is drawn for something
/// else, so nothing but a run says whether it still fails. There are bounds on the number of runs and of events in
/// them, counted and not timed: a failure shrinks to the same on every machine.
struct MemberShrinker {
    static let runLimit = 120
    /// Of all runs together, so that a failure which takes long to show does not take long to shrink.
    static let eventLimit = 10_000_000

    private let rule: Violation.Rule
    private let attempt: (MemberReduction) -> MemberRun.Outcome
    private(set) var smallest: MemberReduction
    private(set) var outcome: MemberRun.Outcome
    private(set) var runs = 0
    private var events = 0

    /// `outcome` is that of the run as it was drawn, or with what it is already without.
    init(
        _ reduction: MemberReduction, _ outcome: MemberRun.Outcome, rule: Violation.Rule,
        attempt: @escaping (MemberReduction) -> MemberRun.Outcome
    ) {
        (smallest, self.outcome, self.rule, self.attempt) = (reduction, outcome, rule, attempt)
    }

    mutating func shrink() {
        var isSmaller = true
        while isSmaller, mayRun {
            isSmaller = false
            for fault in MemberFault.allCases where !smallest.without.contains(fault) {
                isSmaller = fails { $0.leaveOut(fault) } || isSmaller
            }
            isSmaller = lower(\.milliseconds, from: outcome.milliseconds) || isSmaller
            isSmaller = lower(\.strikes, from: outcome.strikes) || isSmaller
            isSmaller = lower(\.operations, from: outcome.operations) || isSmaller
        }
    }

    /// By half as long as that fails, then by less and less.
    private mutating func lower(_ path: WritableKeyPath<MemberReduction, Int?>, from highest: Int) -> Bool {
        var isLower = false
        for (part, whole) in [(1, 2), (3, 4), (9, 10), (1, 1)] {
            while mayRun {
                let value = min(smallest[keyPath: path] ?? .max, highest)
                let next = part == whole ? value - 1 : value * part / whole
                guard next >= 0, next < value, fails({ $0[keyPath: path] = next }) else { break }
                isLower = true
            }
        }
        return isLower
    }

    private var mayRun: Bool { runs < Self.runLimit && events < Self.eventLimit }

    /// Whether a run fails alike that is also without this; if so it is the smallest one.
    private mutating func fails(_ change: (inout MemberReduction) -> Void) -> Bool {
        guard mayRun else { return false }
        var candidate = smallest
        change(&candidate)
        runs += 1
        let outcome = attempt(candidate)
        events += outcome.statistics.events
        guard outcome.violation?.rule == rule else { return false }
        (smallest, self.outcome) = (candidate, outcome)
        return true
    }
}
