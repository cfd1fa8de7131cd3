/// Makes of a checkpoint the state with which a new cluster begins: keys, revisions, leases and history stay, and what
/// concerned the cluster that it was taken from goes.
public enum NewBeginning {
    /// In the log of the new cluster all that the store holds counts as the entry of its first slot. So a member that
    /// comes without it, as its disk is empty, is behind the log, and is sent a checkpoint.
    public static let slot: UInt64 = 1

    /// Removes members, configuration and alarms: the new cluster has others, and where the cause of an alarm is still
    /// there it is raised again.
    public static func begin(in transaction: any OrderedTransaction) throws {
        for member in try LedgerReader(transaction).members() {
            var key = MetaKey.member.bytes
            key.appendBigEndian(member.id)
            try transaction.remove(key, in: .meta)
        }
        try transaction.remove(MetaKey.configuration.bytes, in: .meta)
        var state = try LedgerState(from: transaction)
        state.alarms = []
        try state.write(to: transaction)
        try AppliedState.setSlot(slot, in: transaction)
    }
}
