/* The initial guess. */
#include "start.h"

#include <limits.h>
#include <string.h>

#include "convert.h"
#include "errors.h"
#include "gil.h"

/* What x0 is instead of real numbers, for an error message; a new reference, or NULL with an exception. */
static PyObject *
unsafe_x0(const char *name, PyArrayObject *array)
{
    PyArrayObject *copy = NULL;     /* owned: another thread may change x0 */
    PyObject *const *entries;
    PyObject *entry = NULL;         /* borrowed */
    PyObject *index = NULL;         /* owned */
    PyObject *dtype = NULL;         /* owned */
    PyObject *text = NULL;          /* owned, returned */
    npy_intp i;

    if (PyArray_TYPE(array) != NPY_OBJECT) {
        dtype = dtype_text(array);
        text = dtype == NULL ? NULL : PyUnicode_FromFormat("%s is an array of dtype %U", name, dtype);
        Py_XDECREF(dtype);
        return text;
    }
    copy = object_copy(array);
    if (copy == NULL)
        return NULL;
    entries = PyArray_DATA(copy);
    for (i = 0; i < PyArray_SIZE(copy) && entry == NULL; i++)
        if (!PyFloat_Check(entries[i]) && !PyLong_Check(entries[i]))
            entry = entries[i];
    if (entry == NULL)
        text = PyUnicode_FromFormat("%s is an array of objects", name);
    else {
        index = PyArray_NDIM(copy) == 0 ? PyUnicode_FromString("") : written_index(copy, i - 1);
        if (index != NULL)
            text = entry == Py_None ? PyUnicode_FromFormat("%s%U is None", name, index)
                                    : PyUnicode_FromFormat("%s%U is of type %s", name, index,
                                                           Py_TYPE(entry)->tp_name);
    }
    Py_DECREF(copy);
    Py_XDECREF(index);
    return text;
}

/* Refuse an x0 that does not cast safely. NumPy's pending exception becomes the cause, its text follows ours. */
static void
raise_unsafe_x0(const char *caller, const char *name, PyArrayObject *array)
{
    PyObject *cause = NULL;     /* owned */
    PyObject *what = NULL;      /* owned */
    PyObject *message = NULL;   /* owned */

    cause = take_raised_exception();
    what = unsafe_x0(name, array);
    if (what != NULL)
        message = PyUnicode_FromFormat("%s: %U; " REAL_NUMBERS_EXPECTED ": %S", caller, what, cause);
    if (message != NULL)
        raise_from(PyExc_TypeError, Py_NewRef(message), cause);
    Py_XDECREF(cause);
    Py_XDECREF(what);
    Py_XDECREF(message);
}

PyArrayObject *
start_vector(const char *caller, const char *name, PyObject *x0)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *flat = NULL;         /* owned: never 0-d, for NumPy to call a number an array, too */
    PyArrayObject *cast = NULL;         /* owned */
    PyArrayObject *x = NULL;            /* owned, returned */
    npy_intp n;

    array = (PyArrayObject *)PyArray_FromAny(x0, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL) {
        raise_ragged(&(Source){caller, name, "is", NULL}, x0);
        goto done;
    }
    flat = (PyArrayObject *)(PyArray_NDIM(array) > 0 ? Py_NewRef(array) : PyArray_Ravel(array, NPY_CORDER));
    if (flat == NULL) {
        if (!PyErr_Occurred())      /* NumPy may lose the exception when memory runs out */
            PyErr_NoMemory();
        goto done;
    }
    cast = as_float64(flat, flat == array ? 2 : 1, NPY_ARRAY_C_CONTIGUOUS);
    if (cast == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            raise_unsafe_x0(caller, name, array);
        goto done;
    }
    n = PyArray_SIZE(cast);
    if (n > INT_MAX - 1) {
        PyErr_Format(PyExc_OverflowError, "%s: %s has %zd elements; expected at most %d", caller, name,
                     (Py_ssize_t)n, INT_MAX - 1);
        goto done;
    }
    if ((PyObject *)array != x0 && PyArray_NDIM(cast) == 1 && PyArray_CHKFLAGS(cast, NPY_ARRAY_CARRAY)
            && PyArray_BASE(cast) == NULL && is_ours_alone(cast, cast == array ? 3 : 1)) {
        x = (PyArrayObject *)Py_NewRef(cast);       /* NumPy made it for us */
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
