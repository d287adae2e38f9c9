/* One fit, whoever evaluates. */
#include "fit.h"

#include <string.h>

#include "gil.h"

static const size_t KEPT = 4 << 20;     /* bytes */

/* glibc returns freed memory at the top of the heap to the system, at first from 128 KiB on, and the next fit page-faults
 * it in again: a short fit then takes twice as long. Once a block with a mapping of its own is freed, malloc allocates up
 * to its size from the heap and keeps up to twice as much at the top. This helps the arrays that func allocates, too. It
 * has no effect where MALLOC_TRIM_THRESHOLD_ or the like is set. */
void
keep_freed_memory(void)
{
    PyMem_RawFree(PyMem_RawMalloc(KEPT));
}

/* Touch the pages of a large array with the GIL released: a first write takes ten times as long as a later one. */
static void
touch(double *memory, npy_intp size)
{
    const npy_intp page = 4096 / (npy_intp)sizeof(double);
    PyThreadState *thread;
    npy_intp i;

    if (!takes_long(TOUCH, (double)size))
        return;
    thread = release_gil();
    for (i = 0; i < size; i += page)
        memory[i] = 0;
    take_gil(thread);
}

/* Allocate the arrays that the user gets. Returns 0, or -1 with an exception. */
static int
make_results(Fit *fit)
{
    npy_intp shape[2] = {fit->lm.n, fit->lm.m};
    int j;

    if (fit->lm.n > 0 && fit->lm.m > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double) / fit->lm.n) {
        PyErr_NoMemory();
        return -1;
    }
    fit->fjac = (PyArrayObject *)PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    fit->ipvt = (PyArrayObject *)PyArray_SimpleNew(1, shape, NPY_INT);
    fit->qtf = (PyArrayObject *)PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);
    if (fit->fjac == NULL || fit->ipvt == NULL || fit->qtf == NULL)
        return -1;
    touch(PyArray_DATA(fit->fjac), PyArray_SIZE(fit->fjac));
    for (j = 0; j < fit->lm.n; j++)
        ((int *)PyArray_DATA(fit->ipvt))[j] = j + 1;
    return 0;
}

/* Allocate the solver's other arrays. Returns 0, or -1 with an exception. */
static int
make_work(Fit *fit)
{
    MinpackState *lm = &fit->lm;
    const size_t n = (size_t)lm->n;
    size_t size;

    lm->x = PyArray_DATA(fit->x);
    lm->fvec = PyArray_DATA(fit->fvec);
    lm->fjac = PyArray_DATA(fit->fjac);
    lm->ipvt = PyArray_DATA(fit->ipvt);
    lm->qtf = PyArray_DATA(fit->qtf);
    lm->lenwork = fit->options.solver->lwork(lm->m, lm->n);
    size = minpack_memory(lm);
    fit->memory = size == 0 ? NULL : PyMem_New(double, n + size);
    if (fit->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    fit->x0 = fit->memory;
    memcpy(fit->x0, lm->x, n * sizeof(double));
    minpack_bind(lm, fit->memory + n);
    if (fit->options.vectors.diag != NULL)
        memcpy(lm->diag, PyArray_DATA(fit->options.vectors.diag), n * sizeof(double));
    return 0;
}

void
fit_begin(Fit *fit, PyArrayObject *x)
{
    fit->x = x;
    fit->lm.n = (int)PyArray_DIM(x, 0);
    fit->lm.x = PyArray_DATA(x);
    fit->lm.iter = 1;
    fit->lm.request = MINPACK_WANT_FVEC;
}

int
fit_bind(Fit *fit, PyArrayObject *fvec, double epsfcn)
{
    const MinpackState begun = fit->lm;

    fit->fvec = fvec;
    fit->lm.m = fit->lm.ldfjac = (int)PyArray_DIM(fvec, 0);
    fit->lm.epsfcn = epsfcn;
    options_apply(&fit->options, &fit->lm);
    if (make_results(fit) == 0 && make_work(fit) == 0)
        return 0;
    Py_CLEAR(fit->fvec);
    Py_CLEAR(fit->fjac);
    Py_CLEAR(fit->ipvt);
    Py_CLEAR(fit->qtf);
    fit->lm = begun;
    return -1;
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
    options_clear(&fit->options);
}

void
fit_let_go(Fit *fit, int factorises)
{
    const double n = fit->lm.n, rows = factorises ? fit->lm.m : n;

    if (takes_long(FACTORISE, rows * n * n))
        fit->thread = release_gil();
}

void
fit_resume(Fit *fit)
{
    take_gil(fit->thread);
    fit->thread = NULL;
}
