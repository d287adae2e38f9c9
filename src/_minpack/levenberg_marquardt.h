/* The type LevenbergMarquardt: ask, tell, result, and support for pickle and copy. */
#ifndef LEVENBERG_MARQUARDT_H
#define LEVENBERG_MARQUARDT_H

#include "numpy_api.h"

extern PyType_Spec levenberg_marquardt_spec;

#endif
