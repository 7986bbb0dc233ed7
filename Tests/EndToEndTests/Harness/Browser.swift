import Foundation

/// Debian's Chromium without a window, driven over the WebDriver protocol as a person would use it.
final class Browser {
    /// Which colours the person has asked for.
    enum Scheme: String {
        /// Dark on light.
        case light
        /// Light on dark.
        case dark
    }

    /// Where `chromedriver` listens.
    private let port: Int
    /// The driver, which takes the browser with it.
    private let driver: RunningProcess
    /// The browser's profile.
    private let workspace: Workspace
    /// The path of the session's requests.
    private var session = ""

    /// Starts a browser.
    init() throws {
        port = try Ports.free()
        workspace = try Workspace()
        driver = try RunningProcess(["chromedriver", "--port=\(port)"], environment: ["HOME": workspace.path])
        try eventually("chromedriver does not answer: \(driver.errors)", within: .seconds(60)) {
            if let status = driver.poll() { throw HarnessError("chromedriver ended with \(status): \(driver.errors)") }
            return (try? http("GET /status", port: port))?.status == 200
        }
        // Chromium's own sandbox does not run as root, and /dev/shm is small in containers.
        let arguments = [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
            "--disable-lcd-text", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            "--user-data-dir=\(workspace.file("profile"))",
        ]
        let capabilities: [String: Any] = [
            "goog:chromeOptions": ["args": arguments], "goog:loggingPrefs": ["browser": "ALL"],
        ]
        let answer = try command("POST", "/session", ["capabilities": ["alwaysMatch": capabilities]])
        guard let id = (answer as? [String: Any])?["sessionId"] as? String else {
            throw HarnessError("no browser: \(answer)")
        }
        session = "/session/\(id)"
    }

    deinit {
        _ = try? command("DELETE", session)
        driver.signal(SIGTERM)
        _ = try? driver.wait()
    }

    /// Looks like a screen of this size, in pixels of CSS, under this scheme.
    func emulate(width: Int, height: Int, scheme: Scheme, scale: Double = 1) throws {
        try tell(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600])
        try tell(
            "Emulation.setEmulatedMedia",
            [
                "features": [
                    ["name": "prefers-color-scheme", "value": scheme.rawValue],
                    ["name": "prefers-reduced-motion", "value": "reduce"],
                ]
            ])
    }

    /// Opens a page.
    func open(_ address: String) throws { _ = try command("POST", "\(session)/url", ["url": address]) }

    /// The text that a person sees of the first element that `selector` selects; empty when there is none or it is hidden.
    func text(_ selector: String) throws -> String {
        try evaluate("return document.querySelector(arguments[0])?.innerText ?? ''", [selector]) as? String ?? ""
    }

    /// The text that a person sees of every element that `selector` selects.
    func texts(_ selector: String) throws -> [String] {
        let script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText)"
        return try evaluate(script, [selector]) as? [String] ?? []
    }

    /// What the body of a function in JavaScript returns; for what cannot be seen.
    @discardableResult
    func evaluate(_ script: String, _ arguments: [Any] = []) throws -> Any? {
        try command("POST", "\(session)/execute/sync", ["script": script, "args": arguments])
    }

    /// Types `text` into the element that has the focus, as a person does.
    func type(_ text: String) throws {
        let keys = text.flatMap { key in
            [["type": "keyDown", "value": String(key)], ["type": "keyUp", "value": String(key)]]
        }
        _ = try command(
            "POST", "\(session)/actions",
            ["actions": [["type": "key", "id": "keyboard", "actions": keys] as [String: Any]]])
    }

    /// What the page, or the browser about it, had to complain of since the last time.
    func complaints() throws -> [String] {
        let entries = try command("POST", "\(session)/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
        return entries.map { "\($0["level"] ?? ""): \($0["message"] ?? "")" }
    }

    /// A picture of the top of the page, or of all of it, as PNG.
    func screenshot(whole: Bool = false) throws -> Data {
        let picture = try tell(
            "Page.captureScreenshot", ["format": "png", "captureBeyondViewport": whole, "optimizeForSpeed": false])
        guard let text = (picture as? [String: Any])?["data"] as? String, let data = Data(base64Encoded: text) else {
            throw HarnessError("no picture")
        }
        return data
    }

    /// Sends a command of the DevTools protocol.
    @discardableResult
    private func tell(_ name: String, _ parameters: [String: Any]) throws -> Any {
        try command("POST", "\(session)/goog/cdp/execute", ["cmd": name, "params": parameters])
    }

    /// Sends a command of the WebDriver protocol and returns its value.
    /// - Throws: `HarnessError` with what the driver has to say about it.
    @discardableResult
    private func command(_ method: String, _ path: String, _ body: [String: Any]? = nil) throws -> Any {
        let data = try body.map { try JSONSerialization.data(withJSONObject: $0) }
        let answer = try http("\(method) \(path)", port: port, body: data, within: .seconds(60))
        guard answer.status == 200, let value = try answer.object()["value"] else {
            throw HarnessError("\(path): \(answer.text.prefix(500))")
        }
        return value
    }
}
