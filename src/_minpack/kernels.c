/* MINPACK's routines on NumPy arrays: checks, no numerics.
 *
 * Each function takes the solver (options.h) and MINPACK's arguments without sizes, outputs and work; arrays
 * are copied first, so that none of the caller's is changed. It returns a new reference, or NULL with an exception.
 * Matrices that come back are column-major arrays of shape (m, n). GIL: held.
 */
#include "kernels.h"

#include <string.h>

#include "kernel_arguments.h"
#include "minpack.h"
#include "options.h"
#include "python_functions.h"

/* 0, or -1 with an exception. */
static int
check_nargs(const char *routine, Py_ssize_t nargs, Py_ssize_t expected)
{
    if (nargs == expected)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments (%zd given)", routine, expected, nargs);
    return -1;
}

/* A new float64 vector of zeros, or NULL with an exception. */
static PyArrayObject *
new_vector(npy_intp n)
{
    return (PyArrayObject *)PyArray_ZEROS(1, &n, NPY_DOUBLE, 0);
}

/* Work for so many doubles per element of n; the caller frees it. NULL with an exception. */
static double *
new_work(size_t n, size_t each)
{
    double *work = PyMem_New(double, n * each);

    if (work == NULL)
        PyErr_NoMemory();
    return work;
}

static PyObject *
enorm(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *norm = NULL;          /* owned, returned */
    PyArrayObject *x = NULL;        /* owned */
    const MinpackSolver *solver;

    if (check_nargs("enorm", nargs, 2) < 0 || parse_solver(values[0], "enorm", &solver) < 0)
        return NULL;
    x = copy_real("enorm", "x", values[1], 1);
    if (x != NULL)
        norm = PyFloat_FromDouble(solver->enorm((int)PyArray_DIM(x, 0), PyArray_DATA(x)));
    Py_XDECREF(x);
    return norm;
}

static PyObject *
qrfac(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    PyArrayObject *a = NULL;        /* owned */
    PyArrayObject *ipvt = NULL;     /* owned */
    PyArrayObject *rdiag = NULL;    /* owned */
    PyArrayObject *acnorm = NULL;   /* owned */
    double *work = NULL;            /* owned: wa of length n, then lwork */
    const MinpackSolver *solver;
    npy_intp n;
    int j, lwork, m, pivot;

    if (check_nargs("qrfac", nargs, 3) < 0 || parse_solver(values[0], "qrfac", &solver) < 0)
        return NULL;
    pivot = PyObject_IsTrue(values[2]);
    if (pivot < 0)
        return NULL;
    a = copy_real("qrfac", "a", values[1], 2);
    if (a == NULL)
        goto done;
    m = (int)PyArray_DIM(a, 0);
    n = PyArray_DIM(a, 1);
    ipvt = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_INT);
    rdiag = new_vector(n);
    acnorm = new_vector(n);
    lwork = solver->lwork(m, (int)n);
    if (lwork < n)
        lwork = (int)n;
    work = new_work((size_t)n + (size_t)lwork, 1);
    if (ipvt == NULL || rdiag == NULL || acnorm == NULL || work == NULL)
        goto done;
    for (j = 0; j < n; j++)
        ((int *)PyArray_DATA(ipvt))[j] = j + 1;
    solver->qrfac(m, (int)n, PyArray_DATA(a), m, pivot, PyArray_DATA(ipvt), PyArray_DATA(rdiag), PyArray_DATA(acnorm),
                  work, work + n, lwork);
    result = PyTuple_Pack(4, a, ipvt, rdiag, acnorm);
done:
    PyMem_Free(work);
    Py_XDECREF(a);
    Py_XDECREF(ipvt);
    Py_XDECREF(rdiag);
    Py_XDECREF(acnorm);
    return result;
}

/* What qrsolv and lmpar have in common: A P = Q R, D and Q'b. */
typedef struct {
    int n;
    PyArrayObject *r;               /* owned, as are the others */
    PyArrayObject *ipvt;
    PyArrayObject *diag;
    PyArrayObject *qtb;
    PyArrayObject *x;               /* outputs */
    PyArrayObject *sdiag;
    double *work;
} System;

/* Give back what system_init took. */
static void
system_clear(System *system)
{
    Py_CLEAR(system->r);
    Py_CLEAR(system->ipvt);
    Py_CLEAR(system->diag);
    Py_CLEAR(system->qtb);
    Py_CLEAR(system->x);
    Py_CLEAR(system->sdiag);
    PyMem_Free(system->work);
    system->work = NULL;
}

/* Take r, ipvt, diag, qtb from values, and memory for outputs and work, 6 n. 0, or -1 with an exception; to be cleared
 * in either case. */
