/* leastsq's x0 and diag as vectors, or the error that names them. */
#include "arguments.h"

#include <limits.h>
#include <string.h>

#include "convert.h"
#include "errors.h"

/* What x0 is instead of real numbers, for the text of an error; a new reference, or NULL with an exception.
 * flat: the entries of array in C order. */
static PyObject *
unsafe_x0(PyArrayObject *array, PyArrayObject *flat)
{
    PyObject *const *entries = PyArray_DATA(flat);
    PyObject *entry = NULL;     /* borrowed */
    PyObject *index = NULL;     /* owned */
    PyObject *text = NULL;      /* owned, returned */
    npy_intp i;

    if (PyArray_TYPE(array) != NPY_OBJECT)
        return PyUnicode_FromFormat("x0 is an array of dtype %S", (PyObject *)PyArray_DESCR(array));
    for (i = 0; i < PyArray_SIZE(flat) && entry == NULL; i++)
        if (!PyFloat_Check(entries[i]) && !PyLong_Check(entries[i]))
            entry = entries[i];
    if (entry == NULL)
        return PyUnicode_FromString("x0 is an array of objects");
    index = PyArray_NDIM(array) == 0 ? PyUnicode_FromString("") : written_index(array, i - 1);
    if (index != NULL)
        text = entry == Py_None ? PyUnicode_FromFormat("x0%U is None", index)
                                : PyUnicode_FromFormat("x0%U is of type %s", index, Py_TYPE(entry)->tp_name);
    Py_XDECREF(index);
    return text;
}

/* Refuse an x0 that does not cast safely. NumPy's pending refusal becomes the cause, and its text follows ours. */
static void
raise_unsafe_x0(PyArrayObject *array, PyArrayObject *flat)
{
    PyObject *cause = NULL;     /* owned */
    PyObject *what = NULL;      /* owned */
    PyObject *message = NULL;   /* owned */

    cause = take_raised_exception();
    what = unsafe_x0(array, flat);
    if (what != NULL)
        message = PyUnicode_FromFormat("leastsq: %U; " REAL_NUMBERS_EXPECTED ": %S", what, cause);
    if (message != NULL)
        raise_from(PyExc_TypeError, Py_NewRef(message), cause);
    Py_XDECREF(cause);
    Py_XDECREF(what);
    Py_XDECREF(message);
}

PyArrayObject *
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
    if (cast == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            raise_unsafe_x0(array, flat);
        goto done;
    }
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

PyArrayObject *
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
