/* leastsq's options: parsed, checked, and named in errors once, for every entry; what ier says of them. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "minpack.h"
#include "numpy_api.h"

/* As the user gave them; every reference is borrowed. */
typedef struct {
    const char *caller;     /* for the texts of errors, such as "leastsq" */
    PyObject *ftol;
    PyObject *xtol;
    PyObject *gtol;
    PyObject *maxfev;
    PyObject *epsfcn;       /* None: from the type of the first residuals */
    PyObject *factor;
    PyObject *diag;         /* None: found by the solver */
    PyObject *solver;       /* None: by the environment */
    PyObject *typical_x;    /* None: MINPACK's difference steps */
} RawOptions;

typedef struct {
    const Solver *solver;
    double ftol;
    double xtol;
    double gtol;
    double epsfcn;
    double factor;
    int has_epsfcn;         /* else from the type of the first residuals */
    int maxfev;             /* the limit that applies, the default resolved */
    PyArrayObject *diag;    /* owned, n float64; NULL: found by the solver */
    PyArrayObject *typical_x;   /* owned, n float64; NULL: MINPACK's difference steps */
} Options;

/* x0 flattened in C order, as a new float64 vector of its own; its dtype must cast safely. NULL with an exception. */
PyArrayObject *start_vector(const char *caller, PyObject *x0);

/* Parse the options of a fit of n variables. 0, or -1 with an exception that names the option. options_clear is due in
 * both cases.  GIL: held. */
int options_parse(Options *options, const RawOptions *raw, int n, int has_Dfun);

void options_clear(Options *options);

/* Refuse what only our solver can, such as "callback". 0, or -1 with a NotImplementedError. */
int options_check_solver(const Options *options, const char *caller, const char *what);

/* *number <- a real number. 0, or -1 with an exception that names the caller and the argument. */
int parse_number(const char *caller, const char *name, PyObject *value, double *number);

/* The solver by its name, or by PYMINPACK_SOLVER for None (ours where that is not set). 0, or -1 with an exception that
 * begins with the caller's name. */
int parse_solver(PyObject *value, const char *caller, const Solver **solver);

/* info where a fit ends before MINPACK's own end. */
enum { STOPPED = -2 };

/* MINPACK's info in words: leastsq's mesg; or STOPPED in words, by a callback or by whoever has not told all. A new
 * reference, or NULL with an exception. */
PyObject *options_mesg(const Options *options, int info);

/* mesg 0, and after it a sentence for every option that is improper. A new reference, or NULL with an exception. */
PyObject *options_improper(const Options *options, int n);

/* Refuse what MINPACK finds improper. 0, or -1 with a TypeError that has this text. */
int options_refuse_improper(const Options *options, int n);

#endif
