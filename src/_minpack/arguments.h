/* leastsq's x0 and diag as vectors. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "numpy_api.h"

/* x0 flattened in C order, as a new float64 vector of its own; its dtype must cast safely. NULL with an exception. */
PyArrayObject *start_vector(PyObject *x0);

/* The caller's diag as a float64 vector of length n, of its own. A new reference, or NULL with an exception. */
PyArrayObject *scaling_vector(PyObject *diag, npy_intp n);

#endif
