/* A fit that is told from outside what its functions are at the points that it asks for. */
#ifndef TOLD_H
#define TOLD_H

#include "fit.h"
#include "masked.h"
#include "nonfinite.h"
#include "options.h"
#include "outcome.h"

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

/* Give back what it owns. */
void told_clear(Told *told);

/* Give a Told its x, n numbers, and room for a trial point. x is stolen. 0, or -1 with an exception; told_clear is due in
 * both cases, as in the next. */
int told_begin(Told *told, PyArrayObject *x);

/* What __init__ makes of its arguments, where jacobian and col_deriv are set. 0, or -1 with an exception. */
int told_from_arguments(Told *told, PyObject *x0, const RawOptions *raw);

/* Where something is wanted; a new array of shape (k, n), or NULL with an exception. */
PyObject *told_ask(const Told *told);

/* Take what is told, whatever is wanted; told_go_on is due. 0, or -1 with an exception and the fit as it was. */
int told_take(Told *told, PyObject *values);

/* Go on with what has been told, as far as the next request. Other threads run meanwhile, where it takes long. */
void told_go_on(Told *told);

/* make_outcome (outcome.h) in full, of copies; a new reference, or NULL with an exception. */
PyObject *told_outcome(const Told *told);

#endif
