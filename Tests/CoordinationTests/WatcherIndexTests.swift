import Coordination
import Testing

@Suite("The watcher index") struct WatcherIndexTests {
    private func matches(_ index: WatcherIndex, _ key: String) -> [UInt64] {
        var found: [UInt64] = []
        index.match(bytes(key), into: &found)
        return found
    }

    @Test("a key concerns those who watch it, a range around it, or everything from somewhere before")
    func kinds() {
        var index = WatcherIndex()
        index.add(1, range: keys("b"))
        index.add(2, range: keys("a", "c"))
        index.add(3, range: keys("b", ""))
        index.add(4, range: keys("b"))
        index.add(4, range: keys("b"))
        index.add(5, range: keys("c", "a"))
        #expect(index.count == 5)
        #expect(matches(index, "b") == [2, 1, 4, 3])
        #expect(matches(index, "b\0") == [2, 3])
        #expect(matches(index, "a") == [2])
        #expect(matches(index, "c") == [3])
        #expect(matches(index, "") == [])
        let removed = [
            index.remove(1, range: keys("a", "c")), index.remove(9, range: keys("b")),
            index.remove(1, range: keys("b")), index.remove(2, range: keys("a", "c")),
        ]
        #expect(removed == [false, false, true, true])
        #expect(matches(index, "b") == [4, 3] && index.count == 3)
    }

    @Test("the keys of one family concern nobody who watches another's")
    func families() {
        let other = SpaceID(rawValue: 0)
        let third = SpaceID(rawValue: 200)
        var index = WatcherIndex()
        for (number, space) in [SpaceID.keyValue, other, third].enumerated() {
            index.add(UInt64(number * 2), range: keys("a", ""), of: space)
            index.add(UInt64(number * 2 + 1), range: keys("b"), of: space)
        }
        func found(_ key: String, _ space: SpaceID) -> [UInt64] {
            var found: [UInt64] = []
            index.match(bytes(key), of: space, into: &found)
            return found
        }
        #expect(matches(index, "b") == [0, 1])
        #expect(found("b", other) == [2, 3] && found("c", other) == [2])
        #expect(found("b", third) == [4, 5] && found("", third) == [])
        #expect(found("b", SpaceID(rawValue: 100)) == [])
        index.remove(3, range: keys("b"), of: third)
        #expect(index.count == 6)
        index.remove(3, range: keys("b"), of: other)
        #expect(found("b", other) == [2] && found("b", third) == [4, 5])
    }

    @Test(
        "it finds what a search through all watchers finds, while they come and go",
        arguments: [1, 2, 3] as [UInt64])
    func againstSearch(seed: UInt64) {
        var commands = RandomCommands(seed: seed)
        var index = WatcherIndex()
        var all: [(watcher: UInt64, range: KeyRange)] = []
        for step in 1...1500 {
            if all.isEmpty || commands.numbers.chance(step < 700 ? 70 : 35) {
                let range = commands.range()
                index.add(UInt64(step), range: range)
                all.append((UInt64(step), range))
            } else {
                let gone = all.remove(at: commands.numbers.below(all.count))
                let removed = index.remove(gone.watcher, range: gone.range)
                #expect(removed)
            }
            let key = commands.key()
            var found: [UInt64] = []
            index.match(key, into: &found)
            #expect(found.sorted() == all.filter { NaiveSpace.holds($0.range, key) }.map(\.watcher).sorted())
            #expect(index.count == all.count)
        }
    }

    @Test("many thousand watchers of keys of their own, and a few of everything")
    func many() {
        var index = WatcherIndex()
        for watcher in 0..<20_000 { index.add(UInt64(watcher), range: keys("key/\(watcher)")) }
        index.add(100_000, range: keys("", ""))
        #expect(matches(index, "key/777") == [100_000, 777])
        #expect(matches(index, "key/20000") == [100_000])
        for watcher in 0..<19_999 { index.remove(UInt64(watcher), range: keys("key/\(watcher)")) }
        #expect(matches(index, "key/777") == [100_000] && index.count == 2)
    }
}
