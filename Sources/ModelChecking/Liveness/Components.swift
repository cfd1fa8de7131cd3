/// The strongly connected components of the part of a graph that a region names.
/// (Tarjan, Depth-First Search and Linear Graph Algorithms, SIAM J. Comput. 1972; without recursion, because
/// paths are as long as graphs are large.)
struct Components {
    /// Each in ascending order of its states.
    private(set) var all: [[Int32]] = []

    private var index: [Int32]
    private var low: [Int32]
    private var isOnStack: [Bool]
    private var stack: [Int32] = []
    private var next: Int32 = 1

    /// `region` lists states; only steps within it count. `isInside` says for every state of the graph
    /// whether it is one of them.
    init<M: Model>(of graph: StateGraph<M>, in region: [Int32], where isInside: (Int32) -> Bool) {
        index = Array(repeating: 0, count: graph.states.count)
        low = index
        isOnStack = Array(repeating: false, count: graph.states.count)
        for state in region where index[Int(state)] == 0 { visit(state, graph, isInside) }
    }

    private mutating func visit<M: Model>(
        _ root: Int32, _ graph: StateGraph<M>, _ isInside: (Int32) -> Bool
    ) {
        var path: [(state: Int32, step: Int)] = []
        enter(root)
        path.append((root, graph.firstSteps[Int(root)]))
        while let (state, step) = path.last {
            if step < graph.firstSteps[Int(state) + 1] {
                path[path.count - 1].step += 1
                let target = graph.steps[step].target
                guard isInside(target) else { continue }
                if index[Int(target)] == 0 {
                    enter(target)
                    path.append((target, graph.firstSteps[Int(target)]))
                } else if isOnStack[Int(target)] {
                    low[Int(state)] = min(low[Int(state)], index[Int(target)])
                }
                continue
            }
            path.removeLast()
            if let (parent, _) = path.last { low[Int(parent)] = min(low[Int(parent)], low[Int(state)]) }
            if low[Int(state)] == index[Int(state)] { leave(state) }
        }
    }

    private mutating func enter(_ state: Int32) {
        index[Int(state)] = next
        low[Int(state)] = next
        next += 1
        stack.append(state)
        isOnStack[Int(state)] = true
    }

    private mutating func leave(_ root: Int32) {
        var component: [Int32] = []
        while let state = stack.popLast() {
            isOnStack[Int(state)] = false
            component.append(state)
            if state == root { break }
        }
        all.append(component.sorted())
    }
}
