/// Every kind of multicast that can be simulated.
enum MulticastKind: CaseIterable {
    case members(StaticKind)
    case views(GroupKind)
    case groups

    static var allCases: [MulticastKind] {
        StaticKind.allCases.map(MulticastKind.members) + GroupKind.allCases.map(MulticastKind.views) + [
            .groups
        ]
    }

    var name: String {
        switch self {
        case .members(let kind): kind.rawValue
        case .views(let kind): kind.rawValue
        case .groups: "skeen"
        }
    }

    init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }

    func run(seed: UInt64, keepsTrace: Bool = false) -> RunTally {
        switch self {
        case .members(let kind): kind.run(seed: seed, keepsTrace: keepsTrace)
        case .views(let kind): GroupRun(kind, seed: seed, keepsTrace: keepsTrace).tally
        case .groups: SkeenRun(seed: seed, keepsTrace: keepsTrace).tally
        }
    }
}