static int
system_init(System *system, const char *routine, PyObject *const *values)
{
    const char *why = "as r has columns";

    memset(system, 0, sizeof(*system));
    system->r = copy_matrix(routine, "r", values[0], 0, 0, NULL);
    if (system->r == NULL)
        return -1;
    system->n = (int)PyArray_DIM(system->r, 1);
    system->ipvt = copy_permutation(routine, values[1], system->n);
    if (system->ipvt == NULL)
        return -1;
    system->diag = copy_vector(routine, "diag", values[2], system->n, why);
    if (system->diag == NULL)
        return -1;
    system->qtb = copy_vector(routine, "qtb", values[3], system->n, why);
    if (system->qtb == NULL)
        return -1;
    system->x = new_vector(system->n);
    system->sdiag = new_vector(system->n);
    system->work = new_work((size_t)system->n, 6);
    return system->x == NULL || system->sdiag == NULL || system->work == NULL ? -1 : 0;
}

static PyObject *
qrsolv(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    const MinpackSolver *solver;
    System s;

    if (check_nargs("qrsolv", nargs, 5) < 0 || parse_solver(values[0], "qrsolv", &solver) < 0)
        return NULL;
    if (system_init(&s, "qrsolv", values + 1) == 0) {
        solver->qrsolv(s.n, PyArray_DATA(s.r), s.n, PyArray_DATA(s.ipvt), PyArray_DATA(s.diag), PyArray_DATA(s.qtb),
                       PyArray_DATA(s.x), PyArray_DATA(s.sdiag), s.work, s.work + s.n);
        result = PyTuple_Pack(3, s.r, s.x, s.sdiag);
    }
    system_clear(&s);
    return result;
}

static PyObject *
lmpar(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    const MinpackSolver *solver;
    double delta, par;
    System s;

    if (check_nargs("lmpar", nargs, 7) < 0 || parse_solver(values[0], "lmpar", &solver) < 0
            || parse_number("lmpar", "delta", values[5], &delta) < 0
            || parse_number("lmpar", "par", values[6], &par) < 0)
        return NULL;
    if (system_init(&s, "lmpar", values + 1) == 0) {
        solver->lmpar(s.n, PyArray_DATA(s.r), s.n, PyArray_DATA(s.ipvt), PyArray_DATA(s.diag), PyArray_DATA(s.qtb),
                      delta, &par, PyArray_DATA(s.x), PyArray_DATA(s.sdiag), s.work, s.work + s.n,
                      s.work + 2 * (size_t)s.n);
        result = Py_BuildValue("(OdOO)", s.r, par, s.x, s.sdiag);
    }
    system_clear(&s);
    return result;
}

static PyObject *
fdjac2(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    PyObject *args = NULL;          /* owned: none */
    PyArrayObject *x = NULL;        /* owned */
    PyArrayObject *fvec = NULL;     /* owned */
    PyArrayObject *fjac = NULL;     /* owned */
    double *wa = NULL;              /* owned */
    Given given = {.func = nargs > 1 ? values[1] : NULL};
    Fit fit = {.names = {.caller = "fdjac2", .func = "fcn"}};
    PythonFunctions functions = {0};
    const MinpackSolver *solver;
    double epsfcn;
    npy_intp shape[2];
    int iflag;

    if (check_nargs("fdjac2", nargs, 5) < 0 || parse_solver(values[0], "fdjac2", &solver) < 0
            || parse_number("fdjac2", "epsfcn", values[4], &epsfcn) < 0)
        return NULL;
    x = copy_real("fdjac2", "x", values[2], 1);
    if (x == NULL)
        goto done;
    fvec = copy_real("fdjac2", "fvec", values[3], 1);
    if (fvec == NULL)
        goto done;
    shape[0] = PyArray_DIM(fvec, 0);
    shape[1] = PyArray_DIM(x, 0);
    fjac = (PyArrayObject *)PyArray_ZEROS(2, shape, NPY_DOUBLE, 1);
    wa = new_work((size_t)shape[0], 1);
    args = PyTuple_New(0);
    given.args = args;
    if (fjac == NULL || wa == NULL || args == NULL || python_functions_init(&functions, &given, &fit) < 0)
        goto done;
    fit.lm.m = (int)shape[0];
    fit.lm.n = (int)shape[1];
    solver->fdjac2(python_residuals, &functions, fit.lm.m, fit.lm.n, PyArray_DATA(x), PyArray_DATA(fvec),
                   PyArray_DATA(fjac), fit.lm.m, &iflag, epsfcn, wa, NULL);
    fit_resume(&fit);
    if (iflag >= 0)
        result = Py_BuildValue("(ON)", fjac, masked_report(&fit.masked));
done:
    python_functions_clear(&functions);
    PyMem_Free(wa);
    Py_XDECREF(args);
    Py_XDECREF(x);
    Py_XDECREF(fvec);
    Py_XDECREF(fjac);
    return result;
}

/* xp, a neighbour of x: mode 1. */
static PyObject *
neighbour(const MinpackSolver *solver, PyArrayObject *x)
{
    PyArrayObject *xp = NULL;       /* owned, returned */

    xp = new_vector(PyArray_DIM(x, 0));
    if (xp != NULL)
        solver->chkder(0, (int)PyArray_DIM(x, 0), PyArray_DATA(x), NULL, NULL, 0, PyArray_DATA(xp), NULL, 1, NULL);
    return (PyObject *)xp;
}

