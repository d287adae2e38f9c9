/* What was answered, residuals or a Jacobian: its shape checked, and copied where the solver wants it. */
#include "answers.h"

#include <limits.h>
#include <string.h>

#include "gil.h"

/* Entries to copy before other threads may run, about 10 ms. */
static const npy_intp SLICE = 1 << 20;

/* Refuse residuals of another number than the first ones, or than those given in place of them. */
static void
raise_changed_size(const Expected *expected, npy_intp size)
{
    const Source *source = &expected->source;
    PyObject *name = NULL;      /* owned */

    name = quoted_name(source);
    if (name != NULL && expected->call == 1)
        PyErr_Format(PyExc_ValueError, "%s: %s%U %s %zd residuals; expected %d, as fvec has", source->caller, source->role,
                     name, source->gave, (Py_ssize_t)size, expected->m);
    else if (name != NULL)
        PyErr_Format(PyExc_ValueError,
                     "The array returned by a function changed size between calls: %s%U %s %zd residuals, "
                     "after %d in its first call", source->role, name, source->gave, (Py_ssize_t)size, expected->m);
    Py_XDECREF(name);
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

/* The residuals at k points, in rows or one row alone, as a contiguous float64 array: perhaps the user's, to be copied before
 * anything else runs. A new reference, or NULL with an exception.
 * type: NULL, or for NumPy's number of their dtype. */
static PyArrayObject *
as_residuals(const Expected *expected, PyObject *result, int *type)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *residuals = NULL;    /* owned, returned */

    array = as_real_array(&expected->source, result, type);
    if (array == NULL || note_masked(expected->masked, expected->source.role, expected->call, result) < 0
            || check_residuals(expected, array) < 0)
        goto done;
    residuals = as_float64(array, 1 + ((PyObject *)array == result ? expected->owned : 0), NPY_ARRAY_C_CONTIGUOUS);
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

/* Refuse fewer residuals than variables, in SciPy's words, which go on where they are a scalar. */
static void
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

PyArrayObject *
first_residuals(const Expected *expected, PyObject *result, int *type)
{
    PyArrayObject *array = NULL;    /* owned */
    PyArrayObject *fvec = NULL;     /* owned, returned */
    npy_intp m;

    array = as_residuals(expected, result, type);
    if (array == NULL)
        return NULL;
    m = PyArray_NDIM(array) == 2 ? PyArray_DIM(array, 1) : PyArray_SIZE(array);
    if (m < expected->n)
        raise_too_few(expected, array, m);
    else
        fvec = (PyArrayObject *)PyArray_SimpleNew(1, &m, NPY_DOUBLE);
    if (fvec != NULL)
        copy_residuals(expected->nonfinite, expected->source.role, expected->call, 0, (int)m, PyArray_DATA(array),
                       PyArray_DATA(fvec));
    Py_DECREF(array);
    return fvec;
}

int
take_residuals(const Expected *expected, PyObject *result, double *fvec, int ldfvec)
{
    const int m = expected->m;
    PyArrayObject *array = NULL;    /* owned */
    int j;

    array = as_residuals(expected, result, NULL);
    if (array == NULL)
        return -1;
    for (j = 0; j < expected->k; j++)
        copy_residuals(expected->nonfinite, expected->source.role, expected->call, (npy_intp)j * m, m,
                       (const double *)PyArray_DATA(array) + (size_t)j * (size_t)m, fvec + (size_t)j * ldfvec);
    Py_DECREF(array);
    return 0;
}

/* Refuse a Jacobian of the wrong shape; a Dfun's in SciPy's words. */
static void
raise_jacobian_shape(const Expected *expected, PyArrayObject *array)
{
    const int rows = expected->col_deriv ? expected->n : expected->m;
    const int columns = expected->col_deriv ? expected->m : expected->n;
    const int is_transposed = PyArray_NDIM(array) == 2 && PyArray_DIM(array, 0) == columns
                              && PyArray_DIM(array, 1) == rows;
    const char *hint = !is_transposed ? "" : expected->col_deriv ? " Transpose it, or leave out col_deriv=True."
                                                                 : " Transpose it, or pass col_deriv=True.";
    PyObject *name = NULL;      /* owned */
    PyObject *shape = NULL;     /* owned */

    name = quoted_name(&expected->source);
    if (name != NULL)
        shape = shape_tuple(array);
    if (shape == NULL)
        goto done;
    if (expected->source.function != NULL)
        PyErr_Format(PyExc_TypeError,
                     "%s: there is a mismatch between the input and output shape of the '%s' argument%U."
                     " Shape should be (%d, %d) but it is %S.%s", expected->source.caller, expected->source.role, name,
                     rows, columns, shape, hint);
    else
        PyErr_Format(PyExc_TypeError, "%s: %s %s an array of shape %S; expected (%d, %d), the Jacobian%s%s",
                     expected->source.caller, expected->source.role, expected->source.gave, shape, rows, columns,
                     *hint ? "." : "", hint);
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

/* Rows first to last - 1 of fjac (column-major) <- those of an array of float64 with the given byte strides; whether all
 * are finite. */
static int
copy_rows(double *fjac, int ldfjac, int first, int last, int n, const char *data, npy_intp along_m, npy_intp along_n)
{
    const int block = 16;       /* rows at a time: a row-major source is then read in whole cache lines */
    int j, start, stop, finite = 1;

    for (start = first; start < last; start = stop) {
        stop = along_m == (npy_intp)sizeof(double) || last - start < block ? last : start + block;
        for (j = 0; j < n; j++)
            finite &= copy_finite(fjac + (size_t)j * ldfjac + start, stop - start,
                                  data + start * along_m + j * along_n, along_m);
    }
    return finite;
}

/* Refuse a Jacobian whose memory or type was another after another thread had run. */
static void
raise_altered(const Expected *expected)
{
    PyObject *giver = NULL;     /* owned */

    giver = source_text(&expected->source);
    if (giver != NULL)
        PyErr_Format(PyExc_TypeError, "%U an array that another thread changed while it was copied", giver);
    Py_XDECREF(giver);
}

/* fjac <- an array that others may reach, in slices, between which other threads run; where nothing would say whether its
 * memory is still there (gil.h), without letting them run. The strides are the array's; *finite: whether all is. As
 * take_jacobian. */
static int
copy_shared(const Expected *expected, PyArrayObject *array, npy_intp along_m, npy_intp along_n, double *fjac, int ldfjac,
            int *copied, int *finite)
{
    const int m = expected->m, n = expected->n;
    const int rows = SLICE / n < 16 ? 16 : (int)(SLICE / n);    /* in a slice */
    PyArray_Descr *float64 = NULL;  /* owned: the array's */
    int first, last, there, status = -1;

    float64 = (PyArray_Descr *)Py_NewRef(PyArray_DESCR(array));
    for (first = 0; first < m; first = last) {
        last = m - first <= rows ? m : first + rows;
        *finite &= copy_rows(fjac, ldfjac, first, last, n, PyArray_BYTES(array), along_m, along_n);
        *copied = 1;
        if (last == m)
            break;
        there = let_others_run(array);
        if (jacobian_strides(expected, array, &along_m, &along_n) < 0)
            goto done;
        if (there == 0 || PyArray_DESCR(array) != float64) {
            raise_altered(expected);
            goto done;
        }
    }
    status = 0;
done:
    Py_DECREF(float64);
    return status;
}

int
take_jacobian(const Expected *expected, PyObject *result, double *fjac, int ldfjac, int *copied)
{
    PyArrayObject *real = NULL;     /* owned */
    PyArrayObject *array = NULL;    /* owned */
    PyThreadState *thread = NULL;
    npy_intp along_m, along_n;
    Py_ssize_t references;
    int finite = 1, status = -1;

    *copied = 0;
    real = as_real_array(&expected->source, result, NULL);
    if (real == NULL || note_masked(expected->masked, expected->source.role, expected->call, result) < 0
            || jacobian_strides(expected, real, &along_m, &along_n) < 0)
        goto done;
    references = 1 + ((PyObject *)real == result ? expected->owned : 0);
    array = as_float64(real, references, 0);
    if (array == NULL || jacobian_strides(expected, array, &along_m, &along_n) < 0)
        goto done;
    if (takes_long(COPY, (double)expected->m * expected->n)
            && is_ours_alone(array, array == real ? references + 1 : 1)) {
        *copied = 1;
        thread = release_gil();
        finite = copy_rows(fjac, ldfjac, 0, expected->m, expected->n, PyArray_BYTES(array), along_m, along_n);
        take_gil(thread);
        status = 0;
    }
    else
        status = copy_shared(expected, array, along_m, along_n, fjac, ldfjac, copied, &finite);
    if (status == 0 && !finite)
        note_jacobian(expected->nonfinite, expected->source.role, expected->call, expected->m, expected->n, fjac, ldfjac,
                      expected->col_deriv);
done:
    Py_XDECREF(array);
    Py_XDECREF(real);
    return status;
}
