import FoundationEssentials
import Hummingbird
import Logging
import MappingFeed

/// A request that cannot be served as it is.
struct AdminRequestError: Error {
    /// What is wrong, for a person.
    let message: String
    /// The query parameter that is wrong.
    let parameter: String
    /// 400 when the value makes no sense, 404 when it names what is not there.
    let status: HTTPResponse.Status

    /// The error `message` about `parameter`.
    init(_ message: String, parameter: String, status: HTTPResponse.Status = .badRequest) {
        self.message = message
        self.parameter = parameter
        self.status = status
    }
}

/// Turns every error into an answer with a JSON body.
struct AdminFailures<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as AdminRequestError {
            return try .json(AdminFailure(error: error.message, parameter: error.parameter), status: error.status)
        } catch let error as HTTPError where error.status == .notFound {
            let failure = AdminFailure(error: "there is no \(request.method.rawValue) \(request.uri.path) here")
            return try .json(failure, status: .notFound)
        } catch let error as HTTPError {
            return try .json(AdminFailure(error: error.body ?? error.status.reasonPhrase), status: error.status)
        } catch {
            context.logger.error("the admin API failed", metadata: ["error": "\(error)"])
            return try .json(AdminFailure(error: "internal error"), status: .internalServerError)
        }
    }
}

extension Response {
    /// `value` as a JSON document that ends in a line feed.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        var body = ByteBuffer(bytes: try AdminJSON.bytes(value))
        body.writeString("\n")
        return Response(status: status, headers: AdminJSON.headers, body: ResponseBody(byteBuffer: body))
    }

    /// A JSON array with one element a line, written as `body` appends to it and never held as a whole.
    static func json(
        _ body: @escaping @Sendable (inout AdminJSON.ArrayWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: AdminJSON.headers,
            body: ResponseBody { writer in
                var array = AdminJSON.ArrayWriter(writer: writer)
                try await body(&array)
                try await array.finish()
            })
    }

    /// JSON values, one a line, written as `body` appends them and never held as a whole.
    static func lines(
        _ body: @escaping @Sendable (inout AdminJSON.LineWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/jsonl"],
            body: ResponseBody { writer in
                var lines = AdminJSON.LineWriter(writer: writer)
                try await body(&lines)
                try await lines.finish()
            })
    }

    /// Plain text.
    static func text(
        _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        let body = ResponseBody(byteBuffer: ByteBuffer(string: text))
        return Response(status: status, headers: [.contentType: type], body: body)
    }
}

/// How the admin API writes JSON.
enum AdminJSON {
    /// Keys in alphabetical order, so that answers can be compared.
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// `value` as JSON that is safe on a terminal.
    static func bytes(_ value: some Encodable, _ encoder: JSONEncoder = encoder) throws -> [UInt8] {
        PrintableJSON.escaped(Array(try encoder.encode(value)))
    }

    /// The headers of every JSON answer.
    static let headers: HTTPFields = [.contentType: "application/json"]

    /// Writes values, one a line.
    struct LineWriter {
        /// Where the bytes go; it waits for a client that reads slowly.
        private var writer: any ResponseBodyWriter
        /// Used for every value.
        private let encoder = AdminJSON.encoder

        /// Nothing written yet.
        init(writer: any ResponseBodyWriter) {
            self.writer = writer
        }

        /// Writes `values`; when there are none an empty line, which tells whether the client is still there.
        mutating func append(_ values: [some Encodable]) async throws {
            var buffer = ByteBuffer()
            for value in values {
                buffer.writeBytes(try AdminJSON.bytes(value, encoder))
                buffer.writeString("\n")
            }
            if values.isEmpty { buffer.writeString("\n") }
            try await writer.write(buffer)
        }

        /// Writes the end.
        consuming func finish() async throws {
            try await writer.finish(nil)
        }
    }

    /// Writes an array element by element.
    struct ArrayWriter {
        /// Where the bytes go; it waits for a client that reads slowly.
        private var writer: any ResponseBodyWriter
        /// Used for every element.
        private let encoder = AdminJSON.encoder
        /// Whether an element was written.
        private var hasElements = false

        /// An empty array.
        init(writer: any ResponseBodyWriter) {
            self.writer = writer
        }

        /// Writes `elements`, each on a line of its own.
        mutating func append(_ elements: [some Encodable]) async throws {
            var buffer = ByteBuffer()
            for element in elements {
                buffer.writeString(hasElements ? ",\n" : "[\n")
                buffer.writeBytes(try AdminJSON.bytes(element, encoder))
                hasElements = true
            }
            try await writer.write(buffer)
        }

        /// Writes the end.
        consuming func finish() async throws {
            try await writer.write(ByteBuffer(string: hasElements ? "\n]\n" : "[]\n"))
            try await writer.finish(nil)
        }
    }
}
