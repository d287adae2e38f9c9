/* leastsq: one solve. */
#include "solve.h"

#include <string.h>

#include "fit.h"
#include "intermediate_result.h"
#include "outcome.h"
#include "start.h"

/* Refuse what MINPACK's own drivers do not support, if they are to run. Returns 0, or -1 with an exception. */
static int
check_solver(const Problem *problem, const Options *options)
{
    const struct {
        const char *name;
        int is_there;
    } keywords[] = {
        {"callback", problem->functions.callback != NULL},
        {"vectorized", problem->functions.vectorized},
        {"workers", problem->functions.workers != NULL},
        {"nonfinite='raise'", problem->functions.on_nonfinite != NULL},
    };
    size_t i;

    for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (keywords[i].is_there && options_check_solver(options, problem->names.caller, keywords[i].name) < 0)
            return -1;
    return 0;
}

/* Run the fit's solver. Afterwards a user function's exception is pending if lm.info is negative, except for STOPPED.
 * Returns 0, or -1 with an exception if it could not begin. */
static int
run(Fit *fit, PythonFunctions *functions)
{
    const Given *given = &functions->given;
    const int at_once = given->vectorized || given->workers != NULL;
    const size_t n = (size_t)fit->lm.n;
    MinpackAnswerer answerer = {
        .residuals = python_residuals, .jacobian = given->Dfun == NULL ? NULL : python_jacobian,
        .points = at_once ? python_points : NULL, .watch = given->callback == NULL ? NULL : show_trial,
        .context = functions,
    };

    if (at_once) {
        answerer.x = n > PY_SSIZE_T_MAX / sizeof(double) / (n + 1) ? NULL : PyMem_New(double, n * n + 1);
        if (answerer.x == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    fit->options.solver->solve(&fit->lm, &answerer);
    fit_resume(fit);
    PyMem_Free(answerer.x);
    return 0;
}

PyObject *
solve(const Problem *problem)
{
    PyArrayObject *x = NULL;        /* owned by the fit */
    PyArrayObject *fvec = NULL;     /* likewise */
    PyObject *outcome = NULL;       /* owned, returned */
    Fit fit = {.names = problem->names, .has_jacobian = problem->functions.Dfun != NULL};
    PythonFunctions functions = {0};
    Shown shown = {.type = problem->intermediate_result};
    double epsfcn;

    x = start_vector(fit.names.caller, fit.names.x0, problem->x0);
    if (x == NULL)
        goto done;
    fit_begin(&fit, x);
    fit.calls_at_x0 = fit.has_jacobian ? 1 : problem->functions.vectorized ? 2 : fit.lm.n + 1;
    if (options_parse(&fit.options, fit.names.caller, problem->options, fit.lm.n, fit.has_jacobian) < 0
            || check_solver(problem, &fit.options) < 0
            || python_functions_init(&functions, &problem->functions, &fit) < 0)
        goto done;
    functions.shown = &shown;
    fvec = python_first_residuals(&functions, &epsfcn);
    if (fvec == NULL || fit_bind(&fit, fvec, epsfcn) < 0 || run(&fit, &functions) < 0)
        goto done;
    if (fit.lm.info == MINPACK_IMPROPER_INPUT)      /* no Jacobian was asked for */
        memset(fit.lm.fjac, 0, (size_t)fit.lm.m * (size_t)fit.lm.n * sizeof(double));
    if (fit.lm.info >= 0 || fit.lm.info == STOPPED)
        outcome = make_outcome(&fit, problem->full_output);
done:
    fit_clear(&fit);
    python_functions_clear(&functions);
    shown_clear(&shown);
    return outcome;
}
