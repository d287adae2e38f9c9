/* A user's Python functions as MINPACK's residuals and Jacobian.
 *
 * The first exception stays pending in the thread state while the solver returns through its own frames: every
 * call-back answers -1 from then on, and the solver makes no further call.
 */
#include "callback.h"

#include <string.h>

#include "answers.h"

enum { DIFFERENCE = 2 };    /* MINPACK's iflag where residuals are for the Jacobian */

/* m n**2 from which a factorisation takes long: some 1 ms. Another thread that keeps the GIL for its 5 ms then costs the
 * fit little, and a fit of smaller ones nothing. */
static const double LONG_FACTORISATION = 2e6;

int
takes_long(int m, int n)
{
    return (double)m * n * n >= LONG_FACTORISATION;
}

int
callback_init(Callback *cb, const Functions *functions, int n)
{
    Py_ssize_t i, nargs = PyTuple_GET_SIZE(functions->args);

    memset(cb, 0, sizeof(*cb));
    cb->stack = PyMem_New(PyObject *, nargs + 2);
    if (cb->stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    cb->stack[0] = NULL;
    for (i = 0; i < nargs; i++)
        cb->stack[i + 2] = PyTuple_GET_ITEM(functions->args, i);
    cb->functions = *functions;
    Py_INCREF(functions->func);
    Py_XINCREF(functions->Dfun);
    Py_INCREF(functions->args);
    Py_XINCREF(functions->evaluate);
    Py_XINCREF(functions->callback);
    Py_XINCREF(functions->refuse);
    cb->float64 = PyArray_DescrFromType(NPY_DOUBLE);
    cb->n = n;
    return 0;
}

void
callback_clear(Callback *cb)
{
    Py_CLEAR(cb->functions.func);
    Py_CLEAR(cb->functions.Dfun);
    Py_CLEAR(cb->functions.args);
    Py_CLEAR(cb->functions.evaluate);
    Py_CLEAR(cb->functions.callback);
    Py_CLEAR(cb->functions.refuse);
    Py_CLEAR(cb->float64);
    Py_CLEAR(cb->x);
    PyMem_Free(cb->stack);
    cb->stack = NULL;
}

void
callback_resume(Callback *cb)
{
    if (cb->thread != NULL) {
        PyEval_RestoreThread(cb->thread);
        cb->thread = NULL;
    }
}

/* What follows is numerics, in memory that no other thread sees. */
static void
let_others_run(Callback *cb)
{
    cb->thread = PyEval_SaveThread();
}

/* What is expected of func at k points. */
static Expected
expected_residuals(Callback *cb, int k)
{
    return (Expected){
        .source = {cb->functions.caller, "func", "returned", cb->functions.func}, .masked = &cb->masked,
        .call = cb->func_calls, .shapes = cb->functions.vectorized ? ROWS : VECTOR, .k = k, .m = cb->m, .n = cb->n,
    };
}

/* Whether the array last handed to a user's function can be handed out again: nobody else holds it, not even weakly,
 * and it still is a plain float64 array of such a shape as call_at makes. */
static int
x_is_reusable(const Callback *cb, int rows)
{
#ifdef Py_GIL_DISABLED
    /* A reference count of one proves nothing there. */
    (void)cb;
    (void)rows;
    return 0;
#else
    PyArrayObject *x = (PyArrayObject *)cb->x;
    const int last = rows > 0;      /* the axis of variables */

    return x != NULL && Py_REFCNT(x) == 1 && PyArray_NDIM(x) == last + 1 && PyArray_DIM(x, last) == cb->n
        && (rows == 0 || (PyArray_DIM(x, 0) == rows && PyArray_STRIDE(x, 0) == cb->n * (npy_intp)sizeof(double)))
        && PyArray_STRIDE(x, last) == (npy_intp)sizeof(double) && PyArray_DESCR(x) == cb->float64
        && PyArray_BASE(x) == NULL && ((PyArrayObject_fields *)x)->weakreflist == NULL
        && PyArray_CHKFLAGS(x, NPY_ARRAY_CARRAY | NPY_ARRAY_OWNDATA);
#endif
}

/* Call a user's function at x, of shape (n,) where rows is 0, else (rows, n). A new reference to its result, or NULL
 * with an exception; a signal that came meanwhile is one. */
static PyObject *
call_at(Callback *cb, PyObject *function, int rows, const double *x)
{
    const size_t nargs = (size_t)PyTuple_GET_SIZE(cb->functions.args) + 1;
    npy_intp shape[2] = {rows, cb->n};
    PyObject *result = NULL;    /* owned, returned */

    if (!x_is_reusable(cb, rows)) {
        Py_XSETREF(cb->x, PyArray_SimpleNew(1 + (rows > 0), shape + (rows == 0), NPY_DOUBLE));
        if (cb->x == NULL)
            return NULL;
    }
    memcpy(PyArray_DATA((PyArrayObject *)cb->x), x, (size_t)(rows > 0 ? rows : 1) * (size_t)cb->n * sizeof(double));
    cb->stack[1] = cb->x;
    result = PyObject_Vectorcall(function, cb->stack + 1, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result != NULL && PyErr_CheckSignals() < 0)
        Py_CLEAR(result);
    return result;
}

/* Raise the error of the first NaN or inf, which came at the point x, if it is to be one. 0, or -1 with it. */
static int
refuse_nonfinite(Callback *cb, const double *x)
{
    npy_intp n = cb->n;
    PyObject *point = NULL;     /* owned */
    PyObject *best = NULL;      /* owned */
    PyObject *result = NULL;    /* owned */

    if (cb->functions.refuse == NULL || cb->nonfinite.call == 0)
        return 0;
    point = PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    best = PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (point != NULL && best != NULL) {
        memcpy(PyArray_DATA((PyArrayObject *)point), x, (size_t)n * sizeof(double));
        memcpy(PyArray_DATA((PyArrayObject *)best), cb->best, (size_t)n * sizeof(double));
        result = PyObject_CallFunction(cb->functions.refuse, "sniOO", cb->nonfinite.role,
                                       (Py_ssize_t)cb->nonfinite.index, cb->nonfinite.call, point, best);
    }
    Py_XDECREF(point);
    Py_XDECREF(best);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

PyObject *
callback_first(Callback *cb, const double *x, double *eps)
{
    PyObject *result = NULL;        /* owned */
    PyArrayObject *array = NULL;    /* owned */
    PyObject *fvec = NULL;          /* owned, returned */
    Expected expected;
    npy_intp m;
    int type;

    result = call_at(cb, cb->functions.func, cb->functions.vectorized, x);
    if (result == NULL)
        goto done;
    cb->func_calls = 1;
    expected = expected_residuals(cb, 1);
    array = as_residuals(&expected, result, &type);
    if (array == NULL)
        goto done;
    *eps = type_epsilon(type);
    m = PyArray_SIZE(array);
    if (cb->n > m) {
        raise_too_few(&expected, array, m);
        goto done;
    }
    fvec = PyArray_SimpleNew(1, &m, NPY_DOUBLE);
    if (fvec == NULL)
        goto done;
    memcpy(PyArray_DATA((PyArrayObject *)fvec), PyArray_DATA(array), (size_t)m * sizeof(double));
    cb->m = (int)m;
    cb->lets_go = takes_long(cb->m, cb->n);
    cb->lets_go_on = takes_long(cb->n, cb->n);
    note_residuals(&cb->nonfinite, "func", cb->func_calls, 0, cb->m, PyArray_DATA(array));
    cb->best = x;
    if (refuse_nonfinite(cb, x) < 0)
        Py_CLEAR(fvec);
    cb->replay = 1;
done:
    Py_XDECREF(array);
    Py_XDECREF(result);
    return fvec;
}

int
callback_residuals(void *context, int m, int n, const double *x, double *fvec, int purpose)
{
    Callback *cb = context;
    int status = -1;
    PyObject *result = NULL;        /* owned */
    PyArrayObject *array = NULL;    /* owned */
    Expected expected;

    callback_resume(cb);
    if (cb->replay) {
        cb->replay = 0;
        return 0;
    }
    result = call_at(cb, cb->functions.func, cb->functions.vectorized, x);
    if (result == NULL)
        goto done;
    cb->func_calls++;
    if (PyArray_CheckExact(result) && PyArray_NDIM((PyArrayObject *)result) == 1 && !cb->functions.vectorized
            && PyArray_DIM((PyArrayObject *)result, 0) == m
            && PyArray_DESCR((PyArrayObject *)result) == cb->float64
            && PyArray_ISCARRAY_RO((PyArrayObject *)result))
        array = (PyArrayObject *)Py_NewRef(result);
    else {
        expected = expected_residuals(cb, 1);
        array = as_residuals(&expected, result, NULL);
    }
    if (array == NULL)
        goto done;
    memcpy(fvec, PyArray_DATA(array), (size_t)m * sizeof(double));
    note_residuals(&cb->nonfinite, "func", cb->func_calls, 0, m, fvec);
    status = refuse_nonfinite(cb, x);
done:
    Py_XDECREF(array);
    Py_XDECREF(result);
    if (status < 0)
        return status;
    if (purpose == DIFFERENCE && ++cb->differences == n) {
        cb->differences = 0;
        if (cb->lets_go)
            let_others_run(cb);
    }
    else if (purpose != DIFFERENCE && cb->lets_go_on)
        let_others_run(cb);
    return status;
}

/* fvec[j * ldfvec ..] <- what a vectorized func returns at all k points. 0, or -1 with an exception. */
static int
call_at_once(Callback *cb, int k, const double *x, double *fvec, int ldfvec)
{
    PyObject *result = NULL;        /* owned */
    PyArrayObject *array = NULL;    /* owned */
    Expected expected;
    int j, status = -1;

    result = call_at(cb, cb->functions.func, k, x);
    if (result == NULL)
        goto done;
    cb->func_calls++;
    expected = expected_residuals(cb, k);
    array = as_residuals(&expected, result, NULL);
    if (array == NULL)
        goto done;
    status = 0;
    for (j = 0; j < k && status == 0; j++) {
        memcpy(fvec + (size_t)j * ldfvec, (double *)PyArray_DATA(array) + (size_t)j * cb->m,
               (size_t)cb->m * sizeof(double));
        note_residuals(&cb->nonfinite, "func", cb->func_calls, (npy_intp)j * cb->m, cb->m, fvec + (size_t)j * ldfvec);
        status = refuse_nonfinite(cb, x + (size_t)j * cb->n);
    }
done:
    Py_XDECREF(array);
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

/* fvec[j * ldfvec ..] <- what func returned at each of k points, wherever functions.evaluate called it. 0, or -1 with an
 * exception. */
static int
call_elsewhere(Callback *cb, int k, const double *x, double *fvec, int ldfvec)
{
    PyObject *points = NULL;        /* owned */
    PyObject *results = NULL;       /* owned: a tuple of them, of our own */
    PyArrayObject *array = NULL;    /* owned */
    Expected expected;
    int j, status = -1;

    points = list_of_points(k, cb->n, x);
    if (points == NULL)
        goto done;
    results = PyObject_CallOneArg(cb->functions.evaluate, points);
    if (results != NULL)
        Py_SETREF(results, PySequence_Tuple(results));
    if (results == NULL || PyErr_CheckSignals() < 0)
        goto done;
    if (PyTuple_GET_SIZE(results) != k) {
        PyErr_Format(PyExc_ValueError, "%s: workers returned %zd results for %d points", cb->functions.caller,
                     PyTuple_GET_SIZE(results), k);
        goto done;
    }
    for (j = 0; j < k; j++) {
        cb->func_calls++;
        expected = expected_residuals(cb, 1);
        Py_XSETREF(array, as_residuals(&expected, PyTuple_GET_ITEM(results, j), NULL));
        if (array == NULL)
            goto done;
        memcpy(fvec + (size_t)j * ldfvec, PyArray_DATA(array), (size_t)cb->m * sizeof(double));
        note_residuals(&cb->nonfinite, "func", cb->func_calls, 0, cb->m, fvec + (size_t)j * ldfvec);
        if (refuse_nonfinite(cb, x + (size_t)j * cb->n) < 0)
            goto done;
    }
    status = 0;
done:
    Py_XDECREF(points);
    Py_XDECREF(results);
    Py_XDECREF(array);
    return status;
}

int
callback_points(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec)
{
    Callback *cb = context;
    int status;

    (void)m;
    (void)n;
    callback_resume(cb);
    if (cb->functions.vectorized)
        status = call_at_once(cb, k, x, fvec, ldfvec);
    else
        status = call_elsewhere(cb, k, x, fvec, ldfvec);
    if (status == 0 && cb->lets_go)
        let_others_run(cb);
    return status;
}

int
callback_jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac)
{
    Callback *cb = context;
    Expected expected = {
        .source = {cb->functions.caller, "Dfun", "returned", cb->functions.Dfun}, .masked = &cb->masked, .m = m,
        .n = n, .col_deriv = cb->functions.col_deriv,
    };
    int copied, status = -1;
    PyObject *result = NULL;        /* owned */

    callback_resume(cb);
    result = call_at(cb, cb->functions.Dfun, 0, x);
    if (result == NULL)
        goto done;
    expected.call = ++cb->Dfun_calls;
    if (take_jacobian(&expected, result, fjac, ldfjac, &copied) < 0)
        goto done;
    note_jacobian(&cb->nonfinite, "Dfun", cb->Dfun_calls, m, n, fjac, ldfjac, cb->functions.col_deriv);
    status = refuse_nonfinite(cb, x);
done:
    Py_XDECREF(result);
    if (status == 0 && cb->lets_go)
        let_others_run(cb);
    return status;
}
