package import Glibc

/// The groups of this machine.
package enum GroupDatabase {
    /// The number of a group that is given by number or by name; nil if there is no such group.
    package static func number(of group: String) -> gid_t? {
        // The highest number means "do not change" to chown(2).
        if let number = gid_t(group) { return number == gid_t.max ? nil : number }
        var size = 1024
        while size <= 1 << 20 {
            var entry = unsafe Glibc.group()
            var result: UnsafeMutablePointer<Glibc.group>?
            var buffer = [CChar](repeating: 0, count: size)
            let code = unsafe getgrnam_r(group, &entry, &buffer, buffer.count, &result)
            if unsafe code == 0 && result != nil { return unsafe entry.gr_gid }
            guard code == ERANGE else { return nil }
            size *= 4
        }
        return nil
    }
}
