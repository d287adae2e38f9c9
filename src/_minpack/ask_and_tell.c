/* A fit in ask-and-tell form. */
#include "ask_and_tell.h"

#include <string.h>

#include "answers.h"
#include "gil.h"
#include "iteration.h"
#include "outcome.h"
#include "start.h"

static const char CALLER[] = "LevenbergMarquardt";

void
told_clear(Told *told)
{
    fit_clear(&told->fit);
    PyMem_Free(told->answers);
    PyMem_Free(told->trial_x);
    told->answers = told->trial_x = NULL;
}

int
told_begin(Told *told, PyArrayObject *x)
{
    const size_t n = (size_t)PyArray_DIM(x, 0);

    fit_begin(&told->fit, x);
    told->fit.names = (Names){.caller = CALLER, .func = "tell"};
    told->fit.calls_at_x0 = 2;
    told->shown = told->fit.lm;
    told->trial_x = PyMem_Calloc(n + 1, sizeof(double) + 1);
    if (told->trial_x == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    told->answered = (char *)(told->trial_x + n);
    return 0;
}

int
told_from_arguments(Told *told, PyObject *x0, const GivenOptions options)
{
    PyArrayObject *x = NULL;    /* owned until *told takes it */
    int n;

    x = start_vector(CALLER, "x0", x0);
    if (x == NULL)
        return -1;
    n = (int)PyArray_DIM(x, 0);
    if (told_begin(told, x) < 0 || options_parse(&told->fit.options, CALLER, options, n, told->fit.has_jacobian) < 0
            || options_refuse_improper(&told->fit.options, n) < 0)
        return -1;
    return 0;
}

/* Raise RuntimeError: the fit has ended. */
static void
raise_done(const Told *told, const char *method)
{
    PyErr_Format(PyExc_RuntimeError, "%s: %s() after the fit has ended, with ier %d; result() returns what it found", CALLER,
                 method, told->fit.lm.info);
}

/* Whether the points of a forward-difference Jacobian are wanted. */
static int
wants_differences(const Told *told)
{
    return told->fit.lm.request == MINPACK_WANT_FJAC && !told->fit.has_jacobian;
}

PyObject *
told_ask(const Told *told)
{
    const MinpackState *lm = &told->fit.lm;
    npy_intp shape[2] = {wants_differences(told) ? lm->n : 1, lm->n};
    PyObject *points = NULL;    /* owned, returned */

    if (lm->request == MINPACK_DONE) {
        raise_done(told, "ask");
        return NULL;
    }
    points = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    if (points == NULL)
        return NULL;
    if (wants_differences(told))
        minpack_difference_points(lm, PyArray_DATA((PyArrayObject *)points));
    else
        memcpy(PyArray_DATA((PyArrayObject *)points), lm->request == MINPACK_WANT_TRIAL ? lm->wa2 : lm->x,
               (size_t)lm->n * sizeof(double));
    return points;
}

void
told_go_on(Told *told)
{
    MinpackState *lm = &told->fit.lm;

    fit_let_go(&told->fit, lm->request == MINPACK_WANT_FJAC);
    if (wants_differences(told))
        minpack_difference_quotients(lm);
    minpack_advance(lm);
    told->shown = *lm;
    if (lm->request == MINPACK_GO_ON)
        minpack_advance(lm);
    told->shown.request = lm->request;
    told->fit.func_calls++;
    fit_resume(&told->fit);
}

/* What a tell of k points must be. masked, nonfinite: where to record masked entries and NaN until it is accepted. */
static Expected
expected_of(const Told *told, int k, Masked *masked, NonFinite *nonfinite)
{
    const MinpackState *lm = &told->fit.lm;

    return (Expected){
        .source = {CALLER, "tell", "was given", NULL}, .masked = masked, .nonfinite = nonfinite,
        .call = told->fit.func_calls + 1, .shapes = EITHER, .k = k, .m = lm->m, .n = lm->n, .col_deriv = told->col_deriv,
    };
}

/* The first residuals: they set m, and the fit gets its arrays. Returns 0, or -1 with an exception and the fit unchanged. */
static int
tell_first(Told *told, const Expected *expected, PyObject *values)
{
    const size_t size = (size_t)expected->n * sizeof(double);
    PyArrayObject *fvec = NULL; /* owned until the fit takes it */
    MinpackState *lm = &told->fit.lm;
    int type;

    fvec = first_residuals(expected, values, &type);
    if (fvec == NULL || fit_bind(&told->fit, fvec, type_epsilon(type)) < 0)
        return -1;
    minpack_start(lm);
    lm->nfev = 1;
    /* A saved state must not contain uninitialised memory. */
    if (told->fit.options.vectors.diag == NULL)
        memset(lm->diag, 0, size);
    memset(lm->wa1, 0, size);
    memset(lm->wa2, 0, size);
    memset(lm->fjac, 0, (size_t)lm->m * size);
    return 0;
}

/* Residuals at a trial point. Returns 0, or -1 with an exception and the fit unchanged. */
static int
tell_trial(Told *told, const Expected *expected, PyObject *values)
{
    MinpackState *lm = &told->fit.lm;

    if (take_residuals(expected, values, lm->wa4, lm->m) < 0)
        return -1;
    memcpy(told->trial_x, lm->wa2, (size_t)lm->n * sizeof(double));
    lm->nfev++;
    return 0;
}

/* The Jacobian. Returns 0, or -1 with an exception and the fit unchanged, except that it may be torn. */
static int
tell_jacobian(Told *told, const Expected *expected, PyObject *values)
{
    MinpackState *lm = &told->fit.lm;
    int copied;

    if (take_jacobian(expected, values, lm->fjac, lm->ldfjac, &copied) < 0) {
        told->torn |= copied;
        return -1;
    }
    told->torn = 0;
    lm->njev++;
    return 0;
}

/* Called once fjac holds the residuals at all points of the differences. */
static void
count_differences(Told *told)
{
    MinpackState *lm = &told->fit.lm;

    lm->nfev += lm->n;
    told->torn = 0;
    if (told->answers == NULL)
        return;
    PyMem_Free(told->answers);
    told->answers = NULL;
    told->answers_told = 0;
    told->answers_masked = (Masked){0};
    memset(told->answered, 0, (size_t)lm->n);
}

int
told_take(Told *told, PyObject *values)
{
    MinpackState *lm = &told->fit.lm;
    Masked masked = told->fit.masked;
    NonFinite nonfinite = told->fit.nonfinite;
    const Expected expected = expected_of(told, wants_differences(told) ? lm->n : 1, &masked, &nonfinite);
    int status;

    switch (lm->request) {
    case MINPACK_DONE:
        raise_done(told, "tell");
        return -1;
    case MINPACK_WANT_FVEC:
        status = tell_first(told, &expected, values);
        break;
    case MINPACK_WANT_TRIAL:
        status = tell_trial(told, &expected, values);
        break;
    default:
        if (told->fit.has_jacobian)
            status = tell_jacobian(told, &expected, values);
        else {
            status = take_residuals(&expected, values, lm->fjac, lm->ldfjac);
            if (status == 0)
                count_differences(told);
        }
    }
    if (status < 0)
        return -1;
    told->fit.masked = masked;
    told->fit.nonfinite = nonfinite;
    return 1;
}

int
told_make_answers(Told *told)
{
    const size_t m = (size_t)told->fit.lm.m, n = (size_t)told->fit.lm.n;     /* fjac has this size too */

    if (told->answers == NULL)
        told->answers = PyMem_New(double, m * n);
    if (told->answers == NULL)
        PyErr_NoMemory();
    return told->answers == NULL ? -1 : 0;
}

/* Residuals at one of several points of the differences. Returns as told_take_point. */
static int
tell_difference(Told *told, PyObject *values, int point)
{
    MinpackState *lm = &told->fit.lm;
    Masked masked = {.call = told->fit.masked.call}, *const of_all = &told->answers_masked;
    NonFinite aside = {0};      /* searched again, in the order of points, once all are there */
    const Expected expected = expected_of(told, 1, &masked, &aside);
    const npy_intp start = (npy_intp)point * lm->m;
    int j;

    if (told_make_answers(told) < 0 || take_residuals(&expected, values, told->answers + start, lm->m) < 0)
        return -1;
    if (masked.count > 0) {
        if (of_all->count == 0 || start + masked.index < of_all->index)
            of_all->index = start + masked.index;
        of_all->count += masked.count;
    }
    told->answered[point] = 1;
    told->answers_told++;
    if (told->answers_told < lm->n)
        return 0;
    if (told->fit.masked.call == 0 && of_all->count > 0)
        told->fit.masked = (Masked){.role = "tell", .count = of_all->count, .size = (npy_intp)lm->n * lm->m,
                                .index = of_all->index, .call = expected.call};
    for (j = 0; j < lm->n; j++)
        copy_residuals(&told->fit.nonfinite, "tell", expected.call, (npy_intp)j * lm->m, lm->m,
                       told->answers + (size_t)j * (size_t)lm->m, lm->fjac + (size_t)j * (size_t)lm->ldfjac);
    count_differences(told);
    return 1;
}

/* Raise ValueError: point is not one of the k rows of ask. */
static void
raise_no_point(Py_ssize_t point, int k)
{
    if (k == 1)
        PyErr_Format(PyExc_ValueError, "%s: point is %zd; expected 0, the only row of ask()", CALLER, point);
    else
        PyErr_Format(PyExc_ValueError, "%s: point is %zd; expected 0 to %d, a row of ask()", CALLER, point, k - 1);
}

int
told_take_point(Told *told, PyObject *values, Py_ssize_t point)
{
    const int k = points_wanted(&told->fit.lm, told->fit.has_jacobian);

    if (k == 0)
        raise_done(told, "tell");
    else if (point < 0 || point >= k)
        raise_no_point(point, k);
    else if (told->answered[point])
        PyErr_Format(PyExc_ValueError, "%s: point %zd has already been told; `wanted` lists those that have not", CALLER,
                     point);
    else
        return k == 1 ? told_take(told, values) : tell_difference(told, values, (int)point);
    return -1;
}

PyObject *
told_outcome(const Told *told)
{
    const int known = told->fit.lm.known, factorised = known >= 2 && !told->torn;
    Fit fit = told->fit;            /* its arrays are replaced by copies, owned */
    const struct {
        PyArrayObject **array;
        int is_there;
    } arrays[] = {
        {&fit.x, 1}, {&fit.fvec, known >= 1}, {&fit.fjac, factorised}, {&fit.ipvt, factorised}, {&fit.qtf, factorised},
    };
    const size_t count = sizeof(arrays) / sizeof(arrays[0]);
    PyObject *outcome = NULL;       /* owned, returned */
    int failed = 0;
    size_t i;

    if (fit.lm.request != MINPACK_DONE)
        fit.lm.info = STOPPED;
    for (i = 0; i < count; i++) {
        *arrays[i].array = arrays[i].is_there && !failed ? (PyArrayObject *)PyArray_NewCopy(*arrays[i].array, NPY_CORDER)
                                                         : NULL;
        failed |= arrays[i].is_there && *arrays[i].array == NULL;
    }
    if (!failed)
        outcome = make_outcome(&fit, 1);
    for (i = 0; i < count; i++)
        Py_XDECREF(*arrays[i].array);
    return outcome;
}
