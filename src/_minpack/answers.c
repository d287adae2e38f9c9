/* What was answered, residuals or a Jacobian: its shape checked, and copied where the solver wants it. */
#include "answers.h"

#include <limits.h>
#include <string.h>

/* Entries to copy in one go, in some 10 ms; other threads may run then. */
static const npy_intp SLICE = 1 << 20;

/* Entries from which an array that is ours alone is copied while other threads run, some 1 ms. */
static const npy_intp WITHOUT_GIL = 1 << 17;

/* Refuse residuals of another number than the first ones. */
static void
raise_changed_size(const Expected *expected, npy_intp size)
{
    const Source *source = &expected->source;
    PyObject *name = NULL;      /* owned */

    name = quoted_name(source);
    if (name == NULL)
        return;
    PyErr_Format(PyExc_ValueError,
                 "The array returned by a function changed size between calls: %s%U %s %zd residuals, "
                 "after %d in its first call", source->role, name, source->gave, (Py_ssize_t)size, expected->m);
    Py_DECREF(name);
}

/* Refuse residuals of a shape that is not one of those expected. */
static void
raise_shape(const Expected *expected, PyArrayObject *array)
{
    PyObject *giver = NULL;     /* owned */
    PyObject *shape = NULL;     /* owned */
    PyObject *m = NULL;         /* owned */

    giver = source_text(&expected->source);
    if (giver != NULL)
        shape = shape_tuple(array);
    if (shape == NULL)
        goto done;
    if (expected->shapes == VECTOR) {
        PyErr_Format(PyExc_TypeError, "%U an array of shape %S; expected one dimension (use .ravel())", giver, shape);
        goto done;
    }
    m = expected->m == 0 ? PyUnicode_FromString("m") : PyUnicode_FromFormat("%d", expected->m);
    if (m != NULL)
        PyErr_Format(PyExc_TypeError, "%U an array of shape %S; expected (%d, %U), the residuals at %d point%s", giver,
                     shape, expected->k, m, expected->k, expected->k == 1 ? "" : "s, one row for each");
done:
    Py_XDECREF(giver);
    Py_XDECREF(shape);
    Py_XDECREF(m);
}

/* Whether residuals have one of the shapes and are as many as expected. 0, or -1 with an exception. */
static int
check_residuals(const Expected *expected, PyArrayObject *array)
{
    const int ndim = PyArray_NDIM(array);
    npy_intp size;

    if (expected->shapes != ROWS && ndim <= 1 && expected->k == 1)
        size = PyArray_SIZE(array);
    else if (expected->shapes != VECTOR && ndim == 2 && PyArray_DIM(array, 0) == expected->k)
        size = PyArray_DIM(array, 1);
    else {
        raise_shape(expected, array);
        return -1;
    }
    if (expected->m != 0 && size != expected->m)
        raise_changed_size(expected, size);
    else if (size > INT_MAX)
        PyErr_Format(PyExc_OverflowError, "%s: %s %s %zd residuals; expected at most %d", expected->source.caller,
                     expected->source.role, expected->source.gave, (Py_ssize_t)size, INT_MAX);
    else
        return 0;
    return -1;
}

PyArrayObject *
as_residuals(const Expected *expected, PyObject *result, int *type)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *residuals = NULL;    /* owned, returned */

    array = as_real_array(&expected->source, result, type);
    if (array == NULL || note_masked(expected->masked, expected->source.role, expected->call, result) < 0
            || check_residuals(expected, array) < 0)
        goto done;
    residuals = as_float64(array, NPY_ARRAY_C_CONTIGUOUS);
    /* And in the copy: memory may be collected meanwhile, and then a user's code may change the array. */
    if (residuals != NULL && check_residuals(expected, residuals) < 0)
        Py_CLEAR(residuals);
done:
    Py_XDECREF(array);
    return residuals;
}

double
type_epsilon(int type)
{
    return type == NPY_HALF ? 0x1p-10 : type == NPY_FLOAT ? 0x1p-23 : 0x1p-52;
}

void
raise_too_few(const Expected *expected, PyArrayObject *residuals, npy_intp size)
{
    PyObject *text = NULL;      /* owned */
    PyObject *name = NULL;      /* owned */

    text = PyUnicode_FromFormat(
        "Improper input: func input vector length N=%d must not exceed func output vector length M=%zd", expected->n,
        (Py_ssize_t)size);
    if (text == NULL)
        return;
    if (PyArray_NDIM(residuals) > 0)
        PyErr_SetObject(PyExc_TypeError, text);
    else {
        name = quoted_name(&expected->source);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%U: %s%U %s a scalar; expected the vector of residuals, not the"
                                          " sum of their squares", text, expected->source.role, name,
                         expected->source.gave);
    }
    Py_DECREF(text);
    Py_XDECREF(name);
}

