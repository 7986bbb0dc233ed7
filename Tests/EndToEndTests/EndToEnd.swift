import Testing

/// Tests of the built daemon as a process, against real clients and servers. One at a time: each has the machine, its
/// clocks and its sockets for itself, however few cores there are.
@Suite(.serialized)
struct EndToEnd {}
