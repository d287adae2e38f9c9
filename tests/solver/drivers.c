/* MINPACK's drivers, lmdif and lmder, with their own calling sequences on our solve: for the tests, which call them as the
 * original's.
 *
 * Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, sections on LMDIF and LMDER.
 */
#include <stddef.h>

#include "drivers.h"

void
minpack_lmdif(minpack_residuals residuals, void *context, int m, int n, double *x, double *fvec, double ftol,
              double xtol, double gtol, int maxfev, double epsfcn, double *diag, int mode, double factor, int *info,
              int *nfev, double *fjac, int ldfjac, int *ipvt, double *qtf, double *wa1, double *wa2, double *wa3,
              double *wa4, double *work, int lwork)
{
    MinpackState lm = {.m = m, .n = n, .ldfjac = ldfjac, .maxfev = maxfev, .mode = mode, .lenwork = lwork, .ftol = ftol,
                  .xtol = xtol, .gtol = gtol, .factor = factor, .x = x, .fvec = fvec, .fjac = fjac, .diag = diag,
                  .ipvt = ipvt, .qtf = qtf, .wa1 = wa1, .wa2 = wa2, .wa3 = wa3, .wa4 = wa4, .work = work,
                  .epsfcn = epsfcn};
    const MinpackAnswerer answerer = {.residuals = residuals, .context = context};

    minpack_solve(&lm, &answerer);
    *info = lm.info;
    *nfev = lm.nfev;
}

void
minpack_lmder(minpack_residuals residuals, minpack_jacobian jacobian, void *context, int m, int n, double *x,
              double *fvec, double *fjac, int ldfjac, double ftol, double xtol, double gtol, int maxfev, double *diag,
              int mode, double factor, int *info, int *nfev, int *njev, int *ipvt, double *qtf, double *wa1,
              double *wa2, double *wa3, double *wa4, double *work, int lwork)
{
    MinpackState lm = {.m = m, .n = n, .ldfjac = ldfjac, .maxfev = maxfev, .mode = mode, .lenwork = lwork, .ftol = ftol,
                  .xtol = xtol, .gtol = gtol, .factor = factor, .x = x, .fvec = fvec, .fjac = fjac, .diag = diag,
                  .ipvt = ipvt, .qtf = qtf, .wa1 = wa1, .wa2 = wa2, .wa3 = wa3, .wa4 = wa4, .work = work};
    const MinpackAnswerer answerer = {.residuals = residuals, .jacobian = jacobian, .context = context};

    minpack_solve(&lm, &answerer);
    *info = lm.info;
    *nfev = lm.nfev;
    *njev = lm.njev;
}
