/* Arguments of MINPACK's routines from Python.
 *
 * Arrays are checked before they are copied, so that nothing huge is copied in vain, and again in the copy, which no
 * other code knows: memory may be collected meanwhile, and then a user's code may give an argument another shape.
 */
#include "kernel_arguments.h"

#include <limits.h>

#include "convert.h"

/* Rows and columns at most: MINPACK's sizes are ints, and some loops look a few elements ahead. */
enum { MAX_SIZE = INT_MAX - 64 };

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

    array = as_real_array(&(Source){routine, name, "is", NULL}, value, NULL);
    if (array != NULL && check_dimensions(routine, name, array, ndim) == 0)
        copy = as_float64(array, 1, NPY_ARRAY_FARRAY | NPY_ARRAY_ENSURECOPY);
    if (copy != NULL && check_dimensions(routine, name, copy, ndim) < 0)
        Py_CLEAR(copy);
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

npy_intp
misplaced_pivot(const int *ipvt, npy_intp n, char *seen)
{
    npy_intp j;

    for (j = 0; j < n; j++)
        seen[j] = 0;
    for (j = 0; j < n; j++)
        if (ipvt[j] < 1 || ipvt[j] > n || seen[ipvt[j] - 1]++)
            break;
    return j;
}

PyArrayObject *
copy_permutation(const char *routine, PyObject *value, npy_intp n)
{
    PyArrayObject *array = NULL;        /* owned */
    PyObject *dtype = NULL;             /* owned */
    PyObject *entry = NULL;             /* owned */
    PyArrayObject *numbers = NULL;      /* owned: as float64, so that no entry wraps */
    PyArrayObject *ipvt = NULL;         /* owned, returned */
    char *seen = NULL;                  /* owned */
    const double *number;
    npy_intp j;

    array = as_real_array(&(Source){routine, "ipvt", "is", NULL}, value, NULL);
    if (array == NULL)
        goto done;
    if (!PyArray_ISINTEGER(array)) {
        dtype = dtype_text(array);
        if (dtype != NULL)
            PyErr_Format(PyExc_TypeError, "%s: ipvt has dtype %U; expected integers", routine, dtype);
        goto done;
    }
    numbers = copy_vector(routine, "ipvt", (PyObject *)array, n, "as r has columns");
    if (numbers == NULL)
        goto done;
    seen = PyMem_Malloc((size_t)n);
    if (seen == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    ipvt = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_INT);
    if (ipvt == NULL)
        goto done;
    number = PyArray_DATA(numbers);
    for (j = 0; j < n; j++)
        ((int *)PyArray_DATA(ipvt))[j] = number[j] >= 1 && number[j] <= n ? (int)number[j] : 0;
    j = misplaced_pivot(PyArray_DATA(ipvt), n, seen);
    if (j < n) {
        entry = PySequence_GetItem((PyObject *)array, j);
        if (entry != NULL)
            PyErr_Format(PyExc_ValueError, "%s: ipvt[%zd] is %S; expected each of 1 to %zd once, as MINPACK counts",
                         routine, (Py_ssize_t)j, entry, (Py_ssize_t)n);
        Py_CLEAR(ipvt);
    }
done:
    PyMem_Free(seen);
    Py_XDECREF(array);
    Py_XDECREF(dtype);
    Py_XDECREF(entry);
    Py_XDECREF(numbers);
    return ipvt;
}
