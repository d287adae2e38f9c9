/* One fit: the solver's state and its arrays. */
#include "fit.h"

#include <stdint.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static const npy_intp LARGE = 1 << 20;  /* entries */

/* Let the system find the memory of a large array now, while other threads run: where it is written first, it takes ten
 * times as long as to write it again. */
static void
touch(double *memory, npy_intp size)
{
    const npy_intp page = 4096 / (npy_intp)sizeof(double);
    npy_intp i;

    if (size < LARGE)
        return;
    Py_BEGIN_ALLOW_THREADS
    for (i = 0; i < size; i += page)
        memory[i] = 0;
    Py_END_ALLOW_THREADS
}

/* The arrays that the user gets. 0, or -1 with an exception. */
static int
make_results(Fit *fit)
{
    npy_intp shape[2] = {fit->lm.n, fit->lm.m};
    int j;

    if (fit->lm.n > 0 && fit->lm.m > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double) / fit->lm.n) {
        PyErr_NoMemory();
        return -1;
    }
    fit->fjac = (PyArrayObject *)PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    fit->ipvt = (PyArrayObject *)PyArray_SimpleNew(1, shape, NPY_INT);
    fit->qtf = (PyArrayObject *)PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);
    if (fit->fjac == NULL || fit->ipvt == NULL || fit->qtf == NULL)
        return -1;
    touch(PyArray_DATA(fit->fjac), PyArray_SIZE(fit->fjac));
    for (j = 0; j < fit->lm.n; j++)
        ((int *)PyArray_DATA(fit->ipvt))[j] = j + 1;
    return 0;
}

/* The solver's memory. 0, or -1 with an exception. */
static int
make_work(Fit *fit, const Solver *solver)
{
    LmState *lm = &fit->lm;
    const size_t m = (size_t)lm->m, n = (size_t)lm->n;

    lm->lenwork = solver->lwork(lm->m, lm->n);
    fit->memory = PyMem_New(double, 5 * n + m + (size_t)lm->lenwork + CACHE_LINE / sizeof(double));
    if (fit->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    fit->x0 = fit->memory;
    lm->diag = fit->x0 + n;
    lm->wa1 = lm->diag + n;
    lm->wa2 = lm->wa1 + n;
    lm->wa3 = lm->wa2 + n;
    lm->wa4 = lm->wa3 + n;
    /* From a cache line on, so that no row of a panel straddles two. */
    lm->work = (double *)(((uintptr_t)(lm->wa4 + m) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    return 0;
}

int
fit_init(Fit *fit, const Options *options, double epsfcn, PyArrayObject *x, PyArrayObject *fvec)
{
    const size_t size = (size_t)PyArray_DIM(x, 0) * sizeof(double);
    LmState *lm = &fit->lm;

    memset(fit, 0, sizeof(*fit));
    fit->x = x;
    fit->fvec = fvec;
    lm->m = (int)PyArray_DIM(fvec, 0);
    lm->n = (int)PyArray_DIM(x, 0);
    lm->ldfjac = lm->m;
    lm->maxfev = options->maxfev;
    lm->mode = options->diag == NULL ? 1 : 2;
    lm->ftol = options->ftol;
    lm->xtol = options->xtol;
    lm->gtol = options->gtol;
    lm->factor = options->factor;
    lm->epsfcn = epsfcn;
    lm->typical_x = options->typical_x == NULL ? NULL : PyArray_DATA(options->typical_x);
    if (make_results(fit) < 0 || make_work(fit, options->solver) < 0)
        return -1;
    lm->x = PyArray_DATA(fit->x);
    lm->fvec = PyArray_DATA(fit->fvec);
    lm->fjac = PyArray_DATA(fit->fjac);
    lm->ipvt = PyArray_DATA(fit->ipvt);
    lm->qtf = PyArray_DATA(fit->qtf);
    memcpy(fit->x0, lm->x, size);
    if (options->diag != NULL)
        memcpy(lm->diag, PyArray_DATA(options->diag), size);
    return 0;
}

void
fit_clear(Fit *fit)
{
    Py_CLEAR(fit->x);
    Py_CLEAR(fit->fvec);
    Py_CLEAR(fit->fjac);
    Py_CLEAR(fit->ipvt);
    Py_CLEAR(fit->qtf);
    PyMem_Free(fit->memory);
    fit->memory = NULL;
}
