/* A user's Python functions as MINPACK's residuals and Jacobian.
 *
 * The first exception stays pending in the thread state while the solver returns through its own frames: every
 * call-back answers -1 from then on, and the solver makes no further call.
 */
#include "callback.h"

#include <limits.h>
#include <string.h>

#include "convert.h"
#include "masked.h"

enum { DIFFERENCE = 2 };    /* MINPACK's iflag where residuals are for the Jacobian */

/* m n**2 from which a factorisation takes long: some 1 ms. Another thread that keeps the GIL for its 5 ms then costs the
 * fit little, and a fit of smaller ones nothing. */
static const double LONG_FACTORISATION = 2e6;

int
callback_init(Callback *cb, PyObject *func, PyObject *Dfun, PyObject *args, int col_deriv, int n)
{
    Py_ssize_t i, nargs = PyTuple_GET_SIZE(args);

    memset(cb, 0, sizeof(*cb));
    cb->stack = PyMem_New(PyObject *, nargs + 2);
    if (cb->stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    cb->stack[0] = NULL;
    for (i = 0; i < nargs; i++)
        cb->stack[i + 2] = PyTuple_GET_ITEM(args, i);
    cb->func = Py_NewRef(func);
    cb->Dfun = Py_XNewRef(Dfun);
    cb->args = Py_NewRef(args);
    cb->float64 = PyArray_DescrFromType(NPY_DOUBLE);
    cb->col_deriv = col_deriv;
    cb->n = n;
    return 0;
}

void
callback_clear(Callback *cb)
{
    Py_CLEAR(cb->func);
    Py_CLEAR(cb->Dfun);
    Py_CLEAR(cb->args);
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

/* A Jacobian is complete: what follows is numerics, in memory that no other thread sees. */
static void
let_others_run(Callback *cb)
{
    if (cb->lets_go)
        cb->thread = PyEval_SaveThread();
}

/* Refuse residuals of another length than the first ones. */
static void
raise_changed_size(Callback *cb, npy_intp size)
{
    PyObject *name = NULL;      /* owned */

    name = quoted_name(cb->func);
    if (name == NULL)
        return;
    PyErr_Format(PyExc_ValueError,
                 "The array returned by a function changed size between calls: func%U returned %zd residuals, "
                 "after %d in its first call", name, (Py_ssize_t)size, cb->m);
    Py_DECREF(name);
}

/* Whether so many residuals are as many as expected. 0, or -1 with an exception. */
static int
check_size(Callback *cb, npy_intp size)
{
    if (cb->func_calls > 1 && size != cb->m)
        raise_changed_size(cb, size);
    else if (size > INT_MAX)
        PyErr_Format(PyExc_OverflowError, "leastsq: func returned %zd residuals; expected at most %d",
                     (Py_ssize_t)size, INT_MAX);
    else
        return 0;
    return -1;
}

/* Remember where the first masked entry came from. 0, or -1 with an exception. */
static int
note_masked(Callback *cb, const char *role, int call, PyObject *result)
{
    npy_intp count, first = 0;

    if (cb->masked.call != 0)
        return 0;
    count = count_masked(result, &first);
    if (count > 0) {
        cb->masked.role = role;
        cb->masked.count = count;
        cb->masked.size = PyArray_SIZE((PyArrayObject *)result);
        cb->masked.index = first;
        cb->masked.call = call;
    }
    return count < 0 ? -1 : 0;
}

/* Residuals as a contiguous float64 array of one dimension, or of none (a scalar, which counts as one residual), as
 * many as expected; a new reference, or NULL with an exception.
 * type: NULL, or for NumPy's number of their dtype. */
static PyArrayObject *
as_residuals(Callback *cb, PyObject *result, int *type)
{
    const Source source = {"func", cb->func};
    PyArrayObject *array = NULL;    /* owned */
    PyArrayObject *fvec = NULL;     /* owned, returned */
    PyObject *name = NULL;          /* owned */
    PyObject *shape = NULL;         /* owned */

    array = as_real_array(&source, result, type);
    if (array == NULL || note_masked(cb, source.role, cb->func_calls, result) < 0)
        goto done;
    if (PyArray_NDIM(array) <= 1) {
        if (check_size(cb, PyArray_SIZE(array)) == 0)
            fvec = as_float64(array, NPY_ARRAY_C_CONTIGUOUS);
        /* And in the copy: memory may be collected meanwhile, and then a user's code may change the array. */
        if (fvec != NULL && check_size(cb, PyArray_SIZE(fvec)) < 0)
            Py_CLEAR(fvec);
        goto done;
    }
    name = quoted_name(cb->func);
    if (name != NULL)
        shape = shape_tuple(array);
    if (shape != NULL)
        PyErr_Format(PyExc_TypeError,
                     "leastsq: func%U returned an array of shape %S; expected one dimension (use .ravel())",
                     name, shape);
done:
    Py_XDECREF(name);
    Py_XDECREF(shape);
    Py_XDECREF(array);
    return fvec;
}

/* Whether the array last handed to a user's function can be handed out again: nobody else holds it, not even weakly,
 * and it still is the plain float64 vector that was made. */
static int
x_is_reusable(const Callback *cb)
{
#ifdef Py_GIL_DISABLED
    /* A reference count of one proves nothing there. */
    (void)cb;
    return 0;
#else
    PyArrayObject *x = (PyArrayObject *)cb->x;

    return x != NULL && Py_REFCNT(x) == 1 && PyArray_NDIM(x) == 1 && PyArray_DIM(x, 0) == cb->n
        && PyArray_STRIDE(x, 0) == (npy_intp)sizeof(double) && PyArray_DESCR(x) == cb->float64
        && PyArray_BASE(x) == NULL && ((PyArrayObject_fields *)x)->weakreflist == NULL
        && PyArray_CHKFLAGS(x, NPY_ARRAY_CARRAY | NPY_ARRAY_OWNDATA);
#endif
}

/* Call a user's function at x. A new reference to its result, or NULL with an exception; a signal that came meanwhile
 * is one. */
static PyObject *
call_at(Callback *cb, PyObject *function, const double *x)
{
    const size_t nargs = (size_t)PyTuple_GET_SIZE(cb->args) + 1;
    npy_intp n = cb->n;
    PyObject *result = NULL;    /* owned, returned */

    if (!x_is_reusable(cb)) {
        Py_XSETREF(cb->x, PyArray_SimpleNew(1, &n, NPY_DOUBLE));
        if (cb->x == NULL)
            return NULL;
    }
    memcpy(PyArray_DATA((PyArrayObject *)cb->x), x, (size_t)n * sizeof(double));
    cb->stack[1] = cb->x;
    result = PyObject_Vectorcall(function, cb->stack + 1, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result != NULL && PyErr_CheckSignals() < 0)
        Py_CLEAR(result);
    return result;
}

/* The machine epsilon of float16 and float32, else float64's: what SciPy takes for epsfcn. */
static double
type_epsilon(int type)
{
    return type == NPY_HALF ? 0x1p-10 : type == NPY_FLOAT ? 0x1p-23 : 0x1p-52;
}

/* Refuse fewer residuals than variables, in SciPy's words, which go on where func returned a scalar. */
static void
raise_too_few(Callback *cb, PyArrayObject *residuals)
{
    PyObject *text = NULL;      /* owned */
    PyObject *name = NULL;      /* owned */

    text = PyUnicode_FromFormat(
        "Improper input: func input vector length N=%d must not exceed func output vector length M=%zd", cb->n,
        (Py_ssize_t)PyArray_SIZE(residuals));
    if (text == NULL)
        return;
    if (PyArray_NDIM(residuals) > 0)
        PyErr_SetObject(PyExc_TypeError, text);
    else {
        name = quoted_name(cb->func);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%U: func%U returned a scalar; expected the vector of residuals, not the"
                                          " sum of their squares", text, name);
    }
    Py_DECREF(text);
    Py_XDECREF(name);
}

PyObject *
callback_first(Callback *cb, const double *x, double *eps)
{
    PyObject *result = NULL;        /* owned */
    PyArrayObject *array = NULL;    /* owned */
    PyObject *fvec = NULL;          /* owned, returned */
    npy_intp m;
    int type;

    result = call_at(cb, cb->func, x);
    if (result == NULL)
        goto done;
    cb->func_calls = 1;
    array = as_residuals(cb, result, &type);
    if (array == NULL)
        goto done;
    *eps = type_epsilon(type);
    m = PyArray_SIZE(array);
    if (cb->n > m) {
        raise_too_few(cb, array);
        goto done;
    }
    fvec = PyArray_SimpleNew(1, &m, NPY_DOUBLE);
    if (fvec == NULL)
        goto done;
    memcpy(PyArray_DATA((PyArrayObject *)fvec), PyArray_DATA(array), (size_t)m * sizeof(double));
    cb->m = (int)m;
    cb->lets_go = (double)m * cb->n * cb->n >= LONG_FACTORISATION;
    note_residuals(&cb->nonfinite, cb->func_calls, cb->m, PyArray_DATA(array));
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

    callback_resume(cb);
    if (cb->replay) {
        cb->replay = 0;
        return 0;
    }
    result = call_at(cb, cb->func, x);
    if (result == NULL)
        goto done;
    cb->func_calls++;
    if (PyArray_CheckExact(result) && PyArray_NDIM((PyArrayObject *)result) == 1
            && PyArray_DIM((PyArrayObject *)result, 0) == m
            && PyArray_DESCR((PyArrayObject *)result) == cb->float64
            && PyArray_ISCARRAY_RO((PyArrayObject *)result))
        array = (PyArrayObject *)Py_NewRef(result);
    else
        array = as_residuals(cb, result, NULL);
    if (array == NULL)
        goto done;
    memcpy(fvec, PyArray_DATA(array), (size_t)m * sizeof(double));
    note_residuals(&cb->nonfinite, cb->func_calls, m, fvec);
    status = 0;
done:
    Py_XDECREF(array);
    Py_XDECREF(result);
    if (status == 0 && purpose == DIFFERENCE && ++cb->differences == n) {
        cb->differences = 0;
        let_others_run(cb);
    }
    return status;
}

/* Refuse a Jacobian of the wrong shape, in SciPy's words. */
static void
raise_Dfun_shape(Callback *cb, PyArrayObject *array)
{
    PyObject *name = NULL;      /* owned */
    PyObject *shape = NULL;     /* owned */

    name = quoted_name(cb->Dfun);
    if (name != NULL)
        shape = shape_tuple(array);
    if (shape != NULL)
        PyErr_Format(PyExc_TypeError,
                     "leastsq: there is a mismatch between the input and output shape of the 'Dfun' argument%U."
                     " Shape should be (%d, %d) but it is %S.",
                     name, cb->col_deriv ? cb->n : cb->m, cb->col_deriv ? cb->m : cb->n, shape);
    Py_XDECREF(name);
    Py_XDECREF(shape);
}

/* Set the byte strides of array along residuals and along variables. 0, or -1 with a TypeError if it has not the
 * shape (m, n), or (n, m) with col_deriv; for n = 1 (m,), (1, m) and (m, 1) do. */
static int
jacobian_strides(Callback *cb, PyArrayObject *array, npy_intp *along_m, npy_intp *along_n)
{
    const int ndim = PyArray_NDIM(array);
    const npy_intp *dims = PyArray_DIMS(array), *strides = PyArray_STRIDES(array);
    const int row = cb->col_deriv ? 1 : 0;      /* the axis of residuals */

    *along_n = 0;
    if (cb->n == 1 && PyArray_SIZE(array) == cb->m
            && (ndim == 1 || (ndim == 2 && (dims[0] == 1 || dims[1] == 1)))) {
        *along_m = strides[ndim == 2 && dims[0] == 1 ? 1 : 0];
        return 0;
    }
    if (ndim != 2 || dims[row] != cb->m || dims[1 - row] != cb->n) {
        raise_Dfun_shape(cb, array);
        return -1;
    }
    *along_m = strides[row];
    *along_n = strides[1 - row];
    return 0;
}

/* fjac (column-major, m x n) <- an array of float64 with the given byte strides. */
static void
copy_jacobian(double *fjac, int m, int n, int ldfjac, const char *data, npy_intp along_m, npy_intp along_n)
{
    const int block = 16;       /* rows at a time: a row-major source is then read in whole cache lines */
    int i, j, start, stop;

    if (along_m == (npy_intp)sizeof(double)) {
        for (j = 0; j < n; j++)
            memcpy(fjac + (size_t)j * ldfjac, data + j * along_n, (size_t)m * sizeof(double));
        return;
    }
    for (start = 0; start < m; start = stop) {
        stop = m - start < block ? m : start + block;
        for (j = 0; j < n; j++)
            for (i = start; i < stop; i++)
                fjac[(size_t)j * ldfjac + i] = *(const double *)(data + i * along_m + j * along_n);
    }
}

int
callback_jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac)
{
    Callback *cb = context;
    const Source source = {"Dfun", cb->Dfun};
    int status = -1;
    PyObject *result = NULL;        /* owned */
    PyArrayObject *real = NULL;     /* owned */
    PyArrayObject *array = NULL;    /* owned */
    npy_intp along_m, along_n;

    callback_resume(cb);
    result = call_at(cb, cb->Dfun, x);
    if (result == NULL)
        goto done;
    cb->Dfun_calls++;
    real = as_real_array(&source, result, NULL);
    if (real == NULL || note_masked(cb, source.role, cb->Dfun_calls, result) < 0
            || jacobian_strides(cb, real, &along_m, &along_n) < 0)
        goto done;
    array = as_float64(real, 0);
    if (array == NULL || jacobian_strides(cb, array, &along_m, &along_n) < 0)
        goto done;
    copy_jacobian(fjac, m, n, ldfjac, PyArray_BYTES(array), along_m, along_n);
    note_jacobian(&cb->nonfinite, cb->Dfun_calls, m, n, fjac, ldfjac, cb->col_deriv);
    status = 0;
done:
    Py_XDECREF(array);
    Py_XDECREF(real);
    Py_XDECREF(result);
    if (status == 0)
        let_others_run(cb);
    return status;
}
