/// Checks a model: the one entry to everything here.
public struct Checker<M: Model> {
    @usableFromInline let model: M
    @usableFromInline let options: CheckOptions

    @inlinable public init(_ model: M, _ options: CheckOptions = CheckOptions()) {
        self.model = model
        self.options = options
    }

    @inlinable public func run() -> CheckResult<M> {
        BreadthFirstSearch(model, options).run()
    }
}
