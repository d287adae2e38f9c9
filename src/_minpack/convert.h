/* What a user's function returned, as numbers. */
#ifndef CONVERT_H
#define CONVERT_H

#include "numpy_api.h"

/* How the texts of errors go on behind what was found. */
#define REAL_NUMBERS_EXPECTED "expected real numbers that cast safely to float64"

/* What the user called, and by which names it knows its arguments: for the texts of errors. */
typedef struct {
    const char *caller;     /* such as "leastsq", "curve_fit" */
    const char *func;       /* "func", "f" */
    const char *Dfun;       /* "Dfun", "jac" */
    const char *x0;         /* "x0", "p0" */
} Names;

/* Where an object came from, for the texts of errors: CALLER: ROLE 'NAME OF FUNCTION' GAVE an array of ... */
typedef struct {
    const char *caller;     /* such as "leastsq" */
    const char *role;       /* an argument, such as "func", or "tell" */
    const char *gave;       /* "returned", "was given" or, of the argument itself, "is" */
    PyObject *function;     /* borrowed; NULL: it has no name to tell */
} Source;

/* A new reference to " 'NAME'" for a function with a __name__, or that of its __wrapped__; to "" for one without; NULL
 * with an exception. */
PyObject *quoted_name(const Source *source);

/* How the texts of errors begin: "CALLER: ROLE 'NAME' GAVE"; a new reference, or NULL with an exception. */
PyObject *source_text(const Source *source);

/* The shape of an array as a tuple; a new reference, or NULL with an exception. Memory may be collected meanwhile, and
 * then a user's code may change the array. */
PyObject *shape_tuple(PyArrayObject *array);

/* The place of an entry in an array as Python writes it, such as "[1, 0]"; flat: its index in C order. A new reference,
 * or NULL with an exception. */
PyObject *written_index(PyArrayObject *array, npy_intp flat);

/* result as an array of the base class, of any shape, whose dtype casts safely to float64. Numbers of Python or another
 * package, which NumPy has as objects, are converted one by one; not so an array's entries.
 * type: if not NULL, *type becomes NumPy's number of the dtype before any such conversion.
 * A new reference, or NULL with an exception that says what the function returned.  GIL: held. */
PyArrayObject *as_real_array(const Source *source, PyObject *result, int *type);

/* Put the source of a ragged list or tuple in front of NumPy's pending ValueError that it makes no array; whatever else is
 * pending stays. */
void raise_ragged(const Source *source, PyObject *result);

/* The entries of an array as objects, in a new array, C-contiguous, which no other code knows; NULL with an exception. */
PyArrayObject *object_copy(PyArrayObject *array);

/* Whether an array's dtype casts safely to float64. */
int casts_safely(PyArrayObject *array);

/* The dtype of an array in words; a new reference, or NULL with an exception. */
PyObject *dtype_text(PyArrayObject *array);

/* A real array as float64, aligned and in native byte order; a new reference, or NULL with an exception.
 * references: to the array, how many we own (gil.h).  flags: further requirements on the memory layout. */
PyArrayObject *as_float64(PyArrayObject *array, Py_ssize_t references, int flags);

#endif
