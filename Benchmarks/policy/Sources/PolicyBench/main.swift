// Measures the policy engine on the rules of one file and the names of another.
//
//   PolicyBench verdicts RULES NAMES   compile time, memory; then a verdict and a load for each line on standard input
//   PolicyBench identities RULES       compiles the rules spread over 1,000 identities
//   PolicyBench yaml DOCUMENT...       reads documents
//
// A rule is a line "name NAME" or "pattern PATTERN". Results are lines "KEY VALUE".

import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case ("verdicts", 3): try VerdictBench(rules: arguments[1], names: arguments[2]).run()
case ("identities", 2): try IdentityBench(rules: arguments[1]).run()
case ("yaml", 2...): YAMLBench(documents: Array(arguments.dropFirst())).run()
default:
    print("usage: PolicyBench verdicts RULES NAMES | identities RULES | yaml DOCUMENT...")
    exit(64)
}
