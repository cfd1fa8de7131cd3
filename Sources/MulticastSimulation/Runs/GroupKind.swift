import GroupCommunication
import Multicast

/// Multicasts in groups with views, with what they promise.
enum GroupKind: String, CaseIterable {
    case viewsFIFO = "views"
    case viewsUniform = "views-uniform"
    case viewsCausal = "views-causal"
    case sequencer
    case sequencerUniform = "sequencer-uniform"
    case agreed
    case agreedUniform = "agreed-uniform"

    var order: MulticastOrder {
        switch self {
        case .viewsFIFO, .viewsUniform: .fifo
        case .viewsCausal: .causal
        case .sequencer, .sequencerUniform: .sequencer
        case .agreed, .agreedUniform: .agreed
        }
    }

    var isUniform: Bool { self == .viewsUniform || self == .sequencerUniform || self == .agreedUniform }
    var isTotal: Bool { order == .sequencer || order == .agreed }
    /// A total order over uniform streams is causal too.
    var isCausal: Bool { order == .causal || isTotal && isUniform }

    func settings(window: Int) -> GroupMember.Settings {
        GroupMember.Settings(order: order, guarantee: isUniform ? .uniform : .reliable, window: window)
    }
}
