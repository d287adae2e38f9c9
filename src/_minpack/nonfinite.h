/* Where the first NaN or inf came from. */
#ifndef NONFINITE_H
#define NONFINITE_H

#include "numpy_api.h"

/* call is 0 if there was none. */
typedef struct {
    const char *role;       /* the caller's name for func or Dfun, or "tell" */
    npy_intp index;         /* 0-based, in the flattened result */
    int call;               /* 1-based, among calls of that function */
} NonFinite;

/* The index of the first NaN or inf of v[0..size), or -1. */
npy_intp first_nonfinite(const double *v, npy_intp size);

/* to[0..size) <- from, entries step bytes apart. Returns whether all are finite. */
int copy_finite(double *to, npy_intp size, const void *from, npy_intp step);

/* fvec <- m residuals, which began at index in what a call returned; record the first NaN or inf, unless one is recorded. */
void copy_residuals(NonFinite *first, const char *role, int call, npy_intp index, int m, const double *values,
                    double *fvec);

/* Record the first NaN or inf, unless one is recorded, of the Jacobian that a call returned with shape (m, n), or (n, m)
 * with col_deriv, and that is now in fjac, column-major. GIL: held; released while a large one is searched. */
void note_jacobian(NonFinite *first, const char *role, int call, int m, int n, const double *fjac, int ldfjac,
                   int col_deriv);

#endif
