/* Arguments of MINPACK's routines from Python: converted, copied, checked. Errors name the routine and the argument. */
#ifndef KERNEL_ARGUMENTS_H
#define KERNEL_ARGUMENTS_H

#include "numpy_api.h"

/* A column-major float64 copy of an argument with ndim dimensions, none of them empty or beyond MINPACK's ints. A
 * new reference, or NULL with an exception. */
PyArrayObject *copy_real(const char *routine, const char *name, PyObject *value, int ndim);

/* The same of a vector of length n. why: where n comes from, for the error. */
PyArrayObject *copy_vector(const char *routine, const char *name, PyObject *value, npy_intp n, const char *why);

/* The same of a matrix of shape (m, n). m = 0: of any square one. */
PyArrayObject *copy_matrix(const char *routine, const char *name, PyObject *value, npy_intp m, npy_intp n,
                           const char *why);

/* ipvt as a new int array of length n, a permutation of 1..n. A new reference, or NULL with an exception. */
PyArrayObject *copy_permutation(const char *routine, PyObject *value, npy_intp n);

/* The index of the first entry that is not in 1..n, or there before; n for a permutation. seen: work, n. */
npy_intp misplaced_pivot(const int *ipvt, npy_intp n, char *seen);

#endif
