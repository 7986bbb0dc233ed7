#ifndef CLDNS_SHIM_H
#define CLDNS_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
// Other modules see fd_set as it is without _GNU_SOURCE; the compiler refuses two definitions of one structure.
#include <features.h>
#pragma push_macro("__USE_XOPEN")
#undef __USE_XOPEN
#include <sys/select.h>
#pragma pop_macro("__USE_XOPEN")

#include <ldns/ldns.h>

/// The text of a record without comments, allocated with malloc, or NULL. The format that asks for that is a
/// mutable global of the library, which Swift rightly does not let anybody read from several threads.
static inline char *cldns_record_text(const ldns_rr *record) {
    return ldns_rr2str_fmt(ldns_output_format_nocomments, record);
}

#endif
