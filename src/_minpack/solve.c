/* One least-squares solve: workspace in, result out. */
#include "solve.h"

#include <stdint.h>
#include <string.h>

#include "arguments.h"
#include "callback.h"
#include "minpack.h"
#include "reports.h"

enum { CACHE_LINE = 64 };

/* (R'R)^-1 in the order of x, from MINPACK's fjac (ldfjac = m) and ipvt; wa[n] is work. A new array of shape (n, n),
 * None if R has a zero on its diagonal, or NULL with an exception. */
static PyObject *
covariance(int m, int n, const double *fjac, const int *ipvt, double *wa)
{
    PyObject *cov_x = NULL;     /* owned, returned */
    npy_intp shape[2] = {n, n};
    double *r;
    int j, rank;

    cov_x = PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    if (cov_x == NULL)
        return NULL;
    r = PyArray_DATA((PyArrayObject *)cov_x);
    for (j = 0; j < n; j++)
        memcpy(r + (size_t)j * n, fjac + (size_t)j * m, (size_t)(j + 1) * sizeof(double));
    minpack_covar(n, r, n, ipvt, 0.0, &rank, wa);
    if (rank < n)
        Py_SETREF(cov_x, Py_NewRef(Py_None));
    return cov_x;
}

/* The infodict of leastsq, keys in SciPy's order. A new reference, or NULL with an exception. */
static PyObject *
make_infodict(PyArrayObject *fvec, int nfev, int has_njev, int njev, PyArrayObject *fjac, PyArrayObject *ipvt,
              PyArrayObject *qtf)
{
    if (has_njev)
        return Py_BuildValue("{s:O,s:i,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", nfev, "njev", njev, "fjac", fjac,
                             "ipvt", ipvt, "qtf", qtf);
    return Py_BuildValue("{s:O,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", nfev, "fjac", fjac, "ipvt", ipvt, "qtf", qtf);
}

