extension Unicode.Scalar {
    /// Whether it could steer a terminal or show text in another order than it has: control and format characters (C0, C1,
    /// DEL, bidirectional marks and their like), and what ends lines.
    package var isUnprintable: Bool {
        guard value >= 0x7F else { return value < 0x20 }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        default: false
        }
    }
}
