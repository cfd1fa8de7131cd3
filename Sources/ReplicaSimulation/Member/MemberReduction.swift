import Automata
import Simulation

/// What a run of members is without, of all that its seed draws. The rest stays as it was drawn, so that a seed and its
/// reduction name one run as a seed does.
public struct MemberReduction: Hashable, Sendable {
    /// In the order in which they are declared.
    public private(set) var without: [MemberFault] = []
    /// Clients ask for no more than so many things while faults strike.
    public var operations: Int?
    /// No more than so many faults strike.
    public var strikes: Int?
    /// Faults strike for no longer than this.
    public var milliseconds: Int?

    public init() {}

    public mutating func leaveOut(_ fault: MemberFault) {
        without = MemberFault.allCases.filter { $0 == fault || without.contains($0) }
    }

    /// As it stands on a command line behind the seed; empty when nothing is left out.
    public var arguments: String {
        var parts: [String] = []
        let left = MemberFault.allCases.filter { !without.contains($0) }
        if left.count < without.count {
            parts.append("--faults \(Self.list(left))")
        } else if !without.isEmpty {
            parts.append("--without \(Self.list(without))")
        }
        if let operations { parts.append("--operations \(operations)") }
        if let strikes { parts.append("--strikes \(strikes)") }
        if let milliseconds { parts.append("--milliseconds \(milliseconds)") }
        return parts.joined(separator: " ")
    }

    private static func list(_ faults: [MemberFault]) -> String {
        faults.isEmpty ? none : faults.map(\.rawValue).joined(separator: ",")
    }

    private static var none: String { "none" }

    /// The kinds that a list names, as a command line has it; nil when one of them is none.
    public static func faults(in list: String) -> [MemberFault]? {
        if list == none { return [] }
        let faults = list.split(separator: ",").map { MemberFault(rawValue: String($0)) }
        return faults.contains(nil) ? nil : faults.compactMap { $0 }
    }

    func apply(to plan: inout MemberPlan) {
        for fault in without { fault.leave(&plan) }
        plan.operations = operations
        plan.mix.mostStrikes = strikes
        if let milliseconds {
            plan.faultySpan = min(plan.faultySpan, .milliseconds(UInt64(milliseconds)))
        }
    }
}
