public import DNSWire

/// The public suffix list (publicsuffix.org): the names under which anybody may register one of their own.
public struct PublicSuffixes: Sendable {
    /// What the list says about one name.
    private struct Rule: OptionSet, Sendable {
        let rawValue: UInt8
        /// It is a public suffix.
        static let suffix = Rule(rawValue: 1)
        /// Everything one label below it is.
        static let wildcard = Rule(rawValue: 2)
        /// It is none, although a wildcard says so.
        static let exception = Rule(rawValue: 4)
    }

    /// Where the list comes from, for people.
    public let source: String
    /// The rules by name.
    private var rules: [DomainName: Rule] = [:]

    /// Where Debian's package `publicsuffix` puts the list.
    public static let systemPath = "/usr/share/publicsuffix/public_suffix_list.dat"

    /// The list of the system when there is one, else a small one that is built in.
    public static func system(path: String = systemPath) -> PublicSuffixes {
        let limits = DocumentLimits(bytes: 8 << 20)
        guard let text = DocumentFiles.text(of: path, limits: limits, DocumentProblems()), !text.isEmpty else {
            return builtIn
        }
        return PublicSuffixes(text, source: path)
    }

    /// The suffixes under which most names are, for systems without the list; less careful than the list is.
    public static let builtIn = PublicSuffixes(
        """
        com\nnet\norg\nedu\ngov\nmil\nint\ninfo\nbiz\nname\npro\nio\nco\nai\napp\ndev\nme\ntv\ncc\ncloud\nxyz\nonline\nsite
        store\nshop\ntech\narpa\n*.in-addr.arpa\n*.ip6.arpa\nuk\nde\nfr\nnl\nbe\nch\nat\nit\nes\npt\npl\ncz\nse\nno\nfi
        dk\nru\nua\ntr\nil\nin\ncn\njp\nkr\ntw\nhk\nsg\nau\nnz\nza\nbr\nmx\nar\ncl\nus\nca\neu\nie
        github.io\ngitlab.io\nherokuapp.com\nappspot.com\nweb.app\nfirebaseapp.com\nrun.app\ncloudfunctions.net
        cloudfront.net\ns3.amazonaws.com\n*.elb.amazonaws.com\n*.compute.amazonaws.com
        compute-1.amazonaws.com\nexecute-api.us-east-1.amazonaws.com\nelasticbeanstalk.com\nawsapprunner.com
        azurewebsites.net\nazureedge.net\ncloudapp.net\ncloudapp.azure.com\n*.cloudapp.azure.com\ntrafficmanager.net
        blob.core.windows.net\nweb.core.windows.net\nazurestaticapps.net\npages.dev\nworkers.dev\nnetlify.app
        vercel.app\nonrender.com\nfly.dev\nngrok.io\nblogspot.com\nwordpress.com\nmyshopify.com\nfastly.net
        global.ssl.fastly.net\nakamaihd.net\nedgekey.net\nedgesuite.net\nduckdns.org\nno-ip.org\ndyndns.org
        """ + secondLevels, source: "a small built-in list")

    /// Second-level suffixes of countries that register names below them.
    private static var secondLevels: String {
        let countries = [
            "uk", "au", "nz", "za", "jp", "kr", "il", "in", "br", "mx", "ar", "tr", "cn", "tw", "hk", "sg",
        ]
        let levels = ["ac", "co", "com", "edu", "go", "gob", "gov", "gr", "ltd", "me", "mil", "ne", "net", "or", "org"]
        return countries.flatMap { country in levels.map { "\n\($0).\(country)" } }.joined()
    }

    /// Reads a list in its published form: a rule a line, comments behind `//`. Lines that are no names are left out.
    public init(_ text: String, source: String) {
        self.source = source
        for line in text.split(whereSeparator: \.isNewline) {
            guard let word = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first, !word.hasPrefix("//") else {
                continue
            }
            let rule: Rule = word.hasPrefix("!") ? .exception : word.hasPrefix("*.") ? .wildcard : .suffix
            let rest = word.dropFirst(rule == .exception ? 1 : rule == .wildcard ? 2 : 0)
            let labels = rest.split(separator: ".").map { Punycode.label($0) }
            guard let name = try? DomainName(labels.joined(separator: ".")) else { continue }
            rules[name, default: []].insert(rule)
        }
    }

    /// How many labels of `name` are its public suffix, and whether the list says so: a name that is in no rule has
    /// its last label as suffix.
    public func suffix(of name: DomainName) -> (labels: Int, isListed: Bool) {
        var best = (labels: min(1, name.labelCount), isListed: false)
        var current: DomainName? = name
        var labels = name.labelCount
        // From the whole name down to its last label: the first exception or the longest rule is found first.
        while let suffix = current, labels > 0 {
            let rule = rules[suffix] ?? []
            if rule.contains(.exception) { return (labels - 1, true) }
            if best.isListed {
                current = suffix.parent
                labels -= 1
                continue
            }
            let parent = suffix.parent ?? .root
            if rule.contains(.suffix) || rules[parent]?.contains(.wildcard) == true { best = (labels, true) }
            current = parent
            labels -= 1
        }
        return best
    }
}
