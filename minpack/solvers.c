/* The solvers in this build. */
#include <stddef.h>

#include "minpack.h"

static const MinpackSolver builtin = {
    "builtin",     minpack_lwork, minpack_solve,  minpack_enorm,  minpack_qrfac,
    minpack_qrsolv, minpack_lmpar, minpack_fdjac2, minpack_chkder,
};

#ifdef ORIGINAL_MINPACK
extern const MinpackSolver minpack_original;       /* original/original.c */
#endif

const MinpackSolver *const minpack_solvers[] = {
    &builtin,
#ifdef ORIGINAL_MINPACK
    &minpack_original,
#endif
    NULL,
};
