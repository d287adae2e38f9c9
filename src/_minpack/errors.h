/* Raising one exception because of another. */
#ifndef ERRORS_H
#define ERRORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Raise an exception of a type with this message, and the pending one as its cause. message: a str, stolen; NULL leaves
 * what is pending. */
void raise_from_pending(PyObject *type, PyObject *message);

#endif
