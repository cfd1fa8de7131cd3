/// What a process finds of its own when it starts, to be judged before anything of it is believed.
///
/// A directory is made in this order, each step durable before the next: its identity with the name of its
/// disk, the log, the formation. The store may be lost as long as the log still holds everything from its
/// first slot on, which the log itself knows. Anything else that is there without what was made before it has
/// lost that.
public struct Inventory: Hashable, Sendable {
    public var hasIdentity: Bool
    /// The identity says that the cluster was formed: from then on the process may have promised something.
    public var isFormed: Bool
    public var hasLog: Bool
    public var hasStore: Bool

    public init(hasIdentity: Bool, isFormed: Bool, hasLog: Bool, hasStore: Bool) {
        self.hasIdentity = hasIdentity
        self.isFormed = isFormed
        self.hasLog = hasLog
        self.hasStore = hasStore
    }

    public enum Loss: Hashable, Sendable {
        /// There is a log or a store, and nothing says whose.
        case identity
        /// The process may have promised and accepted what it does not know of any more.
        case log
    }

    /// What was lost, when anything was: the process must not start.
    public var loss: Loss? {
        if !hasIdentity { return hasLog || hasStore ? .identity : nil }
        return isFormed && !hasLog ? .log : nil
    }
}
