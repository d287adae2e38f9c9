/* Where the first NaN or inf came from. */
#ifndef NONFINITE_H
#define NONFINITE_H

#include "numpy_api.h"

/* call is 0 if none came. */
typedef struct {
    const char *role;       /* "func" or "Dfun" */
    npy_intp index;         /* 0-based, in the flattened result */
    int call;               /* 1-based, of that function */
} NonFinite;

/* The index of the first NaN or inf of v[0..size), or -1. */
npy_intp first_nonfinite(const double *v, npy_intp size);

/* Remember the first NaN or inf, if there is none yet, of what func returned in its call number `call`. */
void note_residuals(NonFinite *first, int call, int m, const double *fvec);

/* The same of what Dfun returned, an array of shape (m, n), or (n, m) with col_deriv, which is in fjac by columns. */
void note_jacobian(NonFinite *first, int call, int m, int n, const double *fjac, int ldfjac, int col_deriv);

#endif
