/// The key path of a value, as a chain towards the root: made for every value, turned into text only for a problem.
package final class DocumentPath: Sendable {
    /// One step down from the parent.
    enum Step: Sendable {
        /// The root of a document of the file with this name.
        case file(String)
        /// A key of a mapping.
        case key(String)
        /// An index of a list.
        case index(Int)
    }

    /// The step from `parent` to here.
    private let step: Step
    /// Where the step starts; nil for the root.
    private let parent: DocumentPath?

    /// The path that `step` leads to from `parent`.
    init(_ step: Step, of parent: DocumentPath? = nil) {
        self.step = step
        self.parent = parent
    }

    /// The file that the root names.
    package var file: String {
        var path = self
        while let parent = path.parent { path = parent }
        if case .file(let name) = path.step { return name }
        return ""
    }

    /// `spec.egress[0].toFQDNs`; empty for the root.
    package var text: String {
        var steps: [Step] = []
        var path: DocumentPath? = self
        while let current = path {
            steps.append(current.step)
            path = current.parent
        }
        var text = ""
        for step in steps.reversed() {
            switch step {
            case .file: continue
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}
