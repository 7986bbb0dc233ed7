/// When the rules of policies bind.
public enum EnforcementMode: String, Sendable, CaseIterable, Codable {
    /// Whoever at least one egress policy selects may ask only for what is allowed; the rest for everything.
    case `default`
    /// Everybody may ask only for what is allowed.
    case always
    /// Everybody may ask for everything; names are learned all the same.
    case never
    /// As `default`, but what would be denied is reported and answered.
    case audit
}

/// What happens to clients whose address no identity has.
public enum UnknownClientsMode: String, Sendable, CaseIterable, Codable {
    /// They are refused as soon as there is a policy document, unless a policy selects `reserved: unknown`.
    case refuse
    /// They may ask for everything, unless a policy selects `reserved: unknown`.
    case allow
}

/// The settings that a snapshot is compiled with.
public struct PolicyOptions: Sendable, Hashable {
    /// When the rules bind.
    public var enforcement: EnforcementMode
    /// What happens to clients whose address no identity has.
    public var unknownClients: UnknownClientsMode

    /// The defaults of the configuration unless told otherwise.
    public init(enforcement: EnforcementMode = .default, unknownClients: UnknownClientsMode = .refuse) {
        self.enforcement = enforcement
        self.unknownClients = unknownClients
    }
}
