import Automata

/// Which processes may change places.
struct SystemSymmetry: Sendable {
    /// By place of a process: its group, or -1.
    private let group: [Int]
    /// The places of each group, ascending.
    private let members: [[Int]]

    init(_ groups: [[ProcessID]], among processes: [ProcessID]) {
        var group = [Int](repeating: -1, count: processes.count)
        var members: [[Int]] = []
        for (number, names) in groups.enumerated() {
            let places = names.compactMap { processes.firstIndex(of: $0) }.sorted()
            precondition(places.count == names.count, "\(names) are not all of \(processes)")
            for place in places {
                precondition(group[place] < 0, "\(processes[place]) is in two groups")
                group[place] = number
            }
            members.append(places)
        }
        self.group = group
        self.members = members
    }

    var isThere: Bool { !members.isEmpty }

    /// The same for all of a group, and different for all others.
    @inline(__always) func mark(of place: Int) -> UInt64 {
        UInt64(group[place] < 0 ? place + 1 : -group[place] + 1 << 20)
    }

    /// Where each process goes so that the marks of every group ascend; `nil` when they do already.
    func order(by marks: UnsafeMutableBufferPointer<UInt64>) -> [Int]? {
        var isSorted = true
        for places in members {
            for index in 1..<places.count where marks[places[index - 1]] > marks[places[index]] {
                isSorted = false
            }
        }
        if isSorted { return nil }
        var order = Array(marks.indices)
        for places in members {
            let sorted = places.sorted { (marks[$0], $0) < (marks[$1], $1) }
            for (place, process) in zip(places, sorted) { order[process] = place }
        }
        return order
    }
}

/// A fingerprint of things that have no order: the sum of theirs.
struct FingerprintSum {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    @inline(__always) static func mixed(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// `place` tells equal things at different places apart.
    @inline(__always) mutating func add(_ fingerprint: Fingerprint, at place: UInt64) {
        low &+= Self.mixed(fingerprint.low &+ place &* 0x9E37_79B9_7F4A_7C15)
        high &+= Self.mixed(fingerprint.high ^ place &* 0xC2B2_AE3D_27D4_EB4F)
    }

    @inline(__always) mutating func add(_ word: UInt64) {
        low &+= Self.mixed(word)
        high &+= Self.mixed(~word)
    }

    var fingerprint: Fingerprint { Fingerprint(low: Self.mixed(low), high: Self.mixed(high &+ low)) }
}
