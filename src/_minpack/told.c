/* A fit that is told from outside what its functions are at the points that it asks for. */
#include "told.h"

#include <string.h>

#include "answers.h"
#include "callback.h"

static const char CALLER[] = "LevenbergMarquardt";

void
told_clear(Told *told)
{
    options_clear(&told->options);
    fit_clear(&told->fit);
    PyMem_Free(told->trial_x);
    told->trial_x = NULL;
}

int
told_begin(Told *told, PyArrayObject *x)
{
    LmState *lm = &told->fit.lm;

    told->fit.x = x;
    lm->n = (int)PyArray_DIM(x, 0);
    lm->x = PyArray_DATA(x);
    lm->iter = 1;
    lm->request = MINPACK_WANT_FVEC;
    told->shown = *lm;
    told->trial_x = PyMem_Calloc((size_t)lm->n + 1, sizeof(double));
    if (told->trial_x == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
told_from_arguments(Told *told, PyObject *x0, const RawOptions *raw)
{
    PyArrayObject *x = NULL;    /* owned until *told takes it */
    int n;

    x = start_vector(CALLER, x0);
    if (x == NULL)
        return -1;
    n = (int)PyArray_DIM(x, 0);
    if (told_begin(told, x) < 0 || options_parse(&told->options, raw, n, told->jacobian) < 0
            || options_check_solver(&told->options, CALLER, "ask and tell") < 0
            || options_refuse_improper(&told->options, n) < 0)
        return -1;
    if (told->jacobian && told->options.typical_x != NULL) {
        PyErr_Format(PyExc_ValueError, "%s: typical_x is for difference steps, and there are none with jacobian=True",
                     CALLER);
        return -1;
    }
    return 0;
}

/* Refuse to go on after the end. */
static void
raise_done(const Told *told, const char *method)
{
    PyErr_Format(PyExc_RuntimeError, "%s: %s after the end of the fit, whose ier is %d; result() has what it came to",
                 CALLER, method, told->fit.lm.info);
}

/* How many points are wanted. */
static int
points_wanted(const Told *told)
{
    return told->fit.lm.request == MINPACK_WANT_FJAC && !told->jacobian ? told->fit.lm.n : 1;
}

PyObject *
told_ask(const Told *told)
{
    const LmState *lm = &told->fit.lm;
    npy_intp shape[2] = {points_wanted(told), lm->n};
    PyObject *points = NULL;    /* owned, returned */

    if (lm->request == MINPACK_DONE) {
        raise_done(told, "ask");
        return NULL;
    }
    points = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    if (points == NULL)
        return NULL;
    if (lm->request == MINPACK_WANT_FJAC && !told->jacobian)
        minpack_difference_points(lm, PyArray_DATA((PyArrayObject *)points));
    else
        memcpy(PyArray_DATA((PyArrayObject *)points), lm->request == MINPACK_WANT_TRIAL ? lm->wa2 : lm->x,
               (size_t)lm->n * sizeof(double));
    return points;
}

void
told_go_on(Told *told)
{
    LmState *lm = &told->fit.lm;
    const int has_jacobian = lm->request == MINPACK_WANT_FJAC;
    PyThreadState *thread = NULL;

    if (takes_long(has_jacobian ? lm->m : lm->n, lm->n))
        thread = PyEval_SaveThread();
    if (has_jacobian && !told->jacobian)
        minpack_difference_quotients(lm);
    minpack_advance(lm);
    told->shown = *lm;
    if (lm->request == MINPACK_GO_ON)
        minpack_advance(lm);
    told->shown.request = lm->request;
    told->tells++;
    if (thread != NULL)
        PyEval_RestoreThread(thread);
}

/* The first residuals: now m is known, and the fit gets its arrays. 0, or -1 with an exception and the fit as it was. */
static int
tell_first(Told *told, const Expected *expected, PyArrayObject *residuals, int type)
{
    const double *values = PyArray_DATA(residuals);
    npy_intp m = PyArray_NDIM(residuals) == 2 ? PyArray_DIM(residuals, 1) : PyArray_SIZE(residuals);
    PyArrayObject *x = NULL;    /* owned until the fit takes it */
    PyArrayObject *fvec = NULL; /* likewise */
    Fit fit = {0};

    if (m < expected->n) {
        raise_too_few(expected, residuals, m);
        return -1;
    }
    x = (PyArrayObject *)PyArray_NewCopy(told->fit.x, NPY_CORDER);
    if (x == NULL)
        return -1;
    fvec = (PyArrayObject *)PyArray_SimpleNew(1, &m, NPY_DOUBLE);
    if (fvec == NULL) {
        Py_DECREF(x);
        return -1;
    }
    memcpy(PyArray_DATA(fvec), values, (size_t)m * sizeof(double));
    if (fit_init(&fit, &told->options, told->options.has_epsfcn ? told->options.epsfcn : type_epsilon(type), x, fvec) < 0) {
        fit_clear(&fit);
        return -1;
    }
    fit_clear(&told->fit);
    told->fit = fit;
    minpack_start(&told->fit.lm);
    told->fit.lm.nfev = 1;
    /* A saved state is to have no chance numbers. */
    if (told->options.diag == NULL)
        memset(told->fit.lm.diag, 0, (size_t)expected->n * sizeof(double));
    memset(told->fit.lm.wa1, 0, (size_t)expected->n * sizeof(double));
    memset(told->fit.lm.wa2, 0, (size_t)expected->n * sizeof(double));
    note_residuals(&told->nonfinite, "tell", expected->call, 0, (int)m, values);
    return 0;
}

/* Residuals at a trial point, or at those of the differences. */
static void
tell_residuals(Told *told, const Expected *expected, PyArrayObject *residuals)
{
    LmState *lm = &told->fit.lm;
    const int is_trial = lm->request == MINPACK_WANT_TRIAL;
    const double *row;
    int j;

    if (is_trial)
        memcpy(told->trial_x, lm->wa2, (size_t)lm->n * sizeof(double));
    else
        told->torn = 0;
    for (j = 0; j < expected->k; j++) {
        row = (const double *)PyArray_DATA(residuals) + (size_t)j * lm->m;
        memcpy(is_trial ? lm->wa4 : lm->fjac + (size_t)j * lm->ldfjac, row, (size_t)lm->m * sizeof(double));
        note_residuals(&told->nonfinite, "tell", expected->call, (npy_intp)j * lm->m, lm->m, row);
    }
    lm->nfev += expected->k;
}

int
told_take(Told *told, PyObject *values)
{
    LmState *lm = &told->fit.lm;
    Masked masked = told->masked;
    const Expected expected = {
        .source = {CALLER, "tell", "was given", NULL}, .masked = &masked, .call = told->tells + 1, .shapes = EITHER,
        .k = points_wanted(told), .m = lm->m, .n = lm->n, .col_deriv = told->col_deriv,
    };
    PyArrayObject *residuals = NULL;    /* owned */
    int type, copied, status = -1;

    if (lm->request == MINPACK_DONE) {
        raise_done(told, "tell");
        return -1;
    }
    if (lm->request == MINPACK_WANT_FJAC && told->jacobian) {
        if (take_jacobian(&expected, values, lm->fjac, lm->ldfjac, &copied) < 0) {
            told->torn |= copied;
            return -1;
        }
        note_jacobian(&told->nonfinite, "tell", expected.call, lm->m, lm->n, lm->fjac, lm->ldfjac, told->col_deriv);
        told->torn = 0;
        lm->njev++;
        status = 0;
    }
    else {
        residuals = as_residuals(&expected, values, &type);
        if (residuals == NULL)
            return -1;
        if (lm->request == MINPACK_WANT_FVEC)
            status = tell_first(told, &expected, residuals, type);
        else {
            tell_residuals(told, &expected, residuals);
            status = 0;
        }
        Py_DECREF(residuals);
    }
    if (status == 0)
        told->masked = masked;
    return status;
}

PyObject *
told_outcome(const Told *told)
{
    const Course course = {.options = &told->options, .masked = &told->masked, .nonfinite = &told->nonfinite,
                           .has_Dfun = told->jacobian, .calls_at_x0 = 2};
    const int known = told->fit.lm.known, factorised = known >= 2 && !told->torn;
    Fit fit = told->fit;            /* its arrays become copies, owned */
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
        outcome = make_outcome(&fit, &course, 1);
    for (i = 0; i < count; i++)
        Py_XDECREF(*arrays[i].array);
    return outcome;
}
