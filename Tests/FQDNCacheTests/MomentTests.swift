import FQDNCache
import Testing

@Suite struct MomentTests {
    @Test func `counts whole seconds`() {
        let moment = Moment(seconds: 5).adding(nanoseconds: 999_999_999)
        #expect(moment.seconds == 5)
        #expect(moment.seconds(since: Moment(seconds: 3)) == 2)
        #expect(Moment(seconds: 3).seconds(since: moment) == -2)
        #expect(Moment(seconds: 3) < moment)
    }

    @Test func `stops at the ends of what can be told`() {
        #expect(Moment.distantFuture.adding(seconds: 1) == .distantFuture)
        #expect(Moment(seconds: .max) == .distantFuture)
        #expect(Moment(seconds: 1).adding(seconds: .max) == .distantFuture)
        #expect(Moment(seconds: .min).nanoseconds == .min)
        #expect(Moment(nanoseconds: .min).adding(nanoseconds: -1).nanoseconds == .min)
        #expect(Moment.distantFuture.nanoseconds(since: Moment(nanoseconds: -1)) == .max)
        #expect(Moment(nanoseconds: .min).nanoseconds(since: Moment(nanoseconds: 1)) == .min)
    }
}
