/* The attributes of an iteration, for leastsq's callback and for LevenbergMarquardt. */
#include "iteration.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "outcome.h"

enum { ALWAYS = 0 };        /* in addition to minpack.h's MINPACK_KNOWN_... */

enum { CHANGED = -1 };      /* Iteration.users */

typedef enum { NUMBER, VECTOR_N, VECTOR_M, OTHER } Kind;

/* An attribute: a number or array of MinpackState, or what get returns. */
typedef struct {
    int known;
    Kind kind;
    size_t offset;
    PyObject *(*get)(const Iteration *iteration);
} Attribute;

/* Raise a RuntimeError that names the iteration's type. */
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
               "already in use, by another thread or by the call still in progress");
        return -1;
    }
    if (iteration->lm != NULL || use == BEGIN)
        return 0;
    iteration_leave(iteration);
    refuse(iteration, "not initialised: __init__ was not called, or raised");
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

int
points_wanted(const MinpackState *lm, int has_jacobian)
{
    if (lm->request == MINPACK_DONE)
        return 0;
    return lm->request == MINPACK_WANT_FJAC && !has_jacobian ? lm->n : 1;
}

const char *
iteration_request(const Iteration *iteration)
{
    switch (iteration->lm->request) {
    case MINPACK_DONE:
        return NULL;
    case MINPACK_WANT_FJAC:
        return iteration->fit->has_jacobian ? "jacobian" : "differences";
    default:
        return "residuals";
    }
}

/* Copy numbers to a new array; NULL with an exception. */
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
    if (iteration->fit->options.vectors.diag != NULL)
        return vector(PyArray_DATA(iteration->fit->options.vectors.diag), iteration->lm->n);
    if (iteration->lm->known < MINPACK_KNOWN_FJAC)
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
    const Options options = iteration->fit->options;     /* a copy: the garbage collector may end the fit */

    if (iteration->lm->request != MINPACK_DONE)
        Py_RETURN_NONE;
    return mesg_of(&options, iteration->lm->info);
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

static PyObject *
get_wanted(const Iteration *iteration)
{
    const int k = points_wanted(iteration->lm, iteration->fit->has_jacobian);
    const char *answered = iteration->answered;
    PyObject *rows = NULL;      /* owned, returned */
    PyObject *row = NULL;       /* owned */
    int j;

    rows = PyList_New(0);
    for (j = 0; j < k && rows != NULL; j++) {
        if (answered != NULL && answered[j])
            continue;
        row = PyLong_FromLong(j);
        if (row == NULL || PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    return rows;
}

static const Attribute
    x = {ALWAYS, VECTOR_N, offsetof(MinpackState, x), NULL},
    fvec = {MINPACK_KNOWN_FVEC, VECTOR_M, offsetof(MinpackState, fvec), NULL},
    fnorm = {MINPACK_KNOWN_FVEC, NUMBER, offsetof(MinpackState, fnorm), NULL},
    gnorm = {MINPACK_KNOWN_FJAC, NUMBER, offsetof(MinpackState, gnorm), NULL},
    xnorm = {MINPACK_KNOWN_FJAC, NUMBER, offsetof(MinpackState, xnorm), NULL},
    delta = {MINPACK_KNOWN_FJAC, NUMBER, offsetof(MinpackState, delta), NULL},
    diag = {ALWAYS, OTHER, 0, get_diag},
    pnorm = {MINPACK_KNOWN_TRIAL, NUMBER, offsetof(MinpackState, pnorm), NULL},
    par = {MINPACK_KNOWN_TRIAL, NUMBER, offsetof(MinpackState, par), NULL},
    ratio = {MINPACK_KNOWN_TRIAL, NUMBER, offsetof(MinpackState, ratio), NULL},
    trial_x = {MINPACK_KNOWN_TRIAL, OTHER, 0, get_trial_x},
    trial_fnorm = {MINPACK_KNOWN_TRIAL, NUMBER, offsetof(MinpackState, fnorm1), NULL},
    accepted = {MINPACK_KNOWN_TRIAL, OTHER, 0, get_accepted},
    nit = {ALWAYS, OTHER, 0, get_nit},
    nfev = {ALWAYS, OTHER, 0, get_nfev},
    njev = {ALWAYS, OTHER, 0, get_njev},
    ier = {ALWAYS, OTHER, 0, get_ier},
    mesg = {ALWAYS, OTHER, 0, get_mesg},
    done = {ALWAYS, OTHER, 0, get_done},
    request = {ALWAYS, OTHER, 0, get_request},
    wanted = {ALWAYS, OTHER, 0, get_wanted};

/* The value of an attribute; a new reference, or NULL with an exception. */
static PyObject *
value_of(const Iteration *iteration, const Attribute *attribute)
{
    const MinpackState *lm = iteration->lm;
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
    {"xnorm", get, NULL, "Norm of D x, where D is the scaling diag.", (void *)&xnorm},
    {"pnorm", get, NULL, "Norm of D p, where p is the last trial step.", (void *)&pnorm},
    {"delta", get, NULL, "Bound on the norm of D p for the next step p.", (void *)&delta},
    {"par", get, NULL, "Levenberg-Marquardt parameter after the last trial.", (void *)&par},
    {"ratio", get, NULL, "Actual over predicted reduction of the sum of squares in the last trial.", (void *)&ratio},
    {"diag", get, NULL, "The scaling D; shape (n,).", (void *)&diag},
    {"nit", get, NULL, "Number of accepted steps.", (void *)&nit},
    {"nfev", get, NULL, "Number of points at which the residuals have been evaluated.", (void *)&nfev},
    {"njev", get, NULL, "Number of Jacobians from Dfun or tell; 0 with forward differences.", (void *)&njev},
    {"ier", get, NULL, "Why the fit ended, as in leastsq; None before the end.", (void *)&ier},
    {"mesg", get, NULL, "The message for ier; None before the end.", (void *)&mesg},
    {"trial_x", get, NULL, "The last trial point; shape (n,).", (void *)&trial_x},
    {"trial_fnorm", get, NULL, "Norm of the residuals at trial_x.", (void *)&trial_fnorm},
    {"accepted", get, NULL, "Whether trial_x became x.", (void *)&accepted},
    {"request", get, NULL, "What is wanted next: 'residuals', 'differences', 'jacobian', or None at the end.",
     (void *)&request},
    {"wanted", get, NULL, "Rows of ask() that have not been told yet; [] at the end.", (void *)&wanted},
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
