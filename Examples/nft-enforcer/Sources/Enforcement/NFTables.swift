internal import CNFTables
internal import FoundationEssentials

/// nftables of this network namespace, through libnftables.
///
/// The library's context, and with it the socket to the kernel, is made once.
@safe
package final class NFTables: PacketFilter {
    /// The library's context.
    private let context: OpaquePointer

    /// Opens nftables.
    /// - Throws: `NFTablesError` when there is no memory.
    package init() throws(NFTablesError) {
        guard let context = unsafe nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NFTablesError(message: "cannot open nftables: no memory")
        }
        unsafe self.context = context
        unsafe nft_ctx_buffer_error(context)
        unsafe nft_ctx_buffer_output(context)
    }

    /// Closes nftables.
    deinit { unsafe nft_ctx_free(context) }

    /// Runs commands as one transaction.
    package func run(_ commands: String) throws(NFTablesError) {
        guard unsafe nft_run_cmd_from_buffer(context, commands) != 0 else { return }
        let text = unsafe nft_ctx_get_error_buffer(context).map { unsafe String(cString: $0) } ?? ""
        throw NFTablesError(output: text)
    }

    /// What is in a table; nil if there is no such table.
    package func objects(in table: String) throws(NFTablesError) -> KernelObjects? {
        unsafe nft_ctx_output_set_flags(context, UInt32(NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE))
        defer { unsafe nft_ctx_output_set_flags(context, 0) }
        // Of all listings of the library only this one leaves the elements in the kernel: there may be very many.
        try run("list ruleset inet")
        var found: KernelObjects?
        for entry in try output().nftables {
            if entry.table?.name == table { found = KernelObjects() }
            if let chain = entry.chain, chain.table == table { found?.chains.append(chain.name) }
            if let set = entry.set, set.table == table { found?.sets.append(set.name) }
            if let map = entry.map, map.table == table { found?.maps.append(map.name) }
            if let rule = entry.rule, rule.table == table { found?.ruleCounts[rule.chain, default: 0] += 1 }
        }
        return found
    }

    /// What the last command printed.
    private func output() throws(NFTablesError) -> Listing {
        let text = unsafe nft_ctx_get_output_buffer(context).map { unsafe String(cString: $0) } ?? ""
        do {
            return try JSONDecoder().decode(Listing.self, from: Data(text.utf8))
        } catch {
            throw NFTablesError(message: "cannot read what nftables lists: \(error)")
        }
    }

    /// What a listing looks like in JSON, as far as it matters here.
    private struct Listing: Decodable {
        /// The parts of the listing.
        var nftables: [Entry]

        /// One part.
        struct Entry: Decodable {
            /// A table.
            var table: Table?
            /// A chain.
            var chain: Object?
            /// A set.
            var set: Object?
            /// A map.
            var map: Object?
            /// A rule.
            var rule: Rule?
        }

        /// A table.
        struct Table: Decodable {
            /// The name.
            var name: String
        }

        /// Something in a table that has a name.
        struct Object: Decodable {
            /// The name.
            var name: String
            /// The table.
            var table: String
        }

        /// A rule.
        struct Rule: Decodable {
            /// The chain that it is in.
            var chain: String
            /// The table.
            var table: String
        }
    }
}
