/* A user's Python functions as MINPACK's residuals and Jacobian.
 *
 * The first exception stays pending in the thread state while the solver returns through its own frames: every callback
 * returns -1 from then on, and the solver makes no further call.
 */
#include "python_functions.h"

#include <string.h>

#include "answers.h"

enum { DIFFERENCE = 2 };    /* MINPACK's iflag for residuals of a forward-difference Jacobian */

int
python_functions_init(PythonFunctions *functions, const Given *given, Fit *fit)
{
    Py_ssize_t i, nargs = PyTuple_GET_SIZE(given->args);

    memset(functions, 0, sizeof(*functions));
    functions->stack = PyMem_New(PyObject *, nargs + 2);
    if (functions->stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    functions->stack[0] = NULL;
    for (i = 0; i < nargs; i++)
        functions->stack[i + 2] = PyTuple_GET_ITEM(given->args, i);
    functions->given = *given;
    Py_INCREF(given->func);
    Py_XINCREF(given->Dfun);
    Py_INCREF(given->args);
    Py_XINCREF(given->workers);
    Py_XINCREF(given->callback);
    Py_XINCREF(given->on_nonfinite);
    functions->float64 = PyArray_DescrFromType(NPY_DOUBLE);
    functions->fit = fit;
    return 0;
}

void
python_functions_clear(PythonFunctions *functions)
{
    Py_CLEAR(functions->given.func);
    Py_CLEAR(functions->given.Dfun);
    Py_CLEAR(functions->given.args);
    Py_CLEAR(functions->given.workers);
    Py_CLEAR(functions->given.callback);
    Py_CLEAR(functions->given.on_nonfinite);
    Py_CLEAR(functions->float64);
    Py_CLEAR(functions->x);
    PyMem_Free(functions->stack);
    functions->stack = NULL;
}

/* What is expected of func at k points. */
static Expected
expected_residuals(PythonFunctions *functions, int k)
{
    Fit *const fit = functions->fit;

    return (Expected){
        .source = {fit->names.caller, fit->names.func, "returned", functions->given.func},
        .masked = &fit->masked, .nonfinite = &fit->nonfinite, .owned = 1, .call = fit->func_calls,
        .shapes = functions->given.vectorized ? ROWS : VECTOR, .k = k, .m = fit->lm.m, .n = fit->lm.n,
    };
}

/* Whether the array last passed to a user's function can be passed again: nobody else holds it, not even weakly, and it is
 * still a plain float64 array of a shape that call_at makes. */
static int
x_is_reusable(const PythonFunctions *functions, int rows)
{
#ifdef Py_GIL_DISABLED
    /* A reference count of one proves nothing without the GIL. */
    (void)functions;
    (void)rows;
    return 0;
#else
    PyArrayObject *x = (PyArrayObject *)functions->x;
    const int last = rows > 0;      /* the axis of variables */
    const npy_intp n = functions->fit->lm.n;

    return x != NULL && Py_REFCNT(x) == 1 && PyArray_NDIM(x) == last + 1 && PyArray_DIM(x, last) == n
        && (rows == 0 || (PyArray_DIM(x, 0) == rows && PyArray_STRIDE(x, 0) == n * (npy_intp)sizeof(double)))
        && PyArray_STRIDE(x, last) == (npy_intp)sizeof(double) && PyArray_DESCR(x) == functions->float64
        && PyArray_BASE(x) == NULL && ((PyArrayObject_fields *)x)->weakreflist == NULL
        && PyArray_CHKFLAGS(x, NPY_ARRAY_CARRAY | NPY_ARRAY_OWNDATA);
#endif
}

/* Call a user's function at x, of shape (n,) if rows is 0, else (rows, n). A new reference to its result, or NULL with an
 * exception, which may come from a signal handler. */
static PyObject *
call_at(PythonFunctions *functions, PyObject *function, int rows, const double *x)
{
    const size_t nargs = (size_t)PyTuple_GET_SIZE(functions->given.args) + 1;
    npy_intp shape[2] = {rows, functions->fit->lm.n};
    PyObject *result = NULL;    /* owned, returned */

    if (!x_is_reusable(functions, rows)) {
        Py_XSETREF(functions->x, PyArray_SimpleNew(1 + (rows > 0), shape + (rows == 0), NPY_DOUBLE));
        if (functions->x == NULL)
            return NULL;
    }
    memcpy(PyArray_DATA((PyArrayObject *)functions->x), x,
           (size_t)(rows > 0 ? rows : 1) * (size_t)shape[1] * sizeof(double));
    functions->stack[1] = functions->x;
    result = PyObject_Vectorcall(function, functions->stack + 1, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result != NULL && PyErr_CheckSignals() < 0)
        Py_CLEAR(result);
    return result;
}

/* Raise the error for the first NaN or inf, which came at the point x, if asked to. Returns 0, or -1 with it. */
static int
refuse_nonfinite(PythonFunctions *functions, const double *x)
{
    const Fit *fit = functions->fit;
    npy_intp n = fit->lm.n;
    PyObject *point = NULL;     /* owned */
    PyObject *best = NULL;      /* owned */
    PyObject *result = NULL;    /* owned */

    if (functions->given.on_nonfinite == NULL || fit->nonfinite.call == 0)
        return 0;
    point = PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    best = PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (point != NULL && best != NULL) {
        memcpy(PyArray_DATA((PyArrayObject *)point), x, (size_t)n * sizeof(double));
        memcpy(PyArray_DATA((PyArrayObject *)best), fit->lm.x, (size_t)n * sizeof(double));
        result = PyObject_CallFunction(functions->given.on_nonfinite, "sniOO", fit->nonfinite.role,
                                       (Py_ssize_t)fit->nonfinite.index, fit->nonfinite.call, point, best);
    }
    Py_XDECREF(point);
    Py_XDECREF(best);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

PyArrayObject *
python_first_residuals(PythonFunctions *functions, double *eps)
{
    Fit *const fit = functions->fit;
    PyObject *result = NULL;        /* owned */
    PyArrayObject *fvec = NULL;     /* owned, returned */
    Expected expected;
    int type;

    result = call_at(functions, functions->given.func, functions->given.vectorized, fit->lm.x);
    if (result == NULL)
        goto done;
    fit->func_calls = 1;
    expected = expected_residuals(functions, 1);
    fvec = first_residuals(&expected, result, &type);
    if (fvec == NULL)
        goto done;
    *eps = type_epsilon(type);
    if (refuse_nonfinite(functions, fit->lm.x) < 0)
        Py_CLEAR(fvec);
    functions->replay = 1;
done:
    Py_XDECREF(result);
    return fvec;
}

int
python_residuals(void *context, int m, int n, const double *x, double *fvec, int purpose)
{
    PythonFunctions *functions = context;
    Fit *const fit = functions->fit;
    int status = -1;
    PyObject *result = NULL;        /* owned */
    Expected expected;

    fit_resume(fit);
    if (functions->replay) {
        functions->replay = 0;
        return 0;
    }
    result = call_at(functions, functions->given.func, functions->given.vectorized, x);
    if (result == NULL)
        goto done;
    fit->func_calls++;
    if (PyArray_CheckExact(result) && PyArray_NDIM((PyArrayObject *)result) == 1 && !functions->given.vectorized
            && PyArray_DIM((PyArrayObject *)result, 0) == m
            && PyArray_DESCR((PyArrayObject *)result) == functions->float64
            && PyArray_ISCARRAY_RO((PyArrayObject *)result))
        copy_residuals(&fit->nonfinite, fit->names.func, fit->func_calls, 0, m,
                       PyArray_DATA((PyArrayObject *)result), fvec);
    else {
        expected = expected_residuals(functions, 1);
        if (take_residuals(&expected, result, fvec, m) < 0)
            goto done;
    }
    status = refuse_nonfinite(functions, x);
done:
    Py_XDECREF(result);
    if (status < 0)
        return status;
    if (purpose != DIFFERENCE)
        fit_let_go(fit, 0);
    else if (++functions->differences == n) {
        functions->differences = 0;
        fit_let_go(fit, 1);
    }
    return status;
}

/* fvec[j * ldfvec ..] <- what a vectorized func returns at all k points. 0, or -1 with an exception. */
static int
call_at_once(PythonFunctions *functions, int k, const double *x, double *fvec, int ldfvec)
{
    Fit *const fit = functions->fit;
    PyObject *result = NULL;        /* owned */
    Expected expected;
    int status = -1;

    result = call_at(functions, functions->given.func, k, x);
    if (result == NULL)
        goto done;
    fit->func_calls++;
    expected = expected_residuals(functions, k);
    status = take_residuals(&expected, result, fvec, ldfvec);
    if (status == 0)
        status = refuse_nonfinite(functions, x + fit->nonfinite.index / fit->lm.m * fit->lm.n);
done:
    Py_XDECREF(result);
    return status;
}

/* A new list of k points, each an array of its own; NULL with an exception. */
static PyObject *
list_of_points(int k, int n, const double *x)
{
    npy_intp size = n;
    PyObject *points = NULL;    /* owned, returned */
    PyObject *point = NULL;     /* owned until the list takes it */
    int j;

    points = PyList_New(k);
    for (j = 0; j < k && points != NULL; j++) {
        point = PyArray_SimpleNew(1, &size, NPY_DOUBLE);
        if (point == NULL)
            Py_CLEAR(points);
        else {
            memcpy(PyArray_DATA((PyArrayObject *)point), x + (size_t)j * n, (size_t)n * sizeof(double));
            PyList_SET_ITEM(points, j, point);
        }
    }
    return points;
}

/* fvec[j * ldfvec ..] <- what func returned at each of k points, wherever given.workers called it. Returns 0, or -1 with
 * an exception. */
static int
call_elsewhere(PythonFunctions *functions, int k, const double *x, double *fvec, int ldfvec)
{
    Fit *const fit = functions->fit;
    PyObject *points = NULL;        /* owned */
    PyObject *evaluated = NULL;     /* owned: the results, and whether func returned them */
    PyObject *results = NULL;       /* owned: a private tuple of them */
    Expected expected;
    PyObject *sequence;             /* borrowed from it */
    int j, by_func, status = -1;

    points = list_of_points(k, fit->lm.n, x);
    if (points == NULL)
        goto done;
    evaluated = PyObject_CallOneArg(functions->given.workers, points);
    if (evaluated == NULL || !PyArg_ParseTuple(evaluated, "Op", &sequence, &by_func))
        goto done;
    results = PySequence_Tuple(sequence);
    if (results == NULL || PyErr_CheckSignals() < 0)
        goto done;
    if (PyTuple_GET_SIZE(results) != k) {
        PyErr_Format(PyExc_ValueError, "%s: workers returned %s%zd results for %d points", fit->names.caller,
                     PyTuple_GET_SIZE(results) > k ? "at least " : "", PyTuple_GET_SIZE(results), k);
        goto done;
    }
    for (j = 0; j < k; j++) {
        fit->func_calls++;
        expected = expected_residuals(functions, 1);
        if (!by_func) {
            expected.source.role = "workers";
            expected.source.function = NULL;
        }
        if (take_residuals(&expected, PyTuple_GET_ITEM(results, j), fvec + (size_t)j * ldfvec, fit->lm.m) < 0)
            goto done;
        if (refuse_nonfinite(functions, x + (size_t)j * fit->lm.n) < 0)
            goto done;
    }
    status = 0;
done:
    Py_XDECREF(points);
    Py_XDECREF(evaluated);
    Py_XDECREF(results);
    return status;
}

int
python_points(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec)
{
    PythonFunctions *functions = context;
    int status;

    (void)m;
    (void)n;
    fit_resume(functions->fit);
    if (functions->given.vectorized)
        status = call_at_once(functions, k, x, fvec, ldfvec);
    else
        status = call_elsewhere(functions, k, x, fvec, ldfvec);
    if (status == 0)
        fit_let_go(functions->fit, 1);
    return status;
}

int
python_jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac)
{
    PythonFunctions *functions = context;
    Fit *const fit = functions->fit;
    Expected expected = {
        .source = {fit->names.caller, fit->names.Dfun, "returned", functions->given.Dfun},
        .masked = &fit->masked, .nonfinite = &fit->nonfinite, .owned = 1, .m = m, .n = n,
        .col_deriv = functions->given.col_deriv,
    };
    int copied, status = -1;
    PyObject *result = NULL;        /* owned */

    fit_resume(fit);
    result = call_at(functions, functions->given.Dfun, 0, x);
    if (result == NULL)
        goto done;
    expected.call = ++fit->Dfun_calls;
    if (take_jacobian(&expected, result, fjac, ldfjac, &copied) == 0)
        status = refuse_nonfinite(functions, x);
done:
    Py_XDECREF(result);
    if (status == 0)
        fit_let_go(fit, 1);
    return status;
}
