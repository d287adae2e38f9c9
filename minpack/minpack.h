/* The C face of the solvers in this folder.
 *
 * Names, arguments and their order are MINPACK's, without lipvt and nprint; work and lwork are ours. Matrices are
 * column-major: fjac[i + j * ldfjac] is row i of column j. ipvt counts from 1. Nothing here knows Python, allocates,
 * prints, or keeps anything between calls but which instruction set runs.
 */
#ifndef MINPACK_H
#define MINPACK_H

/* fvec[0..m) <- residuals at x[0..n). A negative answer stops the solver, which returns it as info.
 * purpose: MINPACK's iflag on entry, 1 for a step, 2 for a difference of the Jacobian. */
typedef int (*minpack_residuals)(void *context, int m, int n, const double *x, double *fvec, int purpose);

/* fjac (m x n) <- Jacobian at x. A negative answer stops the solver, which returns it as info. */
typedef int (*minpack_jacobian)(void *context, int m, int n, const double *x, double *fjac, int ldfjac);

/* info of lmdif and lmder */
enum {
    MINPACK_IMPROPER_INPUT = 0,
    MINPACK_FTOL = 1,               /* reductions of the sum of squares at most ftol */
    MINPACK_XTOL = 2,               /* relative error between two iterates at most xtol */
    MINPACK_FTOL_XTOL = 3,
    MINPACK_GTOL = 4,               /* cosine between fvec and any column at most gtol */
    MINPACK_MAXFEV = 5,
    MINPACK_FTOL_TOO_SMALL = 6,
    MINPACK_XTOL_TOO_SMALL = 7,
    MINPACK_GTOL_TOO_SMALL = 8
};

/* Length of work below, for m residuals of n variables. */
typedef int minpack_lwork_t(int m, int n);

/* x[n], diag[n], ipvt[n], qtf[n], wa1[n], wa2[n], wa3[n]; fvec[m], wa4[m]; fjac[ldfjac * n]; work[lwork].
 * mode 2: diag is the caller's scaling; any other: found from the Jacobian. */
typedef void minpack_lmdif_t(minpack_residuals residuals, void *context, int m, int n, double *x, double *fvec,
                             double ftol, double xtol, double gtol, int maxfev, double epsfcn, double *diag, int mode,
                             double factor, int *info, int *nfev, double *fjac, int ldfjac, int *ipvt, double *qtf,
                             double *wa1, double *wa2, double *wa3, double *wa4, double *work, int lwork);

typedef void minpack_lmder_t(minpack_residuals residuals, minpack_jacobian jacobian, void *context, int m, int n,
                             double *x, double *fvec, double *fjac, int ldfjac, double ftol, double xtol, double gtol,
                             int maxfev, double *diag, int mode, double factor, int *info, int *nfev, int *njev,
                             int *ipvt, double *qtf, double *wa1, double *wa2, double *wa3, double *wa4, double *work,
                             int lwork);

typedef double minpack_enorm_t(int n, const double *x);

/* a[lda * n]: in A, out the reflectors under R; rdiag, acnorm, and for work wa[n] and work[lwork], lwork at least
 * n and for speed minpack_lwork(m, n). pivot 0: no pivoting, ipvt untouched. */
typedef void minpack_qrfac_t(int m, int n, double *a, int lda, int pivot, int *ipvt, double *rdiag, double *acnorm,
                             double *wa, double *work, int lwork);

/* r[ldr * n]: R, which qrsolv completes with S' below the diagonal; work[4 * n]. */
typedef void minpack_qrsolv_t(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb,
                              double *x, double *sdiag, double *wa, double *work);

/* r as for qrsolv; wa1[n], wa2[n], work[4 * n]. */
typedef void minpack_lmpar_t(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb,
                             double delta, double *par, double *x, double *sdiag, double *wa1, double *wa2,
                             double *work);

typedef void minpack_fdjac2_t(minpack_residuals residuals, void *context, int m, int n, double *x, const double *fvec,
                              double *fjac, int ldfjac, int *iflag, double epsfcn, double *wa);

/* mode 1: xp <- a neighbour of x. mode 2: err[m] <- agreement of fjac with the change from fvec to fvecp. */
typedef void minpack_chkder_t(int m, int n, const double *x, const double *fvec, const double *fjac, int ldfjac,
                              double *xp, const double *fvecp, int mode, double *err);

/* Our iteration, lmdif and lmder in one: a fit on its way (lm.f90 has a word on each). The caller owns the arrays. */
typedef struct {
    int m, n, ldfjac, maxfev, mode, lenwork;
    double ftol, xtol, gtol, factor;
    double *x, *fvec, *fjac, *diag;
    int *ipvt;
    double *qtf, *wa1, *wa2, *wa3, *wa4, *work;
    int request, info, nfev, njev, iter;
    double fnorm, gnorm, xnorm, pnorm, delta, par;
} LmState;

/* From the first request to the end, or to a negative answer, which becomes info. What stands before `request` is set.
 * jacobian: NULL for differences with epsfcn. */
void minpack_solve(LmState *lm, minpack_residuals residuals, minpack_jacobian jacobian, void *context, double epsfcn);

/* One implementation of MINPACK. Ours and the original's give the same bits. */
typedef struct {
    const char *name;               /* "builtin" or "original" */
    minpack_lwork_t *lwork;
    minpack_lmdif_t *lmdif;
    minpack_lmder_t *lmder;
    minpack_enorm_t *enorm;
    minpack_qrfac_t *qrfac;
    minpack_qrsolv_t *qrsolv;
    minpack_lmpar_t *lmpar;
    minpack_fdjac2_t *fdjac2;
    minpack_chkder_t *chkder;
} Solver;

/* Those in this build, NULL after the last one; the first is ours. */
extern const Solver *const minpack_solvers[];

/* Our routines. */
minpack_lwork_t minpack_lwork;
minpack_lmdif_t minpack_lmdif;
minpack_lmder_t minpack_lmder;
minpack_enorm_t minpack_enorm;
minpack_qrfac_t minpack_qrfac;
minpack_qrsolv_t minpack_qrsolv;
minpack_lmpar_t minpack_lmpar;
minpack_fdjac2_t minpack_fdjac2;
minpack_chkder_t minpack_chkder;

/* r[ldr * n]: in R in the upper triangle, out the covariance; rank: order of the part of R regular to tol. The original
 * has none. */
void minpack_covar(int n, double *r, int ldr, const int *ipvt, double tol, int *rank, double *wa);

/* x[n] <- the Gauss-Newton direction, zeros from the first zero of R's diagonal on; z[n]; nsing: rows before that zero. */
void minpack_gauss_newton(int n, const double *r, int ldr, const int *ipvt, const double *qtb, double *x, double *z,
                          int *nsing);

#endif
