/* Where the first NaN or inf came from. */
#include "nonfinite.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const npy_intp LARGE = 1 << 20;      /* entries, which some 1 ms goes by to look through */

npy_intp
first_nonfinite(const double *v, npy_intp size)
{
    const uint64_t magnitude = UINT64_C(0x7fffffffffffffff), unit = UINT64_C(0x0010000000000000);
    const npy_intp block = 256;
    npy_intp i, start, stop;
    uint64_t bits, any;

    /* One more in an exponent of all ones carries into the sign: no branch per element, so it vectorises. */
    for (start = 0; start < size; start = stop) {
        stop = size - start < block ? size : start + block;
        any = 0;
        for (i = start; i < stop; i++) {
            memcpy(&bits, v + i, sizeof(bits));
            any |= (bits & magnitude) + unit;
        }
        if ((any & ~magnitude) == 0)
            continue;
        for (i = start; i < stop; i++) {
            memcpy(&bits, v + i, sizeof(bits));
            if (((bits & magnitude) + unit) & ~magnitude)
                return i;
        }
    }
    return -1;
}

void
note_residuals(NonFinite *first, const char *role, int call, npy_intp index, int m, const double *fvec)
{
    npy_intp i;

    if (first->call != 0)
        return;
    i = first_nonfinite(fvec, m);
    if (i >= 0) {
        first->role = role;
        first->index = index + i;
        first->call = call;
    }
}

/* The first column of fjac with a NaN or inf; n if there is none. */
static int
first_nonfinite_column(int m, int n, const double *fjac, int ldfjac)
{
    int j;

    for (j = 0; j < n; j++)
        if (first_nonfinite(fjac + (size_t)j * ldfjac, m) >= 0)
            break;
    return j;
}

void
note_jacobian(NonFinite *first, const char *role, int call, int m, int n, const double *fjac, int ldfjac,
              int col_deriv)
{
    npy_intp i, size = (npy_intp)m * n;
    int j;

    if (first->call != 0)
        return;
    if (size < LARGE)
        j = first_nonfinite_column(m, n, fjac, ldfjac);
    else {
        Py_BEGIN_ALLOW_THREADS
        j = first_nonfinite_column(m, n, fjac, ldfjac);
        Py_END_ALLOW_THREADS
    }
    if (j == n)
        return;
    for (i = 0; i < size; i++)
        if (!isfinite(col_deriv ? fjac[i / m * ldfjac + i % m] : fjac[i % n * ldfjac + i / n]))
            break;
    first->role = role;
    first->index = i;
    first->call = call;
}
