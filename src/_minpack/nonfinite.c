/* Where the first NaN or inf came from. */
#include "nonfinite.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "gil.h"

static const npy_intp BLOCK = 256;          /* entries */

/* Adding 1 to an exponent of all ones carries into the sign: no branch per element, so the loop vectorises. */
static const uint64_t MAGNITUDE = UINT64_C(0x7fffffffffffffff), UNIT = UINT64_C(0x0010000000000000);

npy_intp
first_nonfinite(const double *v, npy_intp size)
{
    npy_intp i, start, stop;
    uint64_t bits, any;

    for (start = 0; start < size; start = stop) {
        stop = size - start < BLOCK ? size : start + BLOCK;
        any = 0;
        for (i = start; i < stop; i++) {
            memcpy(&bits, v + i, sizeof(bits));
            any |= (bits & MAGNITUDE) + UNIT;
        }
        if ((any & ~MAGNITUDE) == 0)
            continue;
        for (i = start; i < stop; i++) {
            memcpy(&bits, v + i, sizeof(bits));
            if (((bits & MAGNITUDE) + UNIT) & ~MAGNITUDE)
                return i;
        }
    }
    return -1;
}

int
copy_finite(double *restrict to, npy_intp size, const void *restrict from, npy_intp step)
{
    const char *values = from;
    npy_intp i, start, stop;
    uint64_t bits, any = 0;

    if (step != (npy_intp)sizeof(double)) {
        for (i = 0; i < size; i++) {
            memcpy(&bits, values + i * step, sizeof(bits));
            memcpy(to + i, &bits, sizeof(bits));
            any |= (bits & MAGNITUDE) + UNIT;
        }
        return (any & ~MAGNITUDE) == 0;
    }
    /* Not one memcpy: libc's for large arrays (rep movsb) is several times slower on AMD's Zen 3 if one array lies a few
     * bytes behind the other modulo 4096. The compiler may turn each block into one. */
    for (start = 0; start < size; start = stop) {
        stop = size - start < BLOCK ? size : start + BLOCK;
        for (i = start; i < stop; i++) {
            memcpy(&bits, values + i * (npy_intp)sizeof(bits), sizeof(bits));
            memcpy(to + i, &bits, sizeof(bits));
            any |= (bits & MAGNITUDE) + UNIT;
        }
    }
    return (any & ~MAGNITUDE) == 0;
}

void
copy_residuals(NonFinite *first, const char *role, int call, npy_intp index, int m, const double *values, double *fvec)
{
    if (copy_finite(fvec, m, values, sizeof(double)) || first->call != 0)
        return;
    first->role = role;
    first->index = index + first_nonfinite(fvec, m);
    first->call = call;
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
    PyThreadState *thread;
    int j;

    if (first->call != 0)
        return;
    thread = takes_long(SEARCH, (double)size) ? release_gil() : NULL;
    j = first_nonfinite_column(m, n, fjac, ldfjac);
    take_gil(thread);
    if (j == n)
        return;
    for (i = 0; i < size; i++)
        if (!isfinite(col_deriv ? fjac[i / m * ldfjac + i % m] : fjac[i % n * ldfjac + i / n]))
            break;
    first->role = role;
    first->index = i;
    first->call = call;
}
