import Automata
import Glibc
import Multicast

/// Three who chat over a network that loses and reorders messages. Each asks a question, everybody answers each, and
/// nobody sees an answer before its question.
@main struct CausalChat {
    static func main() async {
        let group = (1...3).map { ProcessID($0) }
        let network = LossyNetwork()
        let lines = group.count + group.count * group.count
        let members = group.map { ChatMember($0, in: group, over: network, lines: lines) }
        for member in members { network.connect(member) }
        for member in members { await member.start() }
        for member in members { await member.say("question of \(member.id)") }

        for member in members {
            var patience = 2000
            while await !member.hasSeenAll {
                try? await Task.sleep(for: .milliseconds(5))
                patience -= 1
                guard patience > 0 else {
                    print("\(member.id) does not see everything")
                    exit(1)
                }
            }
            let seen = await member.seen
            print("\(member.id) saw: \(seen.joined(separator: " | "))")
            guard isInOrder(seen) else {
                print("\(member.id) saw an answer before its question")
                exit(1)
            }
        }
        print("Everybody saw each question before its answers.")
    }

    private static func isInOrder(_ seen: [String]) -> Bool {
        seen.indices.allSatisfy { place in
            guard let question = seen[place].split(separator: " answers ").last, seen[place] != question
            else {
                return true
            }
            return seen[..<place].contains(String(question))
        }
    }
}
