/* The entries of a saved state, a dict: written, or read and checked. */
#ifndef STATE_ENTRIES_H
#define STATE_ENTRIES_H

#include "numpy_api.h"

/* state[name] = value, which is stolen, or NULL after an exception. Returns 0, or -1 with an exception. */
int put_entry(PyObject *state, const char *name, PyObject *value);

/* Raise a ValueError that says what is wrong with an entry, with the pending exception, if any, as the cause. Returns -1. */
int damaged(const char *name, const char *what);

/* An entry, borrowed; NULL if it is missing, or with an exception. */
PyObject *entry_if_any(PyObject *state, const char *name);

/* An entry, borrowed; NULL with an exception, a ValueError if it is missing. */
PyObject *entry_of(PyObject *state, const char *name);

/* *number <- an integer between two bounds. Returns 0, or -1 with a ValueError. */
int get_integer(PyObject *state, const char *name, Py_ssize_t least, Py_ssize_t most, Py_ssize_t *number);

/* A private copy of an array of one or two dimensions, contiguous and in native byte order. A new reference, or NULL with
 * an exception. */
PyArrayObject *get_array(PyObject *state, const char *name, int ndim, int type);

/* *array <- n float64, or NULL for None. Returns 0, or -1 with an exception. */
int get_vector_or_None(PyObject *state, const char *name, npy_intp n, PyArrayObject **array);

#endif
