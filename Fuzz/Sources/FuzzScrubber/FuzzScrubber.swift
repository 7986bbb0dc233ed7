import Fuzzing

@testable import DNSWire

/// Any bytes as an upstream's response; the image of it is taken apart again and has to keep what is promised to clients.
@main
struct FuzzScrubber {
    /// Types that are asked for.
    private static let types: [RecordType] = [
        .a, .aaaa, .cname, .https, .svcb, .mx, .ns, .soa, .txt, .any, .rrsig, .ds, .dname, .srv, .nsec,
        RecordType(rawValue: 65_280),
    ]

    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            var choices = Choices()
            let options = choices.byte(input)
            let message = input.extracting(choices.offset..<input.count)
            let type = types[Int(options & 15)]
            let limit = options & 16 == 0 ? Int.max : 2
            let room = options & 32 == 0 ? 65_535 : 512
            var question = NameBuffer()
            var cursor = MessageCursor()
            _ = cursor.readQuestion(message, into: &question)
            if !cursor.isValid { question.assign(.root) }
            scrub(message, question, type, addressLimit: limit, room: room)
        }
    }

    /// Scrubs a response, and its image again.
    private static func scrub(
        _ message: Span<UInt8>, _ question: borrowing NameBuffer, _ type: RecordType, addressLimit: Int, room: Int
    ) {
        var scrubber = AnswerScrubber()
        scrubber.addressLimit = addressLimit
        var image = [UInt8](repeating: 0xEE, count: room)
        let result = fill(&image) { scrubber.scrub(message, question: question, type: type, into: &$0) }
        require(result.steps <= AnswerScrubber.workLimit + 65_536, "the work is bounded")
        guard result.length > 0 else {
            require(scrubber.addresses.isEmpty && scrubber.ttlOffsets.isEmpty, "no image, nothing learned")
            return
        }
        require(result.length <= room, "an image has the room that it has")
        let first = Array(image[..<result.length])
        let addresses = scrubber.addresses
        inspect(first, result, scrubber, question, type)
        let again = fill(&image) { scrubber.scrub(first.span, question: question, type: type, into: &$0) }
        // A CNAME made up for a DNAME is itself an answer to ANY (RFC 1034, section 4.3.2), where the chain then ends.
        guard again.outcome != .malformed(.tooMuchWork), type != .any else { return }
        require(again.length == result.length && Array(image[..<again.length]) == first, "an image is its own image")
        require(scrubber.addresses == addresses, "an image teaches what its response taught")
    }

    /// Lends the bytes of `image` to who writes it.
    private static func fill(
        _ image: inout [UInt8], _ write: (inout MutableSpan<UInt8>) -> ScrubResult
    ) -> ScrubResult {
        var span = image.mutableSpan
        return write(&span)
    }

    /// Takes an image apart.
    private static func inspect(
        _ image: [UInt8], _ result: ScrubResult, _ scrubber: borrowing AnswerScrubber, _ question: borrowing NameBuffer,
        _ type: RecordType
    ) {
        guard let header = Header(image.span), let sections = Sections(image.span) else {
            fatalError("broken promise: an image is a message")
        }
        require(sections.end == image.count && header.additionalCount == 0, "an image has two sections and no more")
        require(!header.flags.contains(.truncated) && !header.flags.contains(.authoritative), "neither TC nor AA")
        require(scrubber.ttlOffsets == sections.views.map { UInt16($0.ttlOffset) }, "every TTL is known")
        require(
            result.minimumTTL == sections.views.map(\.rawTTL).min() ?? 0, "the smallest TTL is the smallest")
        let chain = [question.domainName] + scrubber.aliases
        var seen: [IPAddress] = []
        for (index, view) in sections.views.enumerated() {
            let owner = sections.entries[sections.questionCount + index].owner
            require(view.recordClass == .in && view.type != .opt, "class IN, and nothing of the transport")
            guard index < Int(header.answerCount) else {
                let isProof = [.soa, .nsec, .nsec3, .ds, .rrsig].contains(view.type)
                require(isProof, "the authority section has only proofs")
                continue
            }
            let isAbove = chain.contains { NameBuffer($0).isEqualToOrBelow(owner) }
            require(chain.contains(owner) || view.type == .dname && isAbove || view.type == .rrsig && isAbove, "owners")
            switch view.type {
            case .a, .aaaa:
                if let address = IPAddress(image.span, at: view.dataOffset, count: view.dataLength) {
                    seen.append(address)
                }
            case .https, .svcb:
                ServiceParameters.forEachHint(image.span, view.dataOffset..<view.end) { seen.append($0) }
            default: break
            }
        }
        require(seen == scrubber.addresses.map(\.address), "a client sees exactly the addresses that are learned")
        require(seen.isEmpty || result.outcome == .answer, "addresses are in answers only")
        require(seen.count <= scrubber.addressLimit, "the limit of addresses is kept")
    }
}
