import Foundation
import Testing

extension EndToEnd {
    /// Every command of `docs/OPERATIONS.md` does what the page says, in the state that the page speaks about.
    @Suite struct Runbook {
        /// The page.
        private static let page = RunbookPage(
            (try? String(contentsOfFile: "\(repositoryRoot)/docs/OPERATIONS.md", encoding: .utf8)) ?? "")

        /// Whether a small disk can be mounted for the scene about a full one.
        private static let canMount: Bool = {
            guard geteuid() == 0, let workspace = try? Workspace() else { return false }
            guard (try? run(["mount", "-t", "tmpfs", "tmpfs", workspace.path]))?.status == 0 else { return false }
            return (try? run(["umount", workspace.path]))?.status == 0
        }()

        /// The scenes that can be played here.
        private static let scenes: [RunbookPage.Scene] = page.scenes.filter { scene in
            guard scene.state == RunbookStage.State.full.rawValue, !canMount else { return true }
            print("Runbook: the scene about a full disk is skipped; it needs root, to mount a small one")
            return false
        }

        @Test func `the page has a scene for every state, and no command outside of one`() {
            #expect(Set(Runbook.page.scenes.map(\.state)) == Set(RunbookStage.State.allCases.map(\.rawValue)))
            #expect(Runbook.page.strays.isEmpty)
            for scene in Runbook.page.scenes { #expect(!scene.steps.isEmpty, "\(scene)") }
        }

        @Test(arguments: scenes) func `the commands do what the page says`(_ scene: RunbookPage.Scene) throws {
            let state = try #require(RunbookStage.State(rawValue: scene.state))
            let stage = try RunbookStage(state)
            for step in scene.steps {
                let result = try stage.run(step.command)
                var lines = result.output.components(separatedBy: "\n")
                if lines.last == "" { lines.removeLast() }
                #expect(
                    result.status == step.status && RunbookPage.shows(step.output, lines),
                    "$ \(step.command)\n\(result.output)[exit status \(result.status)]")
            }
        }
    }
}