/* chkder(solver, x, fvec, fjac, fvecp): mode 1 if the last three are None, else mode 2. */
static PyObject *
chkder(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    PyArrayObject *x = NULL;        /* owned */
    PyArrayObject *fvec = NULL;     /* owned */
    PyArrayObject *fjac = NULL;     /* owned */
    PyArrayObject *fvecp = NULL;    /* owned */
    PyArrayObject *err = NULL;      /* owned */
    const MinpackSolver *solver;
    npy_intp m, n;

    if (check_nargs("chkder", nargs, 5) < 0 || parse_solver(values[0], "chkder", &solver) < 0)
        return NULL;
    x = copy_real("chkder", "x", values[1], 1);
    if (x == NULL)
        goto done;
    if (values[2] == Py_None && values[3] == Py_None && values[4] == Py_None) {
        result = neighbour(solver, x);
        goto done;
    }
    n = PyArray_DIM(x, 0);
    fvec = copy_real("chkder", "fvec", values[2], 1);
    if (fvec == NULL)
        goto done;
    m = PyArray_DIM(fvec, 0);
    fjac = copy_matrix("chkder", "fjac", values[3], m, n, "by the lengths of fvec and x");
    if (fjac == NULL)
        goto done;
    fvecp = copy_vector("chkder", "fvecp", values[4], m, "as fvec");
    if (fvecp == NULL)
        goto done;
    err = new_vector(m);
    if (err == NULL)
        goto done;
    solver->chkder((int)m, (int)n, PyArray_DATA(x), PyArray_DATA(fvec), PyArray_DATA(fjac), (int)m, NULL,
                   PyArray_DATA(fvecp), 2, PyArray_DATA(err));
    result = Py_NewRef((PyObject *)err);
done:
    Py_XDECREF(x);
    Py_XDECREF(fvec);
    Py_XDECREF(fjac);
    Py_XDECREF(fvecp);
    Py_XDECREF(err);
    return result;
}

static PyObject *
covar(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    PyObject *result = NULL;        /* owned, returned */
    PyArrayObject *r = NULL;        /* owned */
    PyArrayObject *ipvt = NULL;     /* owned */
    double *wa = NULL;              /* owned */
    const MinpackSolver *solver;       /* there is only ours: the environment's choice does not matter */
    double tol;
    int n, rank;

    if (check_nargs("covar", nargs, 4) < 0 || parse_number("covar", "tol", values[3], &tol) < 0)
        return NULL;
    if (PyUnicode_Check(values[0]) && PyUnicode_CompareWithASCIIString(values[0], "original") == 0)
        return PyErr_Format(PyExc_NotImplementedError, "covar: solver is 'original', which has no such routine");
    if (values[0] != Py_None && parse_solver(values[0], "covar", &solver) < 0)
        return NULL;
    r = copy_matrix("covar", "r", values[1], 0, 0, NULL);
    if (r == NULL)
        goto done;
    n = (int)PyArray_DIM(r, 1);
    ipvt = copy_permutation("covar", values[2], n);
    if (ipvt == NULL)
        goto done;
    wa = new_work((size_t)n, 1);
    if (wa == NULL)
        goto done;
    minpack_covar(n, PyArray_DATA(r), n, PyArray_DATA(ipvt), tol, &rank, wa);
    result = Py_BuildValue("(Oi)", r, rank);
done:
    PyMem_Free(wa);
    Py_XDECREF(r);
    Py_XDECREF(ipvt);
    return result;
}

PyMethodDef kernels_methods[] = {
    {"enorm", (PyCFunction)(void (*)(void))enorm, METH_FASTCALL,
     "enorm(solver, x, /)\n--\n\nSee pyminpack.kernels."},
    {"qrfac", (PyCFunction)(void (*)(void))qrfac, METH_FASTCALL,
     "qrfac(solver, a, pivot, /)\n--\n\nSee pyminpack.kernels."},
    {"qrsolv", (PyCFunction)(void (*)(void))qrsolv, METH_FASTCALL,
     "qrsolv(solver, r, ipvt, diag, qtb, /)\n--\n\nSee pyminpack.kernels."},
    {"lmpar", (PyCFunction)(void (*)(void))lmpar, METH_FASTCALL,
     "lmpar(solver, r, ipvt, diag, qtb, delta, par, /)\n--\n\nSee pyminpack.kernels."},
    {"fdjac2", (PyCFunction)(void (*)(void))fdjac2, METH_FASTCALL,
     "fdjac2(solver, fcn, x, fvec, epsfcn, /)\n--\n\nSee pyminpack.kernels. And the report of a masked array, or None."},
    {"chkder", (PyCFunction)(void (*)(void))chkder, METH_FASTCALL,
     "chkder(solver, x, fvec, fjac, fvecp, /)\n--\n\nSee pyminpack.kernels."},
    {"covar", (PyCFunction)(void (*)(void))covar, METH_FASTCALL,
     "covar(solver, r, ipvt, tol, /)\n--\n\nSee pyminpack.kernels."},
    {NULL, NULL, 0, NULL},
};
