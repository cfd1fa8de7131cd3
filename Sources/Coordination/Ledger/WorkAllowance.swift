/// How much work a read or a command may do before it is given up, so that a thread with other duties can put
/// off what is large where nobody knows how large before it has been done.
///
/// A unit takes about a microsecond: a step over an index entry, a KiB of a record; a deletion takes ten. Used
/// by one thread.
public final class WorkAllowance {
    /// More work than allowed. A read is to be begun anew where it may take longer; a transaction must be rolled
    /// back first.
    public struct Spent: Error {
        public init() {}
    }

    public private(set) var units: Int

    public init(units: Int) { self.units = units }

    /// Allows this much, whatever was spent, for work that comes after what spent it.
    public func renew(units: Int) { self.units = units }

    @inline(__always)
    func spend(_ count: Int = 1) throws {
        units -= count
        if units < 0 { throw Spent() }
    }

    @inline(__always)
    func spend(bytes: Int) throws { try spend(bytes >> 10) }
}
