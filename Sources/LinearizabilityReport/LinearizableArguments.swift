import Linearizability
import TextForms

/// The command line of `linearizable`.
struct LinearizableArguments {
    var model = ObjectModel.register
    var files: [String] = []
    var printsJSON = false
    var picture: String?
    var memoryBytes = 2048 << 20
    var cutDownTime = Duration.milliseconds(300)
    var isHelp = false

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: [String]) throws {
        var named: ObjectModel?
        var rest = arguments[...]
        if arguments.first == "help" { isHelp = true }
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard argument.hasPrefix("--") || argument == "-h" else {
                files.append(argument)
                continue
            }
            func value() throws -> String {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw Fault(description: "\(parts[0]) needs a value")
                }
                return value
            }
            switch parts[0] {
            case "--help", "-h": isHelp = true
            case "--json": printsJSON = true
            case "--svg": picture = try value()
            case "--memory":
                let text = try value()
                guard let mebibytes = Int(text), (1...1_048_576).contains(mebibytes) else {
                    throw Fault(description: "--memory needs a number of MiB, not \"\(text)\"")
                }
                memoryBytes = mebibytes << 20
            case "--cut-down":
                let text = try value()
                guard let seconds = Double(text), (0...86_400).contains(seconds) else {
                    throw Fault(description: "--cut-down needs a number of seconds, not \"\(text)\"")
                }
                cutDownTime = .milliseconds(Int(seconds * 1000))
            case "--model":
                let name = try value()
                guard let model = ObjectModel(rawValue: name) else {
                    let names = ObjectModel.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Fault(
                        description: "there is no model \"\(name)\"; there are \(names)")
                }
                named = model
            default:
                let known = ["--model", "--json", "--svg", "--memory", "--cut-down", "--help"]
                throw Fault(description: "\(parts[0]) is no option\(NearestName.hint(parts[0], in: known))")
            }
        }
        if isHelp { return }
        guard let named else { throw Fault(description: "--model is missing") }
        guard !files.isEmpty else { throw Fault(description: "name a file") }
        guard picture == nil || files.count == 1 else { throw Fault(description: "--svg goes with one file") }
        model = named
    }
}
