/* leastsq: one solve. */
#include "solve.h"

#include <string.h>

#include "callback.h"
#include "reports.h"
#include "workspace.h"

/* How a fit ended. */
typedef struct {
    int info;
    int nfev;
    int njev;               /* -1 without Dfun */
    double epsfcn;          /* of its differences */
} End;

/* Run the solver on the workspace. What a user's function raised is pending where info is negative. */
static void
run(const Options *options, Callback *cb, Workspace *ws, End *end)
{
    const Solver *solver = options->solver;
    const int mode = options->diag == NULL ? 1 : 2;

    if (cb->Dfun == NULL) {
        solver->lmdif(callback_residuals, cb, ws->m, ws->n, PyArray_DATA(ws->x), PyArray_DATA(ws->fvec), options->ftol,
                      options->xtol, options->gtol, options->maxfev, end->epsfcn, ws->diag, mode, options->factor,
                      &end->info, &end->nfev, PyArray_DATA(ws->fjac), ws->m, PyArray_DATA(ws->ipvt),
                      PyArray_DATA(ws->qtf), ws->wa1, ws->wa2, ws->wa3, ws->wa4, ws->work, ws->lwork);
        end->njev = -1;
    }
    else
        solver->lmder(callback_residuals, callback_jacobian, cb, ws->m, ws->n, PyArray_DATA(ws->x),
                      PyArray_DATA(ws->fvec), PyArray_DATA(ws->fjac), ws->m, options->ftol, options->xtol,
                      options->gtol, options->maxfev, ws->diag, mode, options->factor, &end->info, &end->nfev,
                      &end->njev, PyArray_DATA(ws->ipvt), PyArray_DATA(ws->qtf), ws->wa1, ws->wa2, ws->wa3, ws->wa4,
                      ws->work, ws->lwork);
}

/* (R'R)^-1 in the order of x. A new array of shape (n, n), None if R has a zero on its diagonal, or NULL with an
 * exception. */
static PyObject *
covariance(Workspace *ws)
{
    const int n = ws->n;
    const double *fjac = PyArray_DATA(ws->fjac);
    PyObject *cov_x = NULL;     /* owned, returned */
    npy_intp shape[2] = {n, n};
    double *r;
    int j, rank;

    cov_x = PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    if (cov_x == NULL)
        return NULL;
    r = PyArray_DATA((PyArrayObject *)cov_x);
    for (j = 0; j < n; j++)
        memcpy(r + (size_t)j * n, fjac + (size_t)j * ws->m, (size_t)(j + 1) * sizeof(double));
    minpack_covar(n, r, n, PyArray_DATA(ws->ipvt), 0.0, &rank, ws->wa1);
    if (rank < n)
        Py_SETREF(cov_x, Py_NewRef(Py_None));
    return cov_x;
}

/* The infodict of leastsq, keys in SciPy's order. A new reference, or NULL with an exception. */
static PyObject *
make_infodict(const Workspace *ws, const End *end)
{
    if (end->njev >= 0)
        return Py_BuildValue("{s:O,s:i,s:i,s:O,s:O,s:O}", "fvec", ws->fvec, "nfev", end->nfev, "njev", end->njev,
                             "fjac", ws->fjac, "ipvt", ws->ipvt, "qtf", ws->qtf);
    return Py_BuildValue("{s:O,s:i,s:O,s:O,s:O}", "fvec", ws->fvec, "nfev", end->nfev, "fjac", ws->fjac, "ipvt",
                         ws->ipvt, "qtf", ws->qtf);
}

