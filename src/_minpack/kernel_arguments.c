/* Arguments of MINPACK's routines from Python.
 *
 * Arrays are checked before they are copied, so that nothing huge is copied in vain, and again in the copy, which no
 * other code knows: memory may be collected meanwhile, and then a user's code may give an argument another shape.
 */
#include "kernel_arguments.h"

#include <limits.h>

#include "convert.h"
#include "errors.h"

/* Rows and columns at most: MINPACK's sizes are ints, and some loops look a few elements ahead. */
enum { MAX_SIZE = INT_MAX - 64 };

/* An argument as an array of whatever dtype. A new reference, or NULL with an exception. */
static PyArrayObject *
any_array(const char *routine, const char *name, PyObject *value)
{
    PyArrayObject *array = NULL;    /* owned, returned */
    PyObject *type;                 /* borrowed */

    array = (PyArrayObject *)PyArray_FromAny(value, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL) {
        type = PyErr_ExceptionMatches(PyExc_TypeError) ? PyExc_TypeError : PyExc_ValueError;
        if (PyErr_ExceptionMatches(type))
            raise_from_pending(type, PyUnicode_FromFormat("%s: %s must be an array of numbers, and this %.200s is none",
                                                          routine, name, Py_TYPE(value)->tp_name));
    }
    return array;
}

/* 0, or -1 with an exception if an array has not the given number of dimensions, or a size that MINPACK cannot have. */
static int
check_dimensions(const char *routine, const char *name, PyArrayObject *array, int ndim)
{
    int i;

    if (PyArray_NDIM(array) != ndim) {
        PyErr_Format(PyExc_ValueError, "%s: %s has %d dimensions; expected %d", routine, name, PyArray_NDIM(array),
                     ndim);
        return -1;
    }
    for (i = 0; i < ndim; i++) {
        if (PyArray_DIM(array, i) < 1) {
            PyErr_Format(PyExc_ValueError, "%s: %s is empty; expected at least one element", routine, name);
            return -1;
        }
        if (PyArray_DIM(array, i) > MAX_SIZE) {
            PyErr_Format(PyExc_OverflowError, "%s: dimension %d of %s is %zd; expected at most %d", routine, i, name,
                         (Py_ssize_t)PyArray_DIM(array, i), (int)MAX_SIZE);
            return -1;
        }
    }
    return 0;
}

PyArrayObject *
copy_real(const char *routine, const char *name, PyObject *value, int ndim)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *copy = NULL;         /* owned, returned */

    array = any_array(routine, name, value);
    if (array == NULL)
        goto done;
    if (!casts_safely(array)) {
        PyErr_Format(PyExc_TypeError, "%s: %s has dtype %S; " REAL_NUMBERS_EXPECTED, routine, name,
                     (PyObject *)PyArray_DESCR(array));
        goto done;
    }
    if (check_dimensions(routine, name, array, ndim) < 0)
        goto done;
    copy = as_float64(array, NPY_ARRAY_FARRAY | NPY_ARRAY_ENSURECOPY);
    if (copy != NULL && check_dimensions(routine, name, copy, ndim) < 0)
        Py_CLEAR(copy);
done:
    Py_XDECREF(array);
    return copy;
}

PyArrayObject *
copy_vector(const char *routine, const char *name, PyObject *value, npy_intp n, const char *why)
{
    PyArrayObject *copy = NULL;         /* owned, returned */

    copy = copy_real(routine, name, value, 1);
    if (copy != NULL && PyArray_DIM(copy, 0) != n) {
        PyErr_Format(PyExc_ValueError, "%s: %s has length %zd; expected %zd, %s", routine, name,
                     (Py_ssize_t)PyArray_DIM(copy, 0), (Py_ssize_t)n, why);
        Py_CLEAR(copy);
    }
    return copy;
}

