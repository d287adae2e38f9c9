/* One least-squares solve: workspace in, result out. */
#include "solve.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "callback.h"
#include "errors.h"
#include "minpack.h"

enum { CACHE_LINE = 64 };

/* x0 flattened in C order, as a new float64 vector of its own; its dtype must cast safely. NULL with an exception. */
static PyArrayObject *
start_vector(PyObject *x0)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *flat = NULL;         /* owned */
    PyArrayObject *cast = NULL;         /* owned */
    PyArrayObject *x = NULL;            /* owned, returned */
    npy_intp n;

    array = (PyArrayObject *)PyArray_FromAny(x0, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL)
        goto done;
    flat = (PyArrayObject *)PyArray_Ravel(array, NPY_CORDER);
    if (flat == NULL) {
        if (!PyErr_Occurred())      /* NumPy may lose it where memory runs out */
            PyErr_NoMemory();
        goto done;
    }
    cast = (PyArrayObject *)PyArray_FromArray(flat, PyArray_DescrFromType(NPY_DOUBLE), NPY_ARRAY_CARRAY_RO);
    if (cast == NULL)
        goto done;
    n = PyArray_SIZE(cast);
    if (n > INT_MAX - 1) {
        PyErr_Format(PyExc_OverflowError, "leastsq: x0 has %zd elements; expected at most %d", (Py_ssize_t)n,
                     INT_MAX - 1);
        goto done;
    }
    x = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (x != NULL)
        memcpy(PyArray_DATA(x), PyArray_DATA(cast), (size_t)n * sizeof(double));
done:
    Py_XDECREF(array);
    Py_XDECREF(flat);
    Py_XDECREF(cast);
    return x;
}

/* The caller's diag as a float64 vector of length n, of its own. A new reference, or NULL with an exception. */
static PyArrayObject *
scaling_vector(PyObject *diag, npy_intp n)
{
    PyArrayObject *array = NULL;    /* owned, returned */

    array = (PyArrayObject *)PyArray_FromAny(diag, PyArray_DescrFromType(NPY_DOUBLE), 0, 0,
                                              NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError))
            raise_from_pending(PyErr_ExceptionMatches(PyExc_TypeError) ? PyExc_TypeError : PyExc_ValueError,
                               PyUnicode_FromFormat("leastsq: diag must be a vector of %zd real numbers, not %.200s",
                                                    (Py_ssize_t)n, Py_TYPE(diag)->tp_name));
        return NULL;
    }
    if (PyArray_NDIM(array) != 1)
        PyErr_Format(PyExc_ValueError, "leastsq: diag has %d dimensions; expected a vector of length %zd, as x0",
                     PyArray_NDIM(array), (Py_ssize_t)n);
    else if (PyArray_DIM(array, 0) != n)
        PyErr_Format(PyExc_ValueError, "leastsq: diag has length %zd; expected length %zd, as x0",
                     (Py_ssize_t)PyArray_DIM(array, 0), (Py_ssize_t)n);
    if (PyErr_Occurred())
        Py_CLEAR(array);
    return array;
}

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

/* None if all that is returned is finite, else (what, role, index, call). A new reference, or NULL. */
static PyObject *
nonfinite_report(const NonFinite *origin, PyArrayObject *fvec, PyObject *cov_x)
{
    const char *what = NULL;

    if (origin->call != 0 && first_nonfinite(PyArray_DATA(fvec), PyArray_SIZE(fvec)) >= 0)
        what = "fvec";
    else if (cov_x != Py_None && first_nonfinite(PyArray_DATA((PyArrayObject *)cov_x),
                                                 PyArray_SIZE((PyArrayObject *)cov_x)) >= 0)
        what = "cov_x";
    if (what == NULL)
        Py_RETURN_NONE;
    return Py_BuildValue("(szni)", what, origin->role, (Py_ssize_t)origin->index, origin->call);
}

PyObject *
solve(const Problem *problem)
{
    PyObject *outcome = NULL;       /* owned, returned */
    PyObject *infodict = NULL;      /* owned */
    PyObject *cov_x = NULL;         /* owned */
    PyObject *nonfinite = NULL;     /* owned */
    PyArrayObject *x = NULL;        /* owned */
    PyArrayObject *user_diag = NULL;    /* owned */
    PyArrayObject *fvec = NULL;     /* owned */
    PyArrayObject *fjac = NULL;     /* owned: (n, m), which MINPACK sees as m x n by columns */
    PyArrayObject *ipvt = NULL;     /* owned */
    PyArrayObject *qtf = NULL;      /* owned */
    double *work = NULL;            /* owned: diag, wa1, wa2, wa3 of length n, wa4 of length m, then mwork */
    Callback cb = {0};
    npy_intp shape[2];
    double *diag, *wa1, *wa2, *wa3, *wa4, epsfcn;
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
    if (n > m) {
        PyErr_Format(PyExc_TypeError,
                     "Improper input: func input vector length N=%d must not exceed func output vector length M=%d",
                     n, m);
        goto done;
    }
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
    work = PyMem_New(double, 4 * (size_t)n + (size_t)m + (size_t)lwork + CACHE_LINE / sizeof(double));
    if (work == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    diag = work;
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
    nonfinite = nonfinite_report(&cb.nonfinite, fvec, cov_x);
    if (nonfinite == NULL)
        goto done;
    outcome = Py_BuildValue("(OiOOO)", x, info, infodict, cov_x, nonfinite);
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
    Py_XDECREF(nonfinite);
    return outcome;
}
