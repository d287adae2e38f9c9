/* The arrays of one fit. */
#include "workspace.h"

#include <stdint.h>
#include <string.h>

enum { CACHE_LINE = 64 };

/* The arrays that the user gets. 0, or -1 with an exception. */
static int
make_results(Workspace *ws)
{
    npy_intp shape[2] = {ws->n, ws->m};
    int j;

    if (ws->n > 0 && ws->m > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double) / ws->n) {
        PyErr_NoMemory();
        return -1;
    }
    ws->fjac = (PyArrayObject *)PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    ws->ipvt = (PyArrayObject *)PyArray_SimpleNew(1, shape, NPY_INT);
    ws->qtf = (PyArrayObject *)PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);
    if (ws->fjac == NULL || ws->ipvt == NULL || ws->qtf == NULL)
        return -1;
    for (j = 0; j < ws->n; j++)
        ((int *)PyArray_DATA(ws->ipvt))[j] = j + 1;
    return 0;
}

/* The solver's memory. 0, or -1 with an exception. */
static int
make_work(Workspace *ws, const Solver *solver)
{
    const size_t m = (size_t)ws->m, n = (size_t)ws->n;

    ws->lwork = solver->lwork(ws->m, ws->n);
    ws->memory = PyMem_New(double, 5 * n + m + (size_t)ws->lwork + CACHE_LINE / sizeof(double));
    if (ws->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    ws->x0 = ws->memory;
    ws->diag = ws->x0 + n;
    ws->wa1 = ws->diag + n;
    ws->wa2 = ws->wa1 + n;
    ws->wa3 = ws->wa2 + n;
    ws->wa4 = ws->wa3 + n;
    ws->work = (double *)(((uintptr_t)(ws->wa4 + m) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    return 0;
}

int
workspace_init(Workspace *ws, const Solver *solver, PyArrayObject *x, PyArrayObject *fvec, PyArrayObject *diag)
{
    size_t size = (size_t)PyArray_DIM(x, 0) * sizeof(double);

    memset(ws, 0, sizeof(*ws));
    ws->x = x;
    ws->fvec = fvec;
    ws->m = (int)PyArray_DIM(fvec, 0);
    ws->n = (int)PyArray_DIM(x, 0);
    if (make_results(ws) < 0 || make_work(ws, solver) < 0)
        return -1;
    memcpy(ws->x0, PyArray_DATA(x), size);
    if (diag != NULL)
        memcpy(ws->diag, PyArray_DATA(diag), size);
    return 0;
}

void
workspace_clear(Workspace *ws)
{
    Py_CLEAR(ws->x);
    Py_CLEAR(ws->fvec);
    Py_CLEAR(ws->fjac);
    Py_CLEAR(ws->ipvt);
    Py_CLEAR(ws->qtf);
    PyMem_Free(ws->memory);
    ws->memory = NULL;
}
