/// Queries that were denied lately, by identity and name.
public struct AdminDenials: Codable, Hashable, Sendable {
    /// Since when they were counted: UTC seconds since the epoch; nil when flows are switched off.
    public var since: Double?
    /// Whether all of them were counted: not when there were more in a second than flows are noted, or too many names.
    public var isComplete: Bool
    /// The names, those that were denied most first.
    public var names: [Name]

    /// Denials from all their parts.
    public init(since: Double?, isComplete: Bool, names: [Name]) {
        self.since = since
        self.isComplete = isComplete
        self.names = names
    }

    /// A name that an identity may not ask for.
    public struct Name: Codable, Hashable, Sendable {
        /// The name in presentation format.
        public var name: String
        /// The identity as `namespace/name`; empty for one that is in no document any more.
        public var identity: String
        /// The address that asked last.
        public var client: String
        /// Why, in one sentence, under the policy in force.
        public var reason: String
        /// The rule that nearly allows it, in one sentence; nil when there is none.
        public var hint: String?
        /// How often it was denied.
        public var count: Int
        /// When it was denied last: UTC seconds since the epoch.
        public var last: Double

        /// A denied name from all its parts.
        public init(
            name: String, identity: String, client: String, reason: String, hint: String?, count: Int, last: Double
        ) {
            self.name = name
            self.identity = identity
            self.client = client
            self.reason = reason
            self.hint = hint
            self.count = count
            self.last = last
        }
    }
}
