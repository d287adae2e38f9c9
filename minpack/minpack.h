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

/* typical_x: ours alone (lm.f90); NULL for MINPACK's steps. */
typedef void minpack_fdjac2_t(minpack_residuals residuals, void *context, int m, int n, double *x, const double *fvec,
                              double *fjac, int ldfjac, int *iflag, double epsfcn, double *wa,
                              const double *typical_x);

/* mode 1: xp <- a neighbour of x. mode 2: err[m] <- agreement of fjac with the change from fvec to fvecp. */
typedef void minpack_chkder_t(int m, int n, const double *x, const double *fvec, const double *fjac, int ldfjac,
                              double *xp, const double *fvecp, int mode, double *err);

/* Our iteration, lmdif and lmder in one: a fit on its way (lm.f90 has a word on each). The caller owns the arrays. */
typedef struct {
    int m, n, ldfjac, maxfev, mode, lenwork;
    double ftol, xtol, gtol, factor, epsfcn;
    const double *typical_x;
    double *x, *fvec, *fjac, *diag;
    int *ipvt;
    double *qtf, *wa1, *wa2, *wa3, *wa4, *work;
    int request, known, info, nfev, njev, iter, accepted;
    double fnorm, gnorm, xnorm, pnorm, delta, par, fnorm1, ratio;
} LmState;

/* request: what is wanted before the next minpack_advance. */
enum {
    MINPACK_WANT_FVEC = 1,          /* residuals at x into fvec */
    MINPACK_WANT_FJAC = 2,          /* the Jacobian at x into fjac */
    MINPACK_GO_ON = 3,              /* nothing */
    MINPACK_WANT_TRIAL = 4,         /* residuals at wa2 into wa4 */
    MINPACK_DONE = 5
};

/* Begin: the first request. What stands before `request` is set. */
void minpack_start(LmState *lm);

/* Go on with what was asked for, as far as the next request. The caller counts nfev and njev. */
void minpack_advance(LmState *lm);

/* The step of a difference in a variable x; typical_x 0: MINPACK's. */
double minpack_difference_step(double x, double epsfcn, double typical_x);

/* points[n * n]: row j is x with the step of a difference in variable j; at MINPACK_WANT_FJAC. */
void minpack_difference_points(const LmState *lm, double *points);

/* fjac, by columns the residuals at these points, becomes the Jacobian. */
void minpack_difference_quotients(const LmState *lm);

/* fvec[j * ldfvec + i] <- residual i at x[j * n ..], for k points. A negative answer stops the solver, as info. */
typedef int (*minpack_points)(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec);

/* Look at the state after a trial, before the next step is computed. A negative answer stops the solver, as info. */
typedef int (*minpack_watch)(void *context, const LmState *lm);

/* Who answers a fit. */
typedef struct {
    minpack_residuals residuals;
    minpack_jacobian jacobian;      /* NULL: by differences */
    minpack_points points;          /* for all points of a difference Jacobian; NULL: one by one */
    minpack_watch watch;            /* NULL: nobody looks */
    void *context;
    double *x;                      /* n * n: work of points */
} Answerer;

/* The loop: from the first request to the end, or to a negative answer, which becomes info. */
void minpack_solve(LmState *lm, const Answerer *answerer);

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
