/* Exceptions with a cause. */
#include "errors.h"

PyObject *
take_raised_exception(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

void
raise_from(PyObject *type, PyObject *message, PyObject *cause)
{
    PyObject *error = NULL;     /* owned */

    if (cause != NULL && PyErr_GivenExceptionMatches(cause, PyExc_MemoryError)) {
        /* Memory ran out while the pending exception was normalised. */
        PyErr_SetObject(PyExc_MemoryError, cause);
        goto done;
    }
    error = PyObject_CallOneArg(type, message);
    if (error != NULL) {
        if (cause != NULL)
            PyException_SetCause(error, Py_NewRef(cause));
        PyErr_SetObject(type, error);
    }
done:
    Py_XDECREF(error);
    Py_DECREF(message);
}

void
raise_from_pending(PyObject *type, PyObject *message)
{
    PyObject *cause = NULL;     /* owned */

    if (message == NULL)
        return;
    cause = take_raised_exception();
    raise_from(type, message, cause);
    Py_XDECREF(cause);
}
