import DNSWire

extension RuleTablesBuilder {
    /// The node where the labels of `globs` from the byte `from` on, read from the right, lead to; the way there is
    /// made if it is new. `text` is where `globs` is stored.
    mutating func trieNode(_ globs: [UInt8], from: Int, _ text: Int) -> Int {
        var offsets: [Int] = []
        var offset = from
        while offset < globs.count, globs[offset] != 0 {
            offsets.append(offset)
            offset += 1 + Int(globs[offset])
        }
        var node = layer.root
        for offset in offsets.reversed() {
            let label = (offset + 1)..<(offset + 1 + Int(globs[offset]))
            if !globs[label].contains(UInt8(ascii: "*")) {
                node = literalChild(of: node, globs, label, text + label.lowerBound)
            } else if label.count == 1 {
                node = starChild(of: node)
            } else {
                node = globChild(of: node, globs, label, text)
            }
        }
        return Int(node)
    }

    /// Adds a node.
    mutating func newNode(_ node: RuleTables.Node) -> UInt32 {
        tables.nodes.append(node)
        tables.heads.append(0)
        return UInt32(truncatingIfNeeded: tables.nodes.count - 1)
    }

    /// The node below `parent` for any one label.
    private mutating func starChild(of parent: UInt32) -> UInt32 {
        if tables.nodes[Int(parent)].star == 0 {
            let child = newNode(RuleTables.Node(length: RuleTables.Node.noLabel))
            tables.nodes[Int(parent)].star = child
        }
        return tables.nodes[Int(parent)].star
    }

    /// The node below `parent` for one label, the bytes `label` of `globs`, which are stored at `text`.
    private mutating func literalChild(
        of parent: UInt32, _ globs: [UInt8], _ label: Range<Int>, _ text: Int
    ) -> UInt32 {
        let words = LabelWords(globs.span, label.lowerBound, length: label.count, below: parent, tables.seed)
        let known = edges.find(words.hash) { index in
            let node = tables.nodes[Int(index)]
            return node.parent == parent && Int(node.length) == label.count
                && isStored(globs[label], at: Int(node.text))
        }
        if known != 0 { return known }
        let child = newNode(
            RuleTables.Node(
                key: words.last, parent: parent, text: UInt32(truncatingIfNeeded: text),
                length: UInt8(truncatingIfNeeded: label.count)))
        edges.insert(words.hash, child)
        tables.nodes[Int(parent)].hasLiterals = true
        return child
    }

    // MARK: Labels with stars and other text

    /// The node below `parent` for the labels that a glob matches: the bytes `label` of `globs`, stored at `text`.
    private mutating func globChild(
        of parent: UInt32, _ globs: [UInt8], _ label: Range<Int>, _ text: Int
    ) -> UInt32 {
        if tables.nodes[Int(parent)].globs == 0 {
            let root = newGlobNode(RuleTables.GlobNode())
            tables.nodes[Int(parent)].globs = root
        }
        var parts: [Range<Int>] = []
        var start = label.lowerBound
        for index in label where globs[index] == UInt8(ascii: "*") {
            parts.append(start..<index)
            start = index + 1
        }
        // The text behind the last star first; that before the first one only if there is something to say about it.
        var place = globStep(from: tables.nodes[Int(parent)].globs, globs, start..<label.upperBound, text)
        if parts.count > 1 || !parts[0].isEmpty {
            for part in parts { place = globStep(from: place, globs, part, text) }
        }
        if tables.globNodes[Int(place)].node == 0 {
            let child = newNode(RuleTables.Node(length: RuleTables.Node.noLabel))
            tables.globNodes[Int(place)].node = child
        }
        return tables.globNodes[Int(place)].node
    }

    /// The glob node that the bytes `part` of `globs` lead to from `parent`.
    private mutating func globStep(
        from parent: UInt32, _ globs: [UInt8], _ part: Range<Int>, _ text: Int
    ) -> UInt32 {
        let hash = tables.seed.finish(tables.seed.sum(globs[part]), parent, length: part.count)
        let known = tables.globEdges.find(hash) { index in
            let node = tables.globNodes[Int(index)]
            return node.parent == parent && Int(node.length) == part.count
                && isStored(globs[part], at: Int(node.text))
        }
        if known != 0 { return known }
        let child = newGlobNode(
            RuleTables.GlobNode(
                parent: parent, text: UInt32(truncatingIfNeeded: text + part.lowerBound),
                length: UInt8(truncatingIfNeeded: part.count)))
        tables.globEdges.insert(hash, child)
        // A part is at most 63 bytes long, since every label is.
        tables.globNodes[Int(parent)].lengths |= 1 << UInt64(truncatingIfNeeded: part.count)
        return child
    }

    /// Adds a glob node.
    private mutating func newGlobNode(_ node: RuleTables.GlobNode) -> UInt32 {
        tables.globNodes.append(node)
        return UInt32(truncatingIfNeeded: tables.globNodes.count - 1)
    }

    // MARK: The end

    /// Moves the nodes, which were in the order in which they came, to where the hashes of their labels say.
    mutating func placeNodes() {
        let count = tables.nodes.count * 2 + 1
        var nodes = [RuleTables.Node](repeating: RuleTables.Node(), count: count)
        var heads = [UInt32](repeating: 0, count: count)
        var moved = [UInt32](repeating: 0, count: tables.nodes.count)
        let bytes = tables.bytes
        // A node comes behind its parent, whose new index is part of its hash.
        for index in tables.nodes.indices.dropFirst() {
            var node = tables.nodes[index]
            node.parent = moved[Int(node.parent)]
            let hash =
                node.length == RuleTables.Node.noLabel
                ? tables.seed.finish(0, UInt32(truncatingIfNeeded: index), length: 0)
                : LabelWords(bytes.span, Int(node.text), length: Int(node.length), below: node.parent, tables.seed).hash
            var place = RuleTables.Node.start(hash, count: count)
            while !nodes[place].isFree { place = RuleTables.Node.next(place, count: count) }
            nodes[place] = node
            heads[place] = tables.heads[index]
            moved[index] = UInt32(truncatingIfNeeded: place)
        }
        for index in nodes.indices { nodes[index].star = moved[Int(nodes[index].star)] }
        for index in tables.globNodes.indices {
            tables.globNodes[index].node = moved[Int(tables.globNodes[index].node)]
        }
        for index in tables.layers.indices { tables.layers[index].root = moved[Int(tables.layers[index].root)] }
        tables.nodes = nodes
        tables.heads = heads
    }
}
