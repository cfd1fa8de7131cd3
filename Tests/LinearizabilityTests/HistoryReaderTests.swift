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

    @Test(
        "a whole history in each form",
        arguments: [
            "0 invoke write 1\r\n0 ok write 1\r\n1 invoke read\r\n1 ok read 1\r\n",
            "\u{FEFF}0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read 1",
            """
            #jepsen.history.Op{:index 0, :time 12, :type :invoke, :process 0, :f :write, :value 1}
            #jepsen.history.Op{:index 1, :time 13, :type :info, :process :nemesis, :f :start, :value "all"}
            #jepsen.history.Op {:index 2, :time 14, :type :ok, :process 0, :f :write, :value 1}
            #knossos.op.Op{:type :invoke, :process 1, :f :read, :value nil, :error [:timeout {:a #{1}}]}
            #jepsen.history.Op{:type :ok, :process 1, :f :read, :value 1}
            """,
            """
            [{:process 0, :type :invoke, :f :write, :value 1}
             {:process 0, :type :ok, :f :write, :value 1} ; in between
             #_{:process 7} {:process 1, :type :invoke,
              :f :read, :value nil} #jepsen.history.Op{:process 1, :type :ok, :f :read, :value 1}]
            """,
            """
            ({:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f :write :value 1}
             ^{:line 3} {:process 1 :type :invoke :f :read} {:process 1 :type :ok :f :read :value 1})
            """,
            """
            [{"process": 0, "type": "invoke", "f": "write", "value": 1},{"process":0,"type":"ok","f":"write","value":1},
            {"process": "nemesis", "type": "info", "f": "start", "value": null},
            {"process": 1, "type": "invoke", "f": "read", "value": null},
            {"process": 1, "type": "ok", "f": "read", "value": 1}]
            """,
            "[0 :invoke :write 1]\n[0 :ok :write 1]\n[:nemesis :info :start]\n[1 :invoke :read nil]\n[1 :ok :read 1]",
            "[[0 :invoke :write 1] [0 :ok :write 1] [1 :invoke :read] [1 :ok :read 1]]",
            """
            INFO  jepsen.util - 0\t:invoke\t:write\t1
            INFO  jepsen.util - :nemesis\t:info\t:start\t"Cut off {:n1 #{:n2}}"
            2026-01-02 12:00:00,123 INFO [jepsen worker 0] jepsen.util - 0\t:ok\t:write\t1
            INFO  jepsen.util - 1\t:invoke\t:read\tnil
            INFO  jepsen.util - 1\t:ok\t:read\t1
            """,
        ])
    func wholeHistories(text: String) throws {
        let history = try HistoryReader(hasKeys: false).read(text)
        #expect(history.operations.map(\.text) == ["write 1", "read -> 1"])
        #expect(history.eventCount == 4)
    }

    @Test(
        "a text without an operation is refused",
        arguments: [
            "", "\n\n", "# a comment\n; another", "[]", "{:process :nemesis, :type :info, :f :start}",
        ])
    func empty(text: String) {
        #expect(throws: HistoryError(line: nil, "there is no operation in it")) {
            try HistoryReader(hasKeys: false).read(text)
        }
    }

    @Test(
        "what cannot be read is named by its line and a reason, also within a vector",
        arguments: [
            ("[{:process 0, :type :invoke, :f :read}\n {:process 0, :type :begun, :f :read}]", 2, "begun"),
            ("[{:process 0, :type :invoke, :f :read}\n", 1, "] is missing at the end"),
            ("[{:process 0, :type :invoke, :f :read}\n)", 2, ") where ] is missing"),
            ("#jepsen.history.Op{:process 0\n:type}", 1, "a name without a value"),
            ("\n#jepsen.history.Op[:a]", 2, "an event is a process"),
            ("0 invoke read\r\n0 ok read 1\r\nwhat\r\n", 3, "an event is a process"),
            ("0 invoke read\n}", 2, "begins no event"),
            (String(repeating: "[", count: 100), 1, "nested deeper"),
        ])
    func reasons(text: String, line: Int, reason: String) throws {
        let error = #expect(throws: HistoryError.self) { try HistoryReader(hasKeys: false).read(text) }
        #expect(
            error?.line == line && error?.message.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("Jepsen's tuples of independent keys are a key and a value")
    func tuples() throws {
        let text = """
            {:process 0, :type :invoke, :f :write, :value ["k" 3]}
            {:process 0, :type :ok, :f :write, :value ["k" 3]}
            {:process 0, :type :invoke, :f :read, :value ["k" nil]}
            {:process 0, :type :ok, :f :read, :value ["k" 3]}
            """
        let history = try HistoryReader(hasKeys: true).read(text)
        #expect(history.operations.map(\.text) == ["write k 3", "read k -> 3"])
        #expect(try ObjectModel.keyValue.check(history).outcome == .linearizable)
    }

    @Test("a cas from no value succeeds where there is none, and values may hold blanks")
    func compareAndSetOfNothing() throws {
        let text = #"""
            {:process 0, :type :invoke, :f :cas, :value [nil "a b"]}
            {:process 0, :type :ok, :f :cas, :value [nil "a b"]}
            {:process 0, :type :invoke, :f :cas, :value ["a b" 2]}
            {:process 0, :type :ok, :f :cas, :value ["a b" 2]}
            {:process 0, :type :invoke, :f :read, :value nil}
            {:process 0, :type :ok, :f :read, :value 2}
            """#
        let history = try HistoryReader(hasKeys: false).read(text)
        #expect(try ObjectModel.compareAndSetRegister.check(history).outcome == .linearizable)
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

    @Test("behind the value of what failed or has no known end may stand why")
    func reasonsOfFailures() throws {
        let text =
            "0\t:invoke\t:write\t3\n0\t:info\t:write\t3\t:timed-out\n1 :invoke :read nil\n1 :fail :read nil [:no \"one\"]"
        let operations = try HistoryReader(hasKeys: false).read(text).operations
        #expect(operations.map(\.text) == ["write 3 -> ?"])
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
