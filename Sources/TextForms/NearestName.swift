/// What somebody meant who wrote a name that there is not: for a line such as "there is no --sede; did you mean
/// --seed?".
public enum NearestName {
    /// The name that differs least, or nil when every name differs in more than a third of its letters and none
    /// begins with what was written.
    public static func of(_ written: String, in names: some Sequence<String>) -> String? {
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = distance(written, name)
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        guard let best else { return nil }
        if best.distance <= max(1, max(written.count, best.name.count) / 3) { return best.name }
        guard written.count > 1 else { return nil }
        return names.filter { $0.hasPrefix(written) }.min { ($0.count, $0) < ($1.count, $1) }
    }

    /// `; did you mean NAME?`, or nothing.
    public static func hint(_ written: String, in names: some Sequence<String>) -> String {
        of(written, in: names).map { "; did you mean \($0)?" } ?? ""
    }

    /// Letters to insert, remove, replace or exchange with their neighbour: the optimal string alignment distance.
    static func distance(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
        var (beforeLast, last) = ([Int](), Array(0...second.count))
        for (row, letter) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                var least = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == second[column - 1], other == first[row - 1] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }
}
