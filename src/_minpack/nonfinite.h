/* Where the first NaN or inf came from. */
#ifndef NONFINITE_H
#define NONFINITE_H

#include "numpy_api.h"

/* call is 0 if none came. */
typedef struct {
    const char *role;       /* "func", "Dfun" or "tell" */
    npy_intp index;         /* 0-based, in the flattened result */
    int call;               /* 1-based, of that function */
} NonFinite;

/* The index of the first NaN or inf of v[0..size), or -1. */
npy_intp first_nonfinite(const double *v, npy_intp size);

/* Remember the first NaN or inf, if there is none yet, of residuals that came in a call, from an index on. */
void note_residuals(NonFinite *first, const char *role, int call, npy_intp index, int m, const double *fvec);

/* The same of a Jacobian, an array of shape (m, n), or (n, m) with col_deriv, which is in fjac by columns. Other threads
 * may run while a large one is looked through.  GIL: held. */
void note_jacobian(NonFinite *first, const char *role, int call, int m, int n, const double *fjac, int ldfjac,
                   int col_deriv);

#endif
