internal import FQDNPolicy

/// The names that are answered here whatever is configured, because to ask for them elsewhere is a mistake or a leak.
enum SpecialNames {
    /// The zones with their reasons, in master format.
    private static let zones = [
        // RFC 6761, section 6.3: the loopback addresses, for every name of the tree, and nothing else exists there.
        """
        $ORIGIN localhost.
        $TTL 10800
        @ IN SOA localhost. nobody.invalid. 1 3600 1200 604800 10800
        @ IN NS localhost.
        @ IN A 127.0.0.1
        @ IN AAAA ::1
        * IN A 127.0.0.1
        * IN AAAA ::1

        """,
        // RFC 6761, section 6.4: no such name exists.
        """
        invalid. 10800 IN SOA localhost. nobody.invalid. 1 3600 1200 604800 10800

        """,
        // RFC 7686, section 2: nor do these in the DNS.
        """
        onion. 10800 IN SOA localhost. nobody.invalid. 1 3600 1200 604800 10800

        """,
    ]

    /// What stands for the file of these zones.
    static let file = "special names"

    /// The zones; one that a zone file defines too gives way to it.
    static let all: [LocalZone] = zones.compactMap { text in
        var problems: [DocumentProblem] = []
        return ZoneFile.parse(Array(text.utf8), file: file, &problems)
    }
}
