import Fuzzing
import MappingFeed

/// Any bytes as a line of the feed, in either direction; what is read, written and read again is the same.
@main
struct FuzzFeed {
    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            if let event = try? FeedEvent.decode(input) {
                let line = event.line
                require(line.last == 0x0A && line.filter { $0 == 0x0A }.count == 1, "an event is one line")
                let again = try? FeedEvent.decode(line.span)
                require(again.map(rounded) == rounded(event), "an event is read as it is written: \(event)")
                require(again?.line == line, "an event is written in one way: \(event)")
            }
            if let message = try? SubscriberMessage.decode(input) {
                let line = message.line
                require(line.last == 0x0A && line.filter { $0 == 0x0A }.count == 1, "a message is one line")
                require((try? SubscriberMessage.decode(line.span)) == message, "a message is read as it is written")
            }
        }
    }

    /// The event with its times as they are written: microseconds, of this era.
    private static func rounded(_ event: FeedEvent) -> FeedEvent {
        guard case .upsert(var upsert) = event else { return event }
        for index in upsert.addresses.indices {
            let microseconds = (upsert.addresses[index].expires * 1_000_000).rounded()
            upsert.addresses[index].expires = (0...8e15).contains(microseconds) ? microseconds : 0
        }
        return .upsert(upsert)
    }
}
