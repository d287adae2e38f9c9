/* leastsq: one solve. */
#include "solve.h"

#include <string.h>

#include "fit.h"
#include "intermediate_result.h"
#include "outcome.h"

/* Refuse what MINPACK's own drivers cannot do, where they are to run. 0, or -1 with an exception. */
static int
check_solver(const Functions *functions, const Options *options)
{
    const struct {
        const char *name;
        int is_there;
    } keywords[] = {
        {"callback", functions->callback != NULL},
        {"vectorized", functions->vectorized},
        {"workers", functions->evaluate != NULL},
        {"nonfinite='raise'", functions->refuse != NULL},
        {"typical_x", options->typical_x != NULL},
    };
    size_t i;

    for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (keywords[i].is_there && options_check_solver(options, functions->caller, keywords[i].name) < 0)
            return -1;
    return 0;
}

/* Our loop on a fit. What a user's function raised is pending where lm.info is negative, but for STOPPED. 0, or -1 with
 * an exception if it could not begin. */
static int
run_ours(Fit *fit, Callback *cb)
{
    const Functions *functions = &cb->functions;
    const int at_once = functions->vectorized || functions->evaluate != NULL;
    const size_t n = (size_t)fit->lm.n;
    Answerer answerer = {
        .residuals = callback_residuals, .jacobian = functions->Dfun == NULL ? NULL : callback_jacobian,
        .points = at_once ? callback_points : NULL, .watch = functions->callback == NULL ? NULL : show_trial,
        .context = cb,
    };

    if (at_once) {
        answerer.x = n > PY_SSIZE_T_MAX / sizeof(double) / (n + 1) ? NULL : PyMem_New(double, n * n + 1);
        if (answerer.x == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    cb->best = fit->lm.x;
    minpack_solve(&fit->lm, &answerer);
    callback_resume(cb);
    PyMem_Free(answerer.x);
    return 0;
}

/* MINPACK's own drivers on a fit. */
static void
run_original(const Solver *solver, Fit *fit, Callback *cb)
{
    LmState *lm = &fit->lm;

    if (cb->functions.Dfun == NULL)
        solver->lmdif(callback_residuals, cb, lm->m, lm->n, lm->x, lm->fvec, lm->ftol, lm->xtol, lm->gtol, lm->maxfev,
                      lm->epsfcn, lm->diag, lm->mode, lm->factor, &lm->info, &lm->nfev, lm->fjac, lm->ldfjac, lm->ipvt,
                      lm->qtf, lm->wa1, lm->wa2, lm->wa3, lm->wa4, lm->work, lm->lenwork);
    else
        solver->lmder(callback_residuals, callback_jacobian, cb, lm->m, lm->n, lm->x, lm->fvec, lm->fjac, lm->ldfjac,
                      lm->ftol, lm->xtol, lm->gtol, lm->maxfev, lm->diag, lm->mode, lm->factor, &lm->info, &lm->nfev,
                      &lm->njev, lm->ipvt, lm->qtf, lm->wa1, lm->wa2, lm->wa3, lm->wa4, lm->work, lm->lenwork);
    callback_resume(cb);
}

PyObject *
solve(const Problem *problem)
{
    PyArrayObject *x = NULL;        /* owned until the fit takes it */
    PyObject *fvec = NULL;          /* likewise */
    PyObject *outcome = NULL;       /* owned, returned */
    Options options = {0};
    Callback cb = {0};
    Fit fit = {0};
    Shown shown = {.type = problem->intermediate_result, .options = &options,
                   .jacobian = problem->functions.Dfun != NULL};
    Course course = {.options = &options, .masked = &cb.masked, .nonfinite = &cb.nonfinite,
                     .has_Dfun = problem->functions.Dfun != NULL};
    double epsfcn;
    int n;

    x = start_vector(problem->functions.caller, problem->x0);
    if (x == NULL)
        goto done;
    n = (int)PyArray_DIM(x, 0);
    course.calls_at_x0 = course.has_Dfun ? 1 : problem->functions.vectorized ? 2 : n + 1;
    if (options_parse(&options, &problem->options, n, course.has_Dfun) < 0
            || check_solver(&problem->functions, &options) < 0 || callback_init(&cb, &problem->functions, n) < 0)
        goto done;
    cb.shown = &shown;
    fvec = callback_first(&cb, PyArray_DATA(x), &epsfcn);
    if (fvec == NULL)
        goto done;
    if (options.has_epsfcn)
        epsfcn = options.epsfcn;
    if (fit_init(&fit, &options, epsfcn, x, (PyArrayObject *)fvec) == 0) {
        if (options.solver != minpack_solvers[0])
            run_original(options.solver, &fit, &cb);
        else if (run_ours(&fit, &cb) < 0)
            fit.lm.info = -1;
        if (fit.lm.info >= 0 || fit.lm.info == STOPPED)
            outcome = make_outcome(&fit, &course, problem->full_output);
    }
    x = NULL;
    fvec = NULL;
done:
    fit_clear(&fit);
    callback_clear(&cb);
    shown_clear(&shown);
    options_clear(&options);
    Py_XDECREF(x);
    Py_XDECREF(fvec);
    return outcome;
}
