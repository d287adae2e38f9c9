/* A fit in ask-and-tell form: it asks for points and is told the function values there. */
#ifndef ASK_AND_TELL_H
#define ASK_AND_TELL_H

#include "fit.h"

typedef struct {
    Fit fit;                /* before the first tell, only x and options are set; func_calls counts requests answered */
    int col_deriv;          /* Jacobians are told as (n, m) */
    int torn;               /* fjac, ipvt and qtf no longer hold a factorisation */
    int answers_told;       /* points of the current differences told one by one so far */
    char *answered;         /* n: which of them; borrowed, part of trial_x's memory */
    double *answers;        /* owned or NULL: n * m, the residuals there, row-major, until the last point is told */
    Masked answers_masked;  /* masked entries in answers; count and index as in an array of all */
    MinpackState shown;     /* fit.lm after the last tell, before the next step was computed */
    double *trial_x;        /* owned: n, followed by answered */
} Told;

/* Free what it owns. */
void told_clear(Told *told);

/* Set x, n numbers, and allocate the trial point. Steals x. Returns 0, or -1 with an exception; call told_clear either
 * way, also after told_from_arguments. */
int told_begin(Told *told, PyArrayObject *x);

/* __init__ from its arguments, with fit.has_jacobian and col_deriv already set. Returns 0, or -1 with an exception. */
int told_from_arguments(Told *told, PyObject *x0, const GivenOptions options);

/* The points wanted: a new array of shape (k, n), or NULL with an exception. */
PyObject *told_ask(const Told *told);

/* Take the values at all points wanted. Returns 1 (call told_go_on next), or -1 with an exception and the fit unchanged. */
int told_take(Told *told, PyObject *values);

/* Take the values at one point, a row of told_ask. Returns as told_take, or 0 while other points are still wanted. */
int told_take_point(Told *told, PyObject *values, Py_ssize_t point);

/* Allocate answers, unless done already. Returns 0, or -1 with an exception. */
int told_make_answers(Told *told);

/* Advance to the next request. Releases the GIL meanwhile if that takes long. */
void told_go_on(Told *told);

/* make_outcome (outcome.h) with full_output, of copies; a new reference, or NULL with an exception. */
PyObject *told_outcome(const Told *told);

#endif
