import Foundation
import Testing

extension EndToEnd {
    /// The units in Examples/systemd.
    @Suite struct SystemdUnits {
        /// Where they are.
        private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples/systemd").path
        /// Whether this machine can judge units.
        private static let canAnalyze = ["/usr/bin", "/bin"].contains { access("\($0)/systemd-analyze", X_OK) == 0 }

        @Test(.enabled(if: canAnalyze, "systemd-analyze is not installed"))
        func `are valid, and leave the daemon as little as possible`() throws {
            // The program of the unit is not installed here; any other one will do.
            let workspace = try Workspace()
            for name in ["dnsproxyd.service", "dnsproxyd.socket"] {
                let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
                try workspace.write(name, text.replacing("/usr/bin/dnsproxyd", with: "/bin/true"))
            }
            let service = workspace.file("dnsproxyd.service")
            let checked = try run(["systemd-analyze", "verify", service, workspace.file("dnsproxyd.socket")])
            #expect(checked.status == 0 && checked.errors.isEmpty, "\(checked.errors)")
            // Exposure in tenths: the command fails above the threshold.
            let judged = try run(
                ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", service])
            #expect(judged.status == 0, "\(judged.output)\(judged.errors)")
            #expect(judged.output.contains("Overall exposure level"), "\(judged.output)")
        }
    }
}
