/* Exceptions with a cause. */
#ifndef ERRORS_H
#define ERRORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Fetch and clear the pending exception, normalised: a new reference, or NULL if there is none. */
PyObject *take_raised_exception(void);

/* Raise an exception of a type with this message. message: a str, stolen; cause: borrowed, or NULL for none; a MemoryError
 * is raised itself instead. */
void raise_from(PyObject *type, PyObject *message, PyObject *cause);

/* Raise an exception of a type with this message and the pending one as its cause. message: a str, stolen; NULL leaves the
 * pending exception as it is. */
void raise_from_pending(PyObject *type, PyObject *message);

#endif
