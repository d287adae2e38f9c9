/* State of a fit: its arrays in one block of memory, and its final covariance. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "minpack.h"

enum { CACHE_LINE = 64 };

/* Lay out the NULL arrays in `memory` and return their size in doubles. memory NULL: only return the size. */
static size_t
lay_out(MinpackState *lm, double *memory)
{
    const size_t m = (size_t)lm->m, n = (size_t)lm->n;
    const struct {
        double **array;
        size_t size;
    } arrays[] = {
        {&lm->x, n}, {&lm->fvec, m}, {&lm->fjac, (size_t)lm->ldfjac * n}, {&lm->diag, n}, {&lm->qtf, n},
        {&lm->wa1, n}, {&lm->wa2, n}, {&lm->wa3, n}, {&lm->wa4, m},
    };
    size_t i, used = 0;

    for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        if (*arrays[i].array == NULL) {
            if (memory != NULL)
                *arrays[i].array = memory + used;
            used += arrays[i].size;
        }
    if (lm->ipvt == NULL) {
        if (memory != NULL)
            lm->ipvt = (int *)(memory + used);
        used += (n * sizeof(int) + sizeof(double) - 1) / sizeof(double);
    }
    if (lm->work == NULL) {
        /* Aligned to a cache line, so that no row of a panel straddles two. */
        if (memory != NULL)
            lm->work = (double *)(((uintptr_t)(memory + used) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
        used += (size_t)lm->lenwork + CACHE_LINE / sizeof(double);
    }
    return used;
}

size_t
minpack_memory(const MinpackState *lm)
{
    MinpackState sizes = *lm;

    /* The other arrays together are smaller than fjac. */
    if (lm->n > 0 && (size_t)lm->ldfjac > SIZE_MAX / 4 / sizeof(double) / (size_t)lm->n)
        return 0;
    return lay_out(&sizes, NULL);
}

void
minpack_bind(MinpackState *lm, double *memory)
{
    lay_out(lm, memory);
}

int
minpack_covariance(const MinpackState *lm, double *cov)
{
    const size_t n = (size_t)lm->n;
    size_t j;
    int rank;

    for (j = 0; j < n; j++)
        memcpy(cov + j * n, lm->fjac + j * (size_t)lm->ldfjac, (j + 1) * sizeof(double));
    minpack_covar(lm->n, cov, lm->n, lm->ipvt, 0.0, &rank, lm->wa1);
    return rank;
}
