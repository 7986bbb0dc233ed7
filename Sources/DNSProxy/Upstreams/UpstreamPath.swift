/// The way from a question to who may know the answer.
struct UpstreamPath {
    /// Index of the route.
    let route: Int
    /// The local aliases by which it leads there; nil when the name itself is asked for.
    var departure: Departure?
}
