/* Raising one exception because of another. */
#ifndef ERRORS_H
#define ERRORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The pending exception, normalised, or NULL if none is; the caller owns it. */
PyObject *take_raised_exception(void);

/* Raise an exception of a type with this message. message: a str, stolen; cause: borrowed, or NULL for none; if it is a
 * MemoryError, it is raised instead. */
void raise_from(PyObject *type, PyObject *message, PyObject *cause);

/* Raise an exception of a type with this message, and the pending one as its cause. message: a str, stolen; NULL leaves
 * what is pending. */
void raise_from_pending(PyObject *type, PyObject *message);

#endif
