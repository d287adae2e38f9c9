/* The Fortran names that MINPACK's own test drivers call, on our solver's C face. For tests/solver/test_drivers.py only.
 *
 * The drivers' functions carry no context, so the running one is kept here: drivers do not nest.
 */
#include "drivers.h"

#include <stdlib.h>

#include "dispatched/instruction_sets.h"

typedef void residuals_fcn(int *m, int *n, const double *x, double *fvec, int *iflag);
typedef void jacobian_fcn(int *m, int *n, const double *x, double *fvec, double *fjac, int *ldfjac, int *iflag);

__attribute__((constructor)) static void
choose_instruction_set(void)
{
    if (minpack_use_instruction_set(getenv("PYMINPACK_INSTRUCTION_SET")) < 0)
        abort();
}

static residuals_fcn *residuals_of_driver;
static jacobian_fcn *jacobian_of_driver;

static int
residuals(void *context, int m, int n, const double *x, double *fvec, int purpose)
{
    int iflag = purpose, ldfjac = m;

    (void)context;
    if (jacobian_of_driver)
        jacobian_of_driver(&m, &n, x, fvec, 0, &ldfjac, &iflag);
    else
        residuals_of_driver(&m, &n, x, fvec, &iflag);
    return iflag;
}

static int
jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac)
{
    int iflag = 2;

    (void)context;
    jacobian_of_driver(&m, &n, x, 0, fjac, &ldfjac, &iflag);
    return iflag;
}

/* The simplified drivers: both tolerances are tol, and 8 counts as 4. wa: diag, qtf, wa1, wa2, wa3 of n, wa4 of m. */
void
lmder1_(jacobian_fcn *fcn, const int *m, const int *n, double *x, double *fvec, double *fjac, const int *ldfjac,
        const double *tol, int *info, int *ipvt, double *wa, const int *lwa)
{
    const int lwork = minpack_lwork(*m, *n);
    double *work = malloc((size_t)lwork * sizeof(double));
    int nfev, njev;

    (void)lwa;
    jacobian_of_driver = fcn;
    minpack_lmder(residuals, jacobian, 0, *m, *n, x, fvec, fjac, *ldfjac, *tol, *tol, 0.0, 100 * (*n + 1), wa, 1,
                  100.0, info, &nfev, &njev, ipvt, wa + *n, wa + 2 * *n, wa + 3 * *n, wa + 4 * *n, wa + 5 * *n,
                  work, lwork);
    free(work);
    if (*info == 8)
        *info = 4;
}

/* As lmder1, with fjac after wa4. */
void
lmdif1_(residuals_fcn *fcn, const int *m, const int *n, double *x, double *fvec, const double *tol, int *info,
        int *ipvt, double *wa, const int *lwa)
{
    const int lwork = minpack_lwork(*m, *n);
    double *work = malloc((size_t)lwork * sizeof(double));
    int nfev;

    (void)lwa;
    jacobian_of_driver = 0;
    residuals_of_driver = fcn;
    minpack_lmdif(residuals, 0, *m, *n, x, fvec, *tol, *tol, 0.0, 200 * (*n + 1), 0.0, wa, 1, 100.0, info, &nfev,
                  wa + 5 * *n + *m, *m, ipvt, wa + *n, wa + 2 * *n, wa + 3 * *n, wa + 4 * *n, wa + 5 * *n,
                  work, lwork);
    free(work);
    if (*info == 8)
        *info = 4;
}

void
chkder_(const int *m, const int *n, const double *x, const double *fvec, const double *fjac, const int *ldfjac,
        double *xp, const double *fvecp, const int *mode, double *err)
{
    minpack_chkder(*m, *n, x, fvec, fjac, *ldfjac, xp, fvecp, *mode, err);
}

double
enorm_(const int *n, const double *x)
{
    return minpack_enorm(*n, x);
}

double
dpmpar_(const int *i)
{
    return *i == 1 ? 2.22044604926e-16 : *i == 2 ? 2.22507385852e-308 : 1.79769313485e+308;
}
