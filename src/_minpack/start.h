/* The initial guess. */
#ifndef START_H
#define START_H

#include "numpy_api.h"

/* x0 flattened in C order, as a new float64 vector that nobody else holds; its dtype must cast safely. NULL with an
 * exception that calls it name. */
PyArrayObject *start_vector(const char *caller, const char *name, PyObject *x0);

#endif
