/* The state of a LevenbergMarquardt as plain numbers and arrays, to be saved and restored. */
#ifndef SAVED_FIT_H
#define SAVED_FIT_H

#include "ask_and_tell.h"

/* The state: a new dict, or NULL with an exception. */
PyObject *state_of(const Told *told);

/* Restore *told from such a dict, wherever it was made. Returns 0, or -1 with an exception: a ValueError names what is
 * missing or damaged. Call told_clear either way. */
int told_from_state(Told *told, PyObject *state);

#endif
