/* What an iteration knows, by name: for the callback of leastsq and for LevenbergMarquardt. */
#include "iteration.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* What has been told when an attribute is known: LmState.known. */
enum { ALWAYS = 0, FVEC = 1, JACOBIAN = 2, TRIAL = 3 };

enum { CHANGED = -1 };      /* Iteration.users */

typedef enum { NUMBER, VECTOR_N, VECTOR_M, OTHER } Kind;

/* An attribute that is a number or an array of LmState, or what get makes of it. */
typedef struct {
    int known;
    Kind kind;
    size_t offset;
    PyObject *(*get)(const Iteration *iteration);
} Attribute;

/* A RuntimeError that names the type of an iteration. */
static void
refuse(Iteration *iteration, const char *why)
{
    const char *name = strrchr(Py_TYPE(iteration)->tp_name, '.');

    PyErr_Format(PyExc_RuntimeError, "%s: %s", name == NULL ? Py_TYPE(iteration)->tp_name : name + 1, why);
}

int
iteration_enter(Iteration *iteration, IterationUse use)
{
    int users = 0, entered;

    do
        entered = atomic_compare_exchange_strong(&iteration->users, &users, use == READ ? users + 1 : CHANGED);
    while (!entered && use == READ && users != CHANGED);
    if (!entered) {
        refuse(iteration,
               "somebody is at work on it: another thread, or the call in whose course this one is made");
        return -1;
    }
    if (iteration->lm != NULL || use == BEGIN)
        return 0;
    iteration_leave(iteration);
    refuse(iteration, "there is nothing in it, since __init__ has not been called, or failed");
    return -1;
}

void
iteration_leave(Iteration *iteration)
{
    if (atomic_load(&iteration->users) == CHANGED)
        atomic_store(&iteration->users, 0);
    else
        atomic_fetch_sub(&iteration->users, 1);
}

const char *
iteration_request(const Iteration *iteration)
{
    switch (iteration->lm->request) {
    case MINPACK_DONE:
        return NULL;
    case MINPACK_WANT_FJAC:
        return iteration->jacobian ? "jacobian" : "differences";
    default:
        return "residuals";
    }
}

/* A copy of some numbers; a new array, or NULL with an exception. */
static PyObject *
vector(const double *from, npy_intp size)
{
    PyObject *array = NULL;     /* owned, returned */

    array = PyArray_SimpleNew(1, &size, NPY_DOUBLE);
    if (array != NULL)
        memcpy(PyArray_DATA((PyArrayObject *)array), from, (size_t)size * sizeof(double));
    return array;
}

static PyObject *
get_trial_x(const Iteration *iteration)
{
    return vector(iteration->trial_x, iteration->lm->n);
}

/* The user's scaling is known from the start, the solver's from the first Jacobian on. */
static PyObject *
get_diag(const Iteration *iteration)
{
    if (iteration->options->diag != NULL)
        return vector(PyArray_DATA(iteration->options->diag), iteration->lm->n);
    if (iteration->lm->known < JACOBIAN)
        Py_RETURN_NONE;
    return vector(iteration->lm->diag, iteration->lm->n);
}

static PyObject *
get_nit(const Iteration *iteration)
{
    return PyLong_FromLong(iteration->lm->iter - 1);
}

static PyObject *
get_nfev(const Iteration *iteration)
{
    return PyLong_FromLong(iteration->lm->nfev);
}

static PyObject *
get_njev(const Iteration *iteration)
{
    return PyLong_FromLong(iteration->lm->njev);
}

static PyObject *
get_accepted(const Iteration *iteration)
{
    return PyBool_FromLong(iteration->lm->accepted);
}

static PyObject *
get_ier(const Iteration *iteration)
{
    if (iteration->lm->request != MINPACK_DONE)
        Py_RETURN_NONE;
    return PyLong_FromLong(iteration->lm->info);
}

static PyObject *
get_mesg(const Iteration *iteration)
{
    const Options options = *iteration->options;     /* which may end with a fit, while memory is collected */

    if (iteration->lm->request != MINPACK_DONE)
        Py_RETURN_NONE;
    return options_mesg(&options, iteration->lm->info);
}

static PyObject *
get_done(const Iteration *iteration)
{
    return PyBool_FromLong(iteration->lm->request == MINPACK_DONE);
}

static PyObject *
get_request(const Iteration *iteration)
{
    const char *request = iteration_request(iteration);

    if (request == NULL)
        Py_RETURN_NONE;
    return PyUnicode_FromString(request);
}

