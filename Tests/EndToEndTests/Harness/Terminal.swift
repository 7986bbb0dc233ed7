/// Runs a line of shell at a terminal of `columns`, as a person would; both outputs come as the terminal has them.
func terminal(_ line: String, columns: Int = 80, environment: [String: String] = [:]) throws -> Completed {
    // A line without colour or size of its own: what the test process has is not the test's.
    var variables = ["TERM": "xterm", "COLUMNS": "", "NO_COLOR": ""]
    variables.merge(environment) { $1 }
    let command = ["script", "-qefc", "stty cols \(columns); \(line)", "/dev/null"]
    let result = try run(command, environment: variables)
    return Completed(
        status: result.status, output: result.output.replacing("\r\n", with: "\n"), errors: result.errors)
}
