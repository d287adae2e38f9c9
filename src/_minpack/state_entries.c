/* The entries of a saved state, a dict: written, or read and checked. */
#include "state_entries.h"

#include "errors.h"
#include "gil.h"

int
put_entry(PyObject *state, const char *name, PyObject *value)
{
    int status = -1;

    if (value != NULL)
        status = PyDict_SetItemString(state, name, value);
    Py_XDECREF(value);
    return status;
}

int
damaged(const char *name, const char *what)
{
    raise_from_pending(PyExc_ValueError, PyUnicode_FromFormat("LevenbergMarquardt: the saved state's %s %s", name, what));
    return -1;
}

PyObject *
entry_if_any(PyObject *state, const char *name)
{
    PyObject *key = NULL;       /* owned */
    PyObject *entry = NULL;     /* borrowed, returned */

    key = PyUnicode_FromString(name);
    if (key != NULL)
        entry = PyDict_GetItemWithError(state, key);
    Py_XDECREF(key);
    return entry;
}

PyObject *
entry_of(PyObject *state, const char *name)
{
    PyObject *entry = entry_if_any(state, name);

    if (entry == NULL && !PyErr_Occurred())
        damaged(name, "is missing");
    return entry;
}

int
get_integer(PyObject *state, const char *name, Py_ssize_t least, Py_ssize_t most, Py_ssize_t *number)
{
    PyObject *entry = entry_of(state, name);

    if (entry == NULL)
        return -1;
    if (!PyLong_Check(entry))
        return damaged(name, "is not an integer");
    *number = PyLong_AsSsize_t(entry);
    if (PyErr_Occurred() || *number < least || *number > most)
        return damaged(name, "is out of range");
    return 0;
}

PyArrayObject *
get_array(PyObject *state, const char *name, int ndim, int type)
{
    PyObject *entry = Py_XNewRef(entry_of(state, name));    /* owned */
    PyArrayObject *own = NULL;      /* owned */
    PyArrayObject *array = NULL;    /* owned, returned */

    if (entry == NULL)
        return NULL;
    /* A type may have two type numbers: on a 32-bit machine, int32 read from a file has long's. */
    if (PyArray_Check(entry) && PyArray_NDIM((PyArrayObject *)entry) == ndim
            && PyArray_EquivTypenums(PyArray_TYPE((PyArrayObject *)entry), type)) {
        own = shielded((PyArrayObject *)entry, 1);
        if (own != NULL)
            array = (PyArrayObject *)PyArray_FromArray(own, PyArray_DescrFromType(type), NPY_ARRAY_CARRAY_RO
                                                       | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_ENSUREARRAY);
    }
    if (array != NULL && PyArray_NDIM(array) != ndim)       /* another thread changed it meanwhile */
        Py_CLEAR(array);
    if (array == NULL && !PyErr_Occurred())
        damaged(name, "is not an array of the expected type and dimensions");
    Py_DECREF(entry);
    Py_XDECREF(own);
    return array;
}

int
get_vector_or_None(PyObject *state, const char *name, npy_intp n, PyArrayObject **array)
{
    if (entry_if_any(state, name) == Py_None)
        return 0;
    if (PyErr_Occurred())
        return -1;
    *array = get_array(state, name, 1, NPY_DOUBLE);
    if (*array == NULL)
        return -1;
    return PyArray_DIM(*array, 0) == n ? 0 : damaged(name, "does not have the length of x0");
}
