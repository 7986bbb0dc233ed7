/// Which identities a policy is about, by their labels.
package struct EndpointSelector: Hashable, Sendable {
    /// One condition on the value of one label.
    package struct Requirement: Hashable, Sendable {
        /// How the value is judged.
        package enum Operator: String, Hashable, Sendable, CaseIterable {
            /// The label has one of the values.
            case isIn = "In"
            /// The label is absent or has none of the values.
            case notIn = "NotIn"
            /// The label is there, with any value.
            case exists = "Exists"
            /// The label is not there.
            case doesNotExist = "DoesNotExist"
        }

        /// The label's key, without a `k8s:` or `any:` prefix.
        package let key: String
        /// How its value is judged.
        package let `operator`: Operator
        /// The values of `In` and `NotIn`.
        package let values: [String]

        /// A condition from its parts.
        package init(_ key: String, _ operator: Operator, _ values: [String] = []) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        /// Whether `value`, nil for an absent label, is as required.
        func accepts(_ value: String?) -> Bool {
            switch `operator` {
            case .isIn: value.map(values.contains) ?? false
            case .notIn: !(value.map(values.contains) ?? false)
            case .exists: value != nil
            case .doesNotExist: value == nil
            }
        }
    }

    /// All of these must hold; none selects everything.
    package let requirements: [Requirement]

    /// A selector from its conditions.
    package init(_ requirements: [Requirement] = []) {
        self.requirements = requirements
    }

    /// Whether the selector is about `identity`.
    ///
    /// Unknown clients are nobody's endpoints, so only a selector that names their label `reserved` means them.
    func selects(_ identity: Identity) -> Bool {
        guard
            identity.id != .unknown
                || requirements.contains(where: {
                    $0.key == Identity.reservedLabel && ($0.operator == .isIn || $0.operator == .exists)
                })
        else { return false }
        return requirements.allSatisfy { requirement in
            requirement.accepts(
                Identity.namespaceLabels.contains(requirement.key)
                    ? identity.id == .unknown ? nil : identity.namespace : identity.labels[requirement.key])
        }
    }
}
