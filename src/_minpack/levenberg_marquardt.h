/* The type LevenbergMarquardt: a fit that is told from outside what its functions are at the points that it asks for. */
#ifndef LEVENBERG_MARQUARDT_H
#define LEVENBERG_MARQUARDT_H

#include "fit.h"
#include "iteration.h"
#include "masked.h"
#include "nonfinite.h"

typedef struct {
    int col_deriv;          /* a Jacobian is told as (n, m) */
    int jacobian;           /* it is told, not made of differences */
    int tells;              /* so far */
    int torn;               /* fjac, ipvt and qtf hold no factorisation any more */
    Options options;        /* owned */
    Masked masked;
    NonFinite nonfinite;
    Fit fit;                /* until the first tell, x alone is there */
    LmState shown;          /* fit.lm as it was told, before the next step was computed */
    double *trial_x;        /* owned: n */
} Told;

typedef struct {
    Iteration iteration;
    Told told;
} LevenbergMarquardt;

extern PyType_Spec levenberg_marquardt_spec;

/* Give back what it owns. */
void told_clear(Told *told);

/* Put a fit into an object, which takes what it owns, in place of what was there. The caller has entered the iteration
 * (or nobody else knows the object). */
void take_told(LevenbergMarquardt *self, Told *told);

/* Give a Told with options its x, n numbers, and room for a trial point. x is stolen. 0, or -1 with an exception. */
int told_begin(Told *told, PyArrayObject *x);

#endif
