/* lmdif and lmder by MINPACK's calling sequences, without nprint; work and lwork are ours. */
#ifndef DRIVERS_H
#define DRIVERS_H

#include "minpack.h"

void minpack_lmdif(minpack_residuals residuals, void *context, int m, int n, double *x, double *fvec, double ftol,
                   double xtol, double gtol, int maxfev, double epsfcn, double *diag, int mode, double factor,
                   int *info, int *nfev, double *fjac, int ldfjac, int *ipvt, double *qtf, double *wa1, double *wa2,
                   double *wa3, double *wa4, double *work, int lwork);
void minpack_lmder(minpack_residuals residuals, minpack_jacobian jacobian, void *context, int m, int n, double *x,
                   double *fvec, double *fjac, int ldfjac, double ftol, double xtol, double gtol, int maxfev,
                   double *diag, int mode, double factor, int *info, int *nfev, int *njev, int *ipvt, double *qtf,
                   double *wa1, double *wa2, double *wa3, double *wa4, double *work, int lwork);

#endif
