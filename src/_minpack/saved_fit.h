/* The state of a LevenbergMarquardt as plain numbers and arrays, to be saved and read again. */
#ifndef SAVED_FIT_H
#define SAVED_FIT_H

#include "told.h"

/* A new dict, or NULL with an exception. */
PyObject *state_of(const Told *told);

/* An entry of such a dict, borrowed; NULL if it is not there, or with an exception. */
PyObject *entry_if_any(PyObject *state, const char *name);

/* *told <- what such a dict has, wherever it was made. 0, or -1 with an exception: a ValueError that names what is missing
 * or damaged. told_clear is due in both cases. */
int told_from_state(Told *told, PyObject *state);

#endif