/* Refuse a Jacobian of the wrong shape; a Dfun's in SciPy's words. */
static void
raise_jacobian_shape(const Expected *expected, PyArrayObject *array)
{
    const int rows = expected->col_deriv ? expected->n : expected->m;
    const int columns = expected->col_deriv ? expected->m : expected->n;
    PyObject *name = NULL;      /* owned */
    PyObject *shape = NULL;     /* owned */

    name = quoted_name(&expected->source);
    if (name != NULL)
        shape = shape_tuple(array);
    if (shape == NULL)
        goto done;
    if (expected->source.function != NULL)
        PyErr_Format(PyExc_TypeError,
                     "%s: there is a mismatch between the input and output shape of the 'Dfun' argument%U."
                     " Shape should be (%d, %d) but it is %S.", expected->source.caller, name, rows, columns, shape);
    else
        PyErr_Format(PyExc_TypeError, "%s: %s %s an array of shape %S; expected (%d, %d), the Jacobian",
                     expected->source.caller, expected->source.role, expected->source.gave, shape, rows, columns);
done:
    Py_XDECREF(name);
    Py_XDECREF(shape);
}

/* Set the byte strides of array along residuals and along variables. 0, or -1 with a TypeError if it has not the
 * shape (m, n), or (n, m) with col_deriv; for n = 1 (m,), (1, m) and (m, 1) do. */
static int
jacobian_strides(const Expected *expected, PyArrayObject *array, npy_intp *along_m, npy_intp *along_n)
{
    const int ndim = PyArray_NDIM(array), m = expected->m, n = expected->n;
    const npy_intp *dims = PyArray_DIMS(array), *strides = PyArray_STRIDES(array);
    const int row = expected->col_deriv ? 1 : 0;        /* the axis of residuals */

    *along_n = 0;
    if (n == 1 && PyArray_SIZE(array) == m && (ndim == 1 || (ndim == 2 && (dims[0] == 1 || dims[1] == 1)))) {
        *along_m = strides[ndim == 2 && dims[0] == 1 ? 1 : 0];
        return 0;
    }
    if (ndim != 2 || dims[row] != m || dims[1 - row] != n) {
        raise_jacobian_shape(expected, array);
        return -1;
    }
    *along_m = strides[row];
    *along_n = strides[1 - row];
    return 0;
}

/* Rows first to last - 1 of fjac (column-major) <- those of an array of float64 with the given byte strides. */
static void
copy_rows(double *fjac, int ldfjac, int first, int last, int n, const char *data, npy_intp along_m, npy_intp along_n)
{
    const int block = 16;       /* rows at a time: a row-major source is then read in whole cache lines */
    int i, j, start, stop;

    if (along_m == (npy_intp)sizeof(double)) {
        for (j = 0; j < n; j++)
            memcpy(fjac + (size_t)j * ldfjac + first, data + first * along_m + j * along_n,
                   (size_t)(last - first) * sizeof(double));
        return;
    }
    for (start = first; start < last; start = stop) {
        stop = last - start < block ? last : start + block;
        for (j = 0; j < n; j++)
            for (i = start; i < stop; i++)
                fjac[(size_t)j * ldfjac + i] = *(const double *)(data + i * along_m + j * along_n);
    }
}

int
take_jacobian(const Expected *expected, PyObject *result, double *fjac, int ldfjac, int *copied)
{
    const int m = expected->m, n = expected->n;
    const int rows = SLICE / n < 16 ? 16 : (int)(SLICE / n);    /* in a slice */
    PyArrayObject *real = NULL;     /* owned */
    PyArrayObject *array = NULL;    /* owned */
    PyArray_Descr *float64 = NULL;  /* owned: the array's */
    npy_intp along_m, along_n;
    int first, last, status = -1;

    *copied = 0;
    real = as_real_array(&expected->source, result, NULL);
    if (real == NULL || note_masked(expected->masked, expected->source.role, expected->call, result) < 0
            || jacobian_strides(expected, real, &along_m, &along_n) < 0)
        goto done;
    array = as_float64(real, 0);
    if (array == NULL || jacobian_strides(expected, array, &along_m, &along_n) < 0)
        goto done;
    if ((npy_intp)m * n >= WITHOUT_GIL
            && is_ours_alone(array, array == real && (PyObject *)array == result ? 3 : 1)) {
        *copied = 1;
        Py_BEGIN_ALLOW_THREADS
        copy_rows(fjac, ldfjac, 0, m, n, PyArray_BYTES(array), along_m, along_n);
        Py_END_ALLOW_THREADS
        status = 0;
        goto done;
    }
    float64 = (PyArray_Descr *)Py_NewRef(PyArray_DESCR(array));
    for (first = 0; first < m; first = last) {
        last = m - first <= rows ? m : first + rows;
        copy_rows(fjac, ldfjac, first, last, n, PyArray_BYTES(array), along_m, along_n);
        *copied = 1;
        if (last == m)
            break;
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
        if (PyArray_DESCR(array) != float64) {
            raise_jacobian_shape(expected, array);
            goto done;
        }
        if (jacobian_strides(expected, array, &along_m, &along_n) < 0)
            goto done;
    }
    status = 0;
done:
    Py_XDECREF(array);
    Py_XDECREF(real);
    Py_XDECREF(float64);
    return status;
}