PyObject *
solve(const Problem *problem)
{
    PyObject *outcome = NULL;       /* owned, returned */
    PyObject *infodict = NULL;      /* owned */
    PyObject *cov_x = NULL;         /* owned */
    PyObject *reports = NULL;       /* owned */
    PyArrayObject *x = NULL;        /* owned */
    PyArrayObject *user_diag = NULL;    /* owned */
    PyArrayObject *fvec = NULL;     /* owned */
    PyArrayObject *fjac = NULL;     /* owned: (n, m), which MINPACK sees as m x n by columns */
    PyArrayObject *ipvt = NULL;     /* owned */
    PyArrayObject *qtf = NULL;      /* owned */
    double *work = NULL;            /* owned: x0, diag, wa1, wa2, wa3 of length n, wa4 of length m, mwork */
    Callback cb = {0};
    npy_intp shape[2];
    double *x0, *diag, *wa1, *wa2, *wa3, *wa4, epsfcn;
    double *mwork;                  /* MINPACK's own; from a cache line on, so that no row of a panel straddles two */
    int info, j, lwork, m, mode = 1, n, nfev = 0, njev = 0;

    x = start_vector(problem->x0);
    if (x == NULL)
        goto done;
    n = (int)PyArray_DIM(x, 0);
    if (problem->diag != Py_None) {
        mode = 2;
        user_diag = scaling_vector(problem->diag, n);
        if (user_diag == NULL)
            goto done;
    }
    if (callback_init(&cb, problem->func, problem->Dfun, problem->args, problem->col_deriv, n) < 0)
        goto done;

    fvec = (PyArrayObject *)callback_first(&cb, PyArray_DATA(x), &epsfcn);
    if (fvec == NULL)
        goto done;
    m = cb.m;
    if (problem->has_epsfcn)
        epsfcn = problem->epsfcn;

    shape[0] = n;
    shape[1] = m;
    if (n > 0 && m > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double) / n) {
        PyErr_NoMemory();
        goto done;
    }
    fjac = (PyArrayObject *)PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    ipvt = (PyArrayObject *)PyArray_SimpleNew(1, shape, NPY_INT);
    qtf = (PyArrayObject *)PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);
    if (fjac == NULL || ipvt == NULL || qtf == NULL)
        goto done;
    for (j = 0; j < n; j++)
        ((int *)PyArray_DATA(ipvt))[j] = j + 1;

    lwork = minpack_lwork(m, n);
    work = PyMem_New(double, 5 * (size_t)n + (size_t)m + (size_t)lwork + CACHE_LINE / sizeof(double));
    if (work == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    x0 = work;
    memcpy(x0, PyArray_DATA(x), (size_t)n * sizeof(double));
    diag = x0 + n;
    wa1 = diag + n;
    wa2 = wa1 + n;
    wa3 = wa2 + n;
    wa4 = wa3 + n;
    mwork = (double *)(((uintptr_t)(wa4 + m) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (user_diag != NULL)
        memcpy(diag, PyArray_DATA(user_diag), (size_t)n * sizeof(double));

    if (problem->Dfun == NULL)
        minpack_lmdif(callback_residuals, &cb, m, n, PyArray_DATA(x), PyArray_DATA(fvec), problem->ftol,
                      problem->xtol, problem->gtol, problem->maxfev, epsfcn, diag, mode, problem->factor, &info,
                      &nfev, PyArray_DATA(fjac), m, PyArray_DATA(ipvt), PyArray_DATA(qtf), wa1, wa2, wa3, wa4, mwork,
                      lwork);
    else
        minpack_lmder(callback_residuals, callback_jacobian, &cb, m, n, PyArray_DATA(x), PyArray_DATA(fvec),
                      PyArray_DATA(fjac), m, problem->ftol, problem->xtol, problem->gtol, problem->maxfev, diag, mode,
                      problem->factor, &info, &nfev, &njev, PyArray_DATA(ipvt), PyArray_DATA(qtf), wa1, wa2, wa3,
                      wa4, mwork, lwork);
    if (info < 0)
        goto done;

    /* A NaN in the Jacobian may show in cov_x alone, so that the warning needs it. */
    if ((problem->full_output || cb.nonfinite.call != 0) && info >= MINPACK_FTOL && info <= MINPACK_GTOL)
        cov_x = covariance(m, n, PyArray_DATA(fjac), PyArray_DATA(ipvt), wa1);
    else
        cov_x = Py_NewRef(Py_None);
    if (problem->full_output)
        infodict = make_infodict(fvec, nfev, problem->Dfun != NULL, njev, fjac, ipvt, qtf);
    else
        infodict = Py_NewRef(Py_None);
    if (cov_x == NULL || infodict == NULL)
        goto done;
    reports = make_reports(&cb.masked, &(Finished){
        .m = m, .n = n, .info = info, .has_Dfun = problem->Dfun != NULL, .epsfcn = epsfcn, .ftol = problem->ftol,
        .xtol = problem->xtol, .gtol = problem->gtol, .factor = problem->factor, .has_diag = user_diag != NULL,
        .nonfinite = &cb.nonfinite, .x0 = x0,
        .x = PyArray_DATA(x), .fvec = PyArray_DATA(fvec), .fjac = PyArray_DATA(fjac), .ipvt = PyArray_DATA(ipvt),
        .qtf = PyArray_DATA(qtf), .diag = diag, .wa1 = wa1, .wa2 = wa2}, cov_x);
    if (reports == NULL)
        goto done;
    outcome = Py_BuildValue("(OiOOO)", x, info, infodict, cov_x, reports);
done:
    callback_clear(&cb);
    PyMem_Free(work);
    Py_XDECREF(x);
    Py_XDECREF(user_diag);
    Py_XDECREF(fvec);
    Py_XDECREF(fjac);
    Py_XDECREF(ipvt);
    Py_XDECREF(qtf);
    Py_XDECREF(cov_x);
    Py_XDECREF(infodict);
    Py_XDECREF(reports);
    return outcome;
}