static const Attribute
    x = {ALWAYS, VECTOR_N, offsetof(LmState, x), NULL},
    fvec = {FVEC, VECTOR_M, offsetof(LmState, fvec), NULL},
    fnorm = {FVEC, NUMBER, offsetof(LmState, fnorm), NULL},
    gnorm = {JACOBIAN, NUMBER, offsetof(LmState, gnorm), NULL},
    xnorm = {JACOBIAN, NUMBER, offsetof(LmState, xnorm), NULL},
    delta = {JACOBIAN, NUMBER, offsetof(LmState, delta), NULL},
    diag = {ALWAYS, OTHER, 0, get_diag},
    pnorm = {TRIAL, NUMBER, offsetof(LmState, pnorm), NULL},
    par = {TRIAL, NUMBER, offsetof(LmState, par), NULL},
    ratio = {TRIAL, NUMBER, offsetof(LmState, ratio), NULL},
    trial_x = {TRIAL, OTHER, 0, get_trial_x},
    trial_fnorm = {TRIAL, NUMBER, offsetof(LmState, fnorm1), NULL},
    accepted = {TRIAL, OTHER, 0, get_accepted},
    nit = {ALWAYS, OTHER, 0, get_nit},
    nfev = {ALWAYS, OTHER, 0, get_nfev},
    njev = {ALWAYS, OTHER, 0, get_njev},
    ier = {ALWAYS, OTHER, 0, get_ier},
    mesg = {ALWAYS, OTHER, 0, get_mesg},
    done = {ALWAYS, OTHER, 0, get_done},
    request = {ALWAYS, OTHER, 0, get_request};

/* The value of an attribute; a new reference, or NULL with an exception. */
static PyObject *
value_of(const Iteration *iteration, const Attribute *attribute)
{
    const LmState *lm = iteration->lm;
    const char *field = (const char *)lm + attribute->offset;

    if (lm->known < attribute->known)
        Py_RETURN_NONE;
    switch (attribute->kind) {
    case NUMBER:
        return PyFloat_FromDouble(*(const double *)field);
    case VECTOR_N:
        return vector(*(const double *const *)field, lm->n);
    case VECTOR_M:
        return vector(*(const double *const *)field, lm->m);
    default:
        return attribute->get(iteration);
    }
}

static PyObject *
get(PyObject *self, void *attribute)
{
    PyObject *value = NULL;     /* owned, returned */

    if (iteration_enter((Iteration *)self, READ) < 0)
        return NULL;
    value = value_of((Iteration *)self, attribute);
    iteration_leave((Iteration *)self);
    return value;
}

PyGetSetDef iteration_getset[] = {
    {"x", get, NULL, "The best point so far; shape (n,).", (void *)&x},
    {"fvec", get, NULL, "Residuals at x; shape (m,).", (void *)&fvec},
    {"fnorm", get, NULL, "Euclidean norm of fvec.", (void *)&fnorm},
    {"gnorm", get, NULL, "Largest cosine between the residuals and a column of the last Jacobian.", (void *)&gnorm},
    {"xnorm", get, NULL, "Norm of D x, D the scaling diag.", (void *)&xnorm},
    {"pnorm", get, NULL, "Norm of D p, p the last trial step.", (void *)&pnorm},
    {"delta", get, NULL, "Bound on the norm of D p for the next step p.", (void *)&delta},
    {"par", get, NULL, "Levenberg-Marquardt parameter after the last trial.", (void *)&par},
    {"ratio", get, NULL, "Actual over predicted reduction of the sum of squares by the last trial.", (void *)&ratio},
    {"diag", get, NULL, "The scaling D; shape (n,).", (void *)&diag},
    {"nit", get, NULL, "Number of accepted steps.", (void *)&nit},
    {"nfev", get, NULL, "Number of points at which residuals have been computed.", (void *)&nfev},
    {"njev", get, NULL, "Number of Jacobians that Dfun or tell gave; 0 with differences.", (void *)&njev},
    {"ier", get, NULL, "Why the fit ended, as of leastsq; None before.", (void *)&ier},
    {"mesg", get, NULL, "Why, in words.", (void *)&mesg},
    {"trial_x", get, NULL, "The last trial point; shape (n,).", (void *)&trial_x},
    {"trial_fnorm", get, NULL, "Norm of the residuals there.", (void *)&trial_fnorm},
    {"accepted", get, NULL, "Whether it became x.", (void *)&accepted},
    {"request", get, NULL, "What is wanted next: 'residuals', 'differences', 'jacobian', or None at the end.",
     (void *)&request},
    {"done", get, NULL, "Whether the fit has ended.", (void *)&done},
    {NULL, NULL, NULL, NULL, NULL},
};

PyObject *
iteration_repr(PyObject *self)
{
    Iteration *iteration = (Iteration *)self;
    PyObject *norm = NULL;      /* owned */
    PyObject *text = NULL;      /* owned, returned */
    const char *wanted;

    if (iteration_enter(iteration, READ) < 0) {
        PyErr_Clear();
        return PyUnicode_FromFormat("<%s>", Py_TYPE(self)->tp_name);
    }
    norm = value_of(iteration, &fnorm);
    wanted = iteration_request(iteration);
    if (norm != NULL && wanted != NULL)
        text = PyUnicode_FromFormat("<%s: nit %d, nfev %d, fnorm %S, request '%s'>", Py_TYPE(self)->tp_name,
                                    iteration->lm->iter - 1, iteration->lm->nfev, norm, wanted);
    else if (norm != NULL)
        text = PyUnicode_FromFormat("<%s: nit %d, nfev %d, fnorm %S, ier %d>", Py_TYPE(self)->tp_name,
                                    iteration->lm->iter - 1, iteration->lm->nfev, norm, iteration->lm->info);
    Py_XDECREF(norm);
    iteration_leave(iteration);
    return text;
}