/* What there is to warn of. A new reference, or NULL with an exception. */
static PyObject *
reports_of(const Options *options, const Callback *cb, const Workspace *ws, const End *end, PyObject *cov_x)
{
    const Finished fit = {
        .m = ws->m, .n = ws->n, .info = end->info, .has_Dfun = cb->Dfun != NULL, .epsfcn = end->epsfcn,
        .ftol = options->ftol, .xtol = options->xtol, .gtol = options->gtol, .factor = options->factor,
        .has_diag = options->diag != NULL, .nonfinite = &cb->nonfinite, .x0 = ws->x0, .x = PyArray_DATA(ws->x),
        .fvec = PyArray_DATA(ws->fvec),
        .fjac = PyArray_DATA(ws->fjac), .ipvt = PyArray_DATA(ws->ipvt), .qtf = PyArray_DATA(ws->qtf), .diag = ws->diag,
        .wa1 = ws->wa1, .wa2 = ws->wa2,
    };

    return make_reports(&cb->masked, &fit, cov_x);
}

/* Whether R, of the last Jacobian, has a NaN or inf; then so has cov_x. */
static int
r_is_nonfinite(const Workspace *ws)
{
    const double *fjac = PyArray_DATA(ws->fjac);
    int j;

    for (j = 0; j < ws->n; j++)
        if (first_nonfinite(fjac + (size_t)j * ws->m, j + 1) >= 0)
            return 1;
    return 0;
}

/* The results of a fit: see solve.h. */
static PyObject *
make_outcome(int full_output, const Options *options, const Callback *cb, Workspace *ws, const End *end)
{
    const int success = end->info >= MINPACK_FTOL && end->info <= MINPACK_GTOL;
    PyObject *cov_x = NULL;         /* owned */
    PyObject *infodict = NULL;      /* owned */
    PyObject *mesg = NULL;          /* owned */
    PyObject *reports = NULL;       /* owned */
    PyObject *outcome = NULL;       /* owned, returned */

    /* A NaN in the Jacobian, or a quotient that overflowed, may show in cov_x alone, so that the warning needs it. */
    cov_x = success && (full_output || cb->nonfinite.call != 0 || r_is_nonfinite(ws)) ? covariance(ws) : Py_NewRef(Py_None);
    infodict = full_output ? make_infodict(ws, end) : Py_NewRef(Py_None);
    if (end->info == MINPACK_IMPROPER_INPUT && !full_output)
        mesg = options_improper(options, ws->n);
    else
        mesg = full_output || !success ? options_mesg(options, end->info) : Py_NewRef(Py_None);
    if (cov_x == NULL || infodict == NULL || mesg == NULL)
        goto done;
    reports = reports_of(options, cb, ws, end, cov_x);
    if (reports != NULL)
        outcome = Py_BuildValue("(OiOOOO)", ws->x, end->info, infodict, cov_x, mesg, reports);
done:
    Py_XDECREF(cov_x);
    Py_XDECREF(infodict);
    Py_XDECREF(mesg);
    Py_XDECREF(reports);
    return outcome;
}

PyObject *
solve(const Problem *problem)
{
    PyArrayObject *x = NULL;        /* owned until the workspace takes it */
    PyObject *fvec = NULL;          /* likewise */
    PyObject *outcome = NULL;       /* owned, returned */
    Options options = {0};
    Callback cb = {0};
    Workspace ws = {0};
    End end = {0};
    int n;

    x = start_vector(problem->x0);
    if (x == NULL)
        goto done;
    n = (int)PyArray_DIM(x, 0);
    if (options_parse(&options, &problem->options, n, problem->Dfun != NULL) < 0
            || callback_init(&cb, problem->func, problem->Dfun, problem->args, problem->col_deriv, n) < 0)
        goto done;
    fvec = callback_first(&cb, PyArray_DATA(x), &end.epsfcn);
    if (fvec == NULL)
        goto done;
    if (options.has_epsfcn)
        end.epsfcn = options.epsfcn;
    if (workspace_init(&ws, options.solver, x, (PyArrayObject *)fvec, options.diag) == 0) {
        run(&options, &cb, &ws, &end);
        callback_resume(&cb);
        if (end.info >= 0)
            outcome = make_outcome(problem->full_output, &options, &cb, &ws, &end);
    }
    x = NULL;
    fvec = NULL;
done:
    workspace_clear(&ws);
    callback_clear(&cb);
    options_clear(&options);
    Py_XDECREF(x);
    Py_XDECREF(fvec);
    return outcome;
}
