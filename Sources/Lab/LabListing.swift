import TextForms

extension LabParameter {
    /// A line for people.
    var text: String {
        let standard =
            switch value {
            case .number(let standard, let range):
                "N (\(standard); \(range.lowerBound) to \(range.upperBound))"
            case .choice(let standard, let known): "\(known.joined(separator: "|")) (\(standard))"
            case .processes(let standard): "P,P (\(standard.map(String.init).joined(separator: ",")))"
            case .flag: ""
            }
        return "--\(name)\(standard.isEmpty ? "" : " \(standard)"): \(meaning)"
    }
}

extension LabScenario {
    /// An object on one line: `name`, `abstract`, and `parameters` with `name`, `default` and `meaning`.
    var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("abstract", JSONText.string(abstract)),
            (
                "parameters",
                JSONText.array(
                    parameters.map { parameter in
                        let standard =
                            switch parameter.value {
                            case .number(let standard, _): "\(standard)"
                            case .choice(let standard, _): JSONText.string(standard)
                            case .processes(let standard): JSONText.array(standard.map(String.init))
                            case .flag: "false"
                            }
                        return JSONText.object([
                            ("name", JSONText.string(parameter.name)), ("default", standard),
                            ("meaning", JSONText.string(parameter.meaning)),
                        ])
                    })
            ),
        ])
    }
}
