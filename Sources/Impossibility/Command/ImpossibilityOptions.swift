import TextForms

/// The words behind `flp`: a task, then options with a value.
struct ImpossibilityOptions {
    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    let task: String
    private(set) var isJSON = false
    private(set) var isOmega = false
    private var values: [String: String] = [:]
    /// What the task has asked for.
    private var asked: Set<String> = []

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        task = rest.popFirst() ?? ""
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else { throw Fault("\"\(argument)\" is no option") }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
            switch parts.first {
            case "json"?: isJSON = true
            case "omega"?: isOmega = true
            case let name?:
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw Fault("--\(name) needs a value")
                }
                values[name] = value
            case nil: throw Fault("\"\(argument)\" is no option")
            }
        }
    }

    mutating func text(_ name: String, default standard: String) throws -> String {
        asked.insert(name)
        return values.removeValue(forKey: name) ?? standard
    }

    mutating func number(_ name: String, default standard: Int, in range: ClosedRange<Int>) throws -> Int {
        asked.insert(name)
        guard let text = values.removeValue(forKey: name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw Fault(
                "--\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    mutating func numbers(_ name: String, default standard: [Int], in range: ClosedRange<Int>) throws -> [Int]
    {
        asked.insert(name)
        guard let text = values.removeValue(forKey: name) else { return standard }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard !numbers.isEmpty, numbers.allSatisfy({ $0.map(range.contains) == true }) else {
            throw Fault(
                "--\(name) is numbers from \(range.lowerBound) to \(range.upperBound) with commas, not \"\(text)\""
            )
        }
        return numbers.compactMap { $0 }
    }

    /// Everything that was given has been asked for.
    func end() throws {
        guard let left = values.keys.min() else { return }
        let known = asked.sorted() + ["json", "omega"]
        throw Fault(
            "--\(left) is no option of \(task)" + NearestName.hint("--\(left)", in: known.map { "--\($0)" }))
    }
}
