import Testing

@testable import Linearizability

@Suite("Histories as text") struct HistoryReaderTests {
    @Test(
        "the same event in each form",
        arguments: [
            "3 invoke cas [1 2]", "INFO  jepsen.util - 3\t:invoke\t:cas\t[1 2]",
            "{:process 3, :type :invoke, :f :cas, :value [1 2]}",
            #"{"process": 3, "type": "invoke", "f": "cas", "value": [1, 2]}"#, "  3 :invoke :cas [1,  2]\r",
        ])
    func forms(line: String) throws {
        let operation = try #require(try HistoryReader(hasKeys: false).read(line).operations.first)
        #expect(operation.process == 3 && operation.function == "cas" && operation.argument == "[1 2]")
        #expect(operation.isOpen)
    }

    @Test("strings may hold anything, and nil is the absence of a value")
    func values() throws {
        let text = #"""
            # a comment

            {:process 0, :type :invoke, :f :put, :key "a \"b\"", :value "x, 1: y\n\u0041"}
            {:process 0, :type :ok, :f :put, :key "a \"b\"", :value nil}
            """#
        let operation = try HistoryReader(hasKeys: true).read(text).operations[0]
        #expect(operation.key == "a \"b\"" && operation.argument == "x, 1: y\nA")
        #expect(operation.answer == nil && operation.returned == 1 && operation.line == 3)
    }

    @Test("what failed is left out, what nobody knows stays open, and its process goes on")
    func outcomes() throws {
        let text =
            "0 invoke write 1\n0 fail write 1\n1 invoke write 2\n1 info write\n1 invoke read\n1 ok read 2\n"
        let operations = try HistoryReader(hasKeys: false).read(text).operations
        #expect(operations.map(\.text) == ["write 2 -> ?", "read -> 2"])
        #expect(operations.map(\.invoked) == [2, 4])
    }

    @Test(
        "a line that is no event is named by its number",
        arguments: [
            "x invoke read", "0 begin read", "0 invoke", "0 ok read 1", "0 invoke read\n0 invoke read",
            "0 invoke read\n0 ok write 1", "0 invoke write 1 2", "{:process 0, :type :invoke}",
            "{\"process\": 0",
            "{:process 0, :process 1, :type :invoke, :f :read}", "{:process 0, :type :invoke, :f \"read}",
            "0 invoke cas [1 2", #"{"process":0,"type":"invoke","f":"\uZZZZ"}"#, "-1 invoke read",
        ])
    func malformed(text: String) {
        let error = #expect(throws: HistoryError.self) {
            try HistoryReader(hasKeys: false).read("0 invoke read\n0 ok read nil\n\n" + text)
        }
        #expect((error?.line ?? 0) >= 4)
    }

    @Test(
        "an operation of another object is refused with its line",
        arguments: [
            (ObjectModel.register, "0 invoke enqueue 1"), (.register, "0 invoke cas [1 2]"),
            (.queue, "0 invoke read"),
            (.lock, "0 invoke get"), (.compareAndSetRegister, "0 invoke cas 1"),
            (.register, "0 invoke write"),
            (.keyValue, "0 invoke put k"),
        ])
    func wrongObject(model: ObjectModel, line: String) throws {
        let history = try HistoryReader(hasKeys: model.hasKeys).read("\n" + line)
        let error = #expect(throws: HistoryError.self) { try model.check(history) }
        #expect(error?.line == 2)
    }

    @Test("whatever the bytes, there is a history or an error")
    func fuzz() {
        let pieces = [
            "0", "1", " ", "\t", ":", "invoke", "ok", "info", "fail", "read", "write", "{", "}", "\"", "[",
            "]", "\\", "\n",
            ",", "nil", "process", "type", "f", "-", "\u{0}", "é", "\\u00",
        ]
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<12 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                text += pieces[Int(state % UInt64(pieces.count))]
            }
            for hasKeys in [false, true] {
                do {
                    let history = try HistoryReader(hasKeys: hasKeys).read(text)
                    for model in ObjectModel.allCases { _ = try? model.check(history) }
                } catch {
                    #expect(error is HistoryError)
                }
            }
        }
    }
}
