import Coordination

/// Walks one table as a view sees it: the rows of the data file, and before them those of the layers.
final class MergedCursor: OrderedCursor {
    /// The view outlives its cursors.
    private unowned(unsafe) let view: LayeredView
    private let table: StoreTable
    private let file: TableCursor
    private var layers = LayersCursor()
    /// The period of the view of which `layers` are.
    private var period: UInt64 = 0

    private enum Standing { case nowhere, file, layer }
    private var standing = Standing.nowhere
    private var fileStands = false
    /// Both stand on the same row, of which the file's version is hidden.
    private var isHiding = false
    private var isForward = true

    init(_ view: LayeredView, _ table: StoreTable, _ file: TableCursor) {
        self.view = view
        self.table = table
        self.file = file
    }

    var key: UnsafeRawBufferPointer {
        switch standing {
        case .file: return file.key
        case .layer: return layers.node!.key
        case .nowhere: preconditionFailure("the cursor stands nowhere")
        }
    }

    var value: UnsafeRawBufferPointer {
        switch standing {
        case .file: return file.value
        case .layer: return layers.node!.value
        case .nowhere: preconditionFailure("the cursor stands nowhere")
        }
    }

    /// Stands nowhere, and looks at the layers anew before it is used again.
    func release() {
        standing = .nowhere
        period = 0
        file.release()
    }

    func seek(atOrAfter key: UnsafeRawBufferPointer) throws -> Bool {
        prepare()
        fileStands = try file.seek(atOrAfter: key)
        if layers.isEmpty { return settleOnFile() }
        layers.seek(atOrAfter: key)
        return try settle(forward: true)
    }

    func seek(before key: UnsafeRawBufferPointer) throws -> Bool {
        prepare()
        fileStands = try file.seek(before: key)
        if layers.isEmpty { return settleOnFile() }
        layers.seek(before: key)
        return try settle(forward: false)
    }

    func seekToFirst() throws -> Bool {
        prepare()
        fileStands = try file.seekToFirst()
        layers.seekToFirst()
        return try settle(forward: true)
    }

    func seekToLast() throws -> Bool {
        prepare()
        fileStands = try file.seekToLast()
        layers.seekToLast()
        return try settle(forward: false)
    }

    func next() throws -> Bool {
        if layers.isEmpty {
            fileStands = try file.next()
            return settleOnFile()
        }
        if !isForward { try turn(forward: true) }
        switch standing {
        case .nowhere: preconditionFailure("the cursor stands nowhere")
        case .file: fileStands = try file.next()
        case .layer:
            layers.next()
            if isHiding { fileStands = try file.next() }
        }
        return try settle(forward: true)
    }

    func previous() throws -> Bool {
        if layers.isEmpty {
            fileStands = try file.previous()
            return settleOnFile()
        }
        if isForward { try turn(forward: false) }
        switch standing {
        case .nowhere: preconditionFailure("the cursor stands nowhere")
        case .file: fileStands = try file.previous()
        case .layer:
            layers.previous()
            if isHiding { fileStands = try file.previous() }
        }
        return try settle(forward: false)
    }

    @inline(__always)
    private func prepare() {
        guard period != view.period else { return }
        layers.enter(view.layers, table, at: view.transactionNumber)
        period = view.period
    }

    @inline(__always)
    private func settleOnFile() -> Bool {
        standing = fileStands ? .file : .nowhere
        return fileStands
    }

    /// Stands on the nearer of the two rows, and of one row on the layers'; removed ones are passed over.
    private func settle(forward: Bool) throws -> Bool {
        isForward = forward
        while true {
            guard let node = layers.node else {
                isHiding = false
                return settleOnFile()
            }
            var order = -1
            if fileStands {
                order = compareBytes(node.key, file.key)
                if !forward { order = -order }
            }
            guard order <= 0 else {
                isHiding = false
                standing = .file
                return true
            }
            isHiding = order == 0
            guard node.isRemoval else {
                standing = .layer
                return true
            }
            if forward {
                layers.next()
                if isHiding { fileStands = try file.next() }
            } else {
                layers.previous()
                if isHiding { fileStands = try file.previous() }
            }
        }
    }

    /// The one that the cursor does not stand on goes to the other side of the row.
    private func turn(forward: Bool) throws {
        isForward = forward
        switch standing {
        case .nowhere: break
        case .file:
            isHiding = false
            if forward { layers.seek(atOrAfter: file.key) } else { layers.seek(before: file.key) }
        case .layer:
            let key = layers.node!.key
            fileStands = try forward ? file.seek(atOrAfter: key) : fileSeek(notAfter: key)
            isHiding = fileStands && compareBytes(file.key, key) == 0
        }
    }

    private func fileSeek(notAfter key: UnsafeRawBufferPointer) throws -> Bool {
        if try file.seek(atOrAfter: key), compareBytes(file.key, key) == 0 { return true }
        return try file.seek(before: key)
    }
}
