/* Which entries of a masked array are masked. */
#ifndef MASKED_H
#define MASKED_H

#include "numpy_api.h"

/* Where the first masked array came from; call is 0 if none did. */
typedef struct {
    const char *role;       /* "func", "Dfun", as the caller knows them, or "tell" */
    npy_intp count;         /* of its entries that are masked */
    npy_intp size;          /* of all its entries */
    npy_intp index;         /* of the first masked one; 0-based, in the flattened result */
    int call;               /* 1-based, of that function */
} Masked;

/* Remember the first masked array, if there is none yet, of what was returned in a call. 0, or -1 with an exception. */
int note_masked(Masked *masked, const char *role, int call, PyObject *result);

/* ("masked", role, count, size, index, call), for pyminpack's _reports.py to put in words; None if there is none. A new
 * reference, or NULL with an exception. */
PyObject *masked_report(const Masked *masked);

#endif