PyArrayObject *
copy_matrix(const char *routine, const char *name, PyObject *value, npy_intp m, npy_intp n, const char *why)
{
    PyArrayObject *copy = NULL;         /* owned, returned */
    npy_intp rows, columns;

    copy = copy_real(routine, name, value, 2);
    if (copy == NULL)
        return NULL;
    rows = PyArray_DIM(copy, 0);
    columns = PyArray_DIM(copy, 1);
    if (m == 0) {
        if (rows == columns)
            return copy;
        PyErr_Format(PyExc_ValueError, "%s: %s has shape (%zd, %zd); expected a square matrix", routine, name,
                     (Py_ssize_t)rows, (Py_ssize_t)columns);
    }
    else {
        if (rows == m && columns == n)
            return copy;
        PyErr_Format(PyExc_ValueError, "%s: %s has shape (%zd, %zd); expected (%zd, %zd), %s", routine, name,
                     (Py_ssize_t)rows, (Py_ssize_t)columns, (Py_ssize_t)m, (Py_ssize_t)n, why);
    }
    Py_DECREF(copy);
    return NULL;
}

/* 0, or -1 with an exception if p is not a permutation of 1..n. */
static int
check_permutation(const char *routine, const npy_int64 *p, npy_intp n)
{
    int status = -1;
    char *seen = NULL;          /* owned */
    npy_intp j;

    seen = PyMem_Calloc((size_t)n, 1);
    if (seen == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (j = 0; j < n; j++) {
        if (p[j] < 1 || p[j] > n) {
            PyErr_Format(PyExc_ValueError,
                         "%s: ipvt[%zd] is %lld; expected a permutation of 1 to %zd, as MINPACK counts", routine,
                         (Py_ssize_t)j, (long long)p[j], (Py_ssize_t)n);
            goto done;
        }
        if (seen[p[j] - 1]) {
            PyErr_Format(PyExc_ValueError, "%s: ipvt has %lld twice; expected a permutation of 1 to %zd", routine,
                         (long long)p[j], (Py_ssize_t)n);
            goto done;
        }
        seen[p[j] - 1] = 1;
    }
    status = 0;
done:
    PyMem_Free(seen);
    return status;
}

PyArrayObject *
copy_permutation(const char *routine, PyObject *value, npy_intp n)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *wide = NULL;         /* owned: as int64, so that no entry wraps */
    PyArray_Descr *int64 = NULL;        /* owned */
    PyArrayObject *ipvt = NULL;         /* owned, returned */
    npy_intp j;

    array = any_array(routine, "ipvt", value);
    if (array == NULL)
        goto done;
    int64 = PyArray_DescrFromType(NPY_INT64);
    if (!PyArray_ISINTEGER(array) || !PyArray_CanCastTypeTo(PyArray_DESCR(array), int64, NPY_SAFE_CASTING)) {
        PyErr_Format(PyExc_TypeError, "%s: ipvt has dtype %S; expected integers that cast safely to int64", routine,
                     (PyObject *)PyArray_DESCR(array));
        goto done;
    }
    if (check_dimensions(routine, "ipvt", array, 1) < 0)
        goto done;
    wide = (PyArrayObject *)PyArray_FromArray(array, (PyArray_Descr *)Py_NewRef((PyObject *)int64),
                                              NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY);
    if (wide == NULL || check_dimensions(routine, "ipvt", wide, 1) < 0)
        goto done;
    if (PyArray_DIM(wide, 0) != n) {
        PyErr_Format(PyExc_ValueError, "%s: ipvt has length %zd; expected %zd, as r has columns", routine,
                     (Py_ssize_t)PyArray_DIM(wide, 0), (Py_ssize_t)n);
        goto done;
    }
    if (check_permutation(routine, PyArray_DATA(wide), n) < 0)
        goto done;
    ipvt = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_INT);
    for (j = 0; ipvt != NULL && j < n; j++)
        ((int *)PyArray_DATA(ipvt))[j] = (int)((npy_int64 *)PyArray_DATA(wide))[j];
done:
    Py_XDECREF(int64);
    Py_XDECREF(array);
    Py_XDECREF(wide);
    return ipvt;
}
