/* Which entries of a masked array are masked. */
#ifndef MASKED_H
#define MASKED_H

#include "numpy_api.h"

/* How many entries of what a user's function returned are masked: 0 for all but an instance of numpy.ma.MaskedArray.
 * *first becomes the index of the first, in C order. -1 with an exception.  GIL: held. */
npy_intp count_masked(PyObject *result, npy_intp *first);

#endif
