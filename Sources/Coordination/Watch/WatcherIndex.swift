/// Which watchers a key concerns. INTERFACE SKETCH.
public struct WatcherIndex: Sendable {
    /// The host's number of a watcher; any number, unique in the index.
    public typealias Handle = UInt64

    public init() { fatalError() }
    public var count: Int { fatalError() }
    public mutating func add(_ watcher: Handle, range: KeyRange) { fatalError() }
    /// Whether the watcher was there.
    @discardableResult public mutating func remove(_ watcher: Handle, range: KeyRange) -> Bool {
        fatalError()
    }
    /// Appends the watchers whose range holds `key`, each once, in an order that depends only on the
    /// operations so far.
    public func match(_ key: [UInt8], into watchers: inout [Handle]) { fatalError() }
}
