/// What an enforcer needs of nftables.
package protocol PacketFilter: AnyObject {
    /// Runs commands as one transaction: all of them, or none.
    /// - Throws: `NFTablesError` with what the kernel or the library says against them.
    func run(_ commands: String) throws(NFTablesError)

    /// What is in a table; nil if there is no such table.
    /// - Throws: `NFTablesError` when nftables cannot be read, for example without permission.
    func objects(in table: String) throws(NFTablesError) -> KernelObjects?
}
