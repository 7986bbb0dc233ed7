#ifndef CLDNS_SHIM_H
#define CLDNS_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <ldns/ldns.h>

/// The text of a record without comments, allocated with malloc, or NULL. The format that asks for that is a
/// mutable global of the library, which Swift rightly does not let anybody read from several threads.
static inline char *cldns_record_text(const ldns_rr *record) {
    return ldns_rr2str_fmt(ldns_output_format_nocomments, record);
}

#endif
