/* NumPy's C API, imported by module.c and shared by the other files. */
#ifndef NUMPY_API_H
#define NUMPY_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL pyminpack_ARRAY_API
#ifndef NUMPY_API_IMPORTED_HERE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#endif
