/// Why a load is not what was asked for. The whole run ends with the first: a measurement that holds one error is none.
struct Failure: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
