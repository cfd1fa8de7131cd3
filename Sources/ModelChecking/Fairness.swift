/// The promise that a group of actions is not put off for ever.
///
/// As in TLA, a run may stop in any state unless fairness forbids it, and an action that leaves the state as
/// it is counts neither as enabled nor as taken. (Lamport, Specifying Systems, 2002, chapter 8.)
public struct Fairness<Action: Sendable>: Sendable {
    public enum Strength: Sendable {
        /// Taken again and again if enabled for ever from some point on.
        case weak
        /// Taken again and again if enabled again and again.
        case strong
    }

    public let name: String
    public let strength: Strength
    public let covers: @Sendable (Action) -> Bool

    private init(
        _ name: String, _ strength: Strength, _ covers: @escaping @Sendable (Action) -> Bool
    ) {
        self.name = name
        self.strength = strength
        self.covers = covers
    }

    public static func weak(_ name: String, _ covers: @escaping @Sendable (Action) -> Bool) -> Fairness {
        Fairness(name, .weak, covers)
    }

    public static func strong(_ name: String, _ covers: @escaping @Sendable (Action) -> Bool) -> Fairness {
        Fairness(name, .strong, covers)
    }

    /// A run goes on as long as anything can happen: it stops only where nothing can.
    public static var progress: Fairness { weak("progress") { _ in true } }
}
