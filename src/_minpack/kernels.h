/* MINPACK's routines on NumPy arrays. */
#ifndef KERNELS_H
#define KERNELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The functions of the extension that pyminpack.kernels calls, for PyModule_AddFunctions. */
extern PyMethodDef kernels_methods[];

#endif
