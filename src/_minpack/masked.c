/* Which entries of a masked array are masked. */
#include "masked.h"

#include "gil.h"

/* numpy.ma, or NULL: with an exception if it could not be looked for, without one if nobody has imported it. */
static PyObject *
loaded_numpy_ma(void)
{
    PyObject *module = NULL;    /* owned, returned */
    PyObject *name = NULL;      /* owned */

    name = PyUnicode_FromString("numpy.ma");
    if (name != NULL)
        module = PyImport_GetModule(name);
    Py_XDECREF(name);
    return module;
}

/* The number of masked entries of what a user's function returned, and in *first the index of the first in C order;
 * 0 if it is no masked array; -1 with an exception. */
static npy_intp
count_masked(PyObject *result, npy_intp *first)
{
    PyObject *ma = NULL;            /* owned */
    PyObject *type = NULL;          /* owned */
    PyObject *mask = NULL;          /* owned */
    PyArrayObject *flags = NULL;    /* owned */
    const npy_bool *flag;
    npy_intp i, count = -1;

    if (!PyArray_Check(result) || PyArray_CheckExact(result))
        return 0;
    ma = loaded_numpy_ma();
    if (ma == NULL)
        return PyErr_Occurred() ? -1 : 0;
    type = PyObject_GetAttrString(ma, "MaskedArray");
    if (type == NULL)
        goto done;
    if (!PyType_Check(type) || !PyObject_TypeCheck(result, (PyTypeObject *)type)) {
        count = 0;
        goto done;
    }
    mask = PyObject_CallMethod(ma, "getmaskarray", "O", result);
    if (mask == NULL)
        goto done;
    if (PyArray_Check(mask))
        Py_SETREF(mask, (PyObject *)shielded((PyArrayObject *)mask, 1));
    if (mask == NULL)
        goto done;
    flags = (PyArrayObject *)PyArray_FROM_OTF(mask, NPY_BOOL, NPY_ARRAY_CARRAY_RO);
    if (flags == NULL)
        goto done;
    flag = PyArray_DATA(flags);
    count = 0;
    for (i = 0; i < PyArray_SIZE(flags); i++)
        if (flag[i] && count++ == 0)
            *first = i;
done:
    Py_XDECREF(ma);
    Py_XDECREF(type);
    Py_XDECREF(mask);
    Py_XDECREF(flags);
    return count;
}

int
note_masked(Masked *masked, const char *role, int call, PyObject *result)
{
    npy_intp count, first = 0;

    if (masked->call != 0)
        return 0;
    count = count_masked(result, &first);
    if (count > 0) {
        masked->role = role;
        masked->count = count;
        masked->size = PyArray_SIZE((PyArrayObject *)result);
        masked->index = first;
        masked->call = call;
    }
    return count < 0 ? -1 : 0;
}

PyObject *
masked_report(const Masked *masked)
{
    if (masked->call == 0)
        Py_RETURN_NONE;
    return Py_BuildValue("(ssnnni)", "masked", masked->role, (Py_ssize_t)masked->count, (Py_ssize_t)masked->size,
                         (Py_ssize_t)masked->index, masked->call);
}
