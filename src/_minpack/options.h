/* The options of a fit: one table of names, parsers and defaults, for the keywords of every entry point. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "minpack.h"
#include "numpy_api.h"

enum {
    OPTIONS = 9,
    SOLVER_OPTION = 7       /* its index; NULL: our solver */
};

/* The user's value of each option, in the order of leastsq's arguments; owned, for an option's own code may drop the
 * others; NULL for the default. */
typedef PyObject *GivenOptions[OPTIONS];

typedef struct {
    const MinpackSolver *solver;
    double ftol;
    double xtol;
    double gtol;
    double epsfcn;
    double factor;
    int has_epsfcn;         /* otherwise it is from the type of the first residuals */
    int maxfev;             /* the limit in effect, the default resolved */
    struct {
        PyArrayObject *diag;        /* owned, n float64; NULL: computed by the solver */
        PyArrayObject *typical_x;   /* owned, n float64; NULL: MINPACK's difference steps */
    } vectors;
} Options;

/* A vector option: its name, and the offset of its array in Options. The last entry has no name. */
typedef struct {
    const char *name;
    size_t offset;
} OptionVector;

extern const OptionVector options_vectors[];

/* An argument of an entry point that is not an option; value NULL: not accepted. */
typedef struct {
    const char *name;
    PyObject **value;       /* *value is owned, NULL if not given */
} Argument;

/* Take options from a tuple of positional ones, and options and other arguments from a dict of keywords. arguments: the
 * last entry has no name. Returns 0, or -1 with a TypeError worded like Python's own for the function; call
 * options_release either way. */
int options_take(const char *function, const Argument *arguments, GivenOptions options, PyObject *values, PyObject *keywords);

void options_release(GivenOptions options);

/* Parse the options of a fit of n variables. Returns 0, or -1 with an exception that names the option; call options_clear
 * either way. GIL: held. */
int options_parse(Options *options, const char *caller, const GivenOptions given, int n, int has_jacobian);

void options_clear(Options *options);

/* Copy the options to the solver's state, except the entries of diag, and epsfcn unless has_epsfcn. */
void options_apply(const Options *options, MinpackState *lm);

/* Refuse what only our solver supports, such as "callback". Returns 0, or -1 with a NotImplementedError. */
int options_check_solver(const Options *options, const char *caller, const char *what);

/* The message for ier 0, followed by a sentence for each improper option. A new reference, or NULL with an exception. */
PyObject *options_improper(const Options *options, int n);

/* Refuse what MINPACK finds improper. Returns 0, or -1 with a TypeError with that text. */
int options_refuse_improper(const Options *options, int n);

/* *number <- a real number. Returns 0, or -1 with an exception that names the caller and the argument. */
int parse_number(const char *caller, const char *name, PyObject *value, double *number);

/* The solver of that name, or for None the one that PYMINPACK_SOLVER names (ours if not set). Returns 0, or -1 with an
 * exception that begins with the caller's name. */
int parse_solver(PyObject *value, const char *caller, const MinpackSolver **solver);

#endif
