import NIOCore
import NIOSSL

/// How servers under TLS prove who they are: by a certificate for their name, or for their address when no name is
/// configured, that one of the trusted authorities has signed (the strict profile of RFC 8310, section 5).
struct StreamTrust: Sendable {
    /// What was wrong with a handshake.
    enum Problem: Equatable {
        /// The certificate is for somebody else.
        case otherName
        /// The certificate is not valid now, or nobody trusted has signed it.
        case untrusted
        /// Anything else.
        case handshake(String)

        /// The problem that `error` stands for; nil for one that is not about a handshake.
        init?(_ error: any Error) {
            if let error = error as? NIOSSLExtraError {
                guard error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch else {
                    return nil
                }
                self = .otherName
                return
            }
            switch error {
            case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
                self = .untrusted
            case NIOSSLError.handshakeFailed(let reason):
                let text = "\(reason)"
                self = text.contains("CERTIFICATE_VERIFY_FAILED") ? .untrusted : .handshake(text)
            default: return nil
            }
        }

        /// Whether it is the certificate that is wrong.
        var isAboutTrust: Bool { self == .otherName || self == .untrusted }

        /// One line for people.
        func text(_ server: UpstreamServer) -> String {
            switch self {
            case .otherName: "its certificate is not for \(server.name ?? "\(server.address.address)")"
            case .untrusted:
                "its certificate is expired, not valid yet, or signed by nobody in "
                    + (server.caFile ?? "the system's list of authorities")
            case .handshake(let reason): "no TLS with it: \(reason)"
            }
        }
    }

    /// What connections are made from, by the file of the authorities; nil for those of the system.
    private let contexts: [String?: NIOSSLContext]

    /// Reads the authorities that `servers` need.
    /// - Throws: `StreamTrustError` naming a file that cannot be read or holds no certificate.
    init(servers: [UpstreamServer]) throws(StreamTrustError) {
        var contexts: [String?: NIOSSLContext] = [:]
        for server in servers where server.transport == .tls && contexts[server.caFile] == nil {
            contexts[server.caFile] = try StreamTrust.context(caFile: server.caFile)
        }
        self.contexts = contexts
    }

    /// What connections are made from that trust the authorities in `caFile`.
    /// - Throws: `StreamTrustError` when that cannot be read or holds no certificate.
    static func context(caFile: String?) throws(StreamTrustError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        do {
            if let caFile {
                let certificates = try NIOSSLCertificate.fromPEMFile(caFile)
                guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
                configuration.trustRoots = .certificates(certificates)
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw StreamTrustError(file: caFile)
        }
    }

    /// What a connection to `server` has to pass through.
    /// - Throws: whatever the library has to say about a name that no certificate can have.
    func handler(for server: UpstreamServer) throws -> NIOSSLClientHandler {
        guard let context = contexts[server.caFile] else { throw StreamTrustError(file: server.caFile) }
        return try NIOSSLClientHandler(context: context, serverHostname: server.name)
    }
}

/// A list of authorities that cannot be used.
struct StreamTrustError: Error, CustomStringConvertible {
    /// The file; nil for the system's.
    let file: String?

    /// One sentence.
    var description: String { "cannot read certificates in PEM format from \(file ?? "the system's list")" }
}
