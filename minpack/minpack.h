/* C interface of the solvers in this folder.
 *
 * Names and argument order are MINPACK's, without lipvt and nprint; work and lwork are ours. Matrices are column-major:
 * fjac[i + j * ldfjac] is row i of column j. ipvt counts from 1. Nothing here depends on Python, allocates or prints; the
 * only state kept between calls is the instruction set in use.
 */
#ifndef MINPACK_H
#define MINPACK_H

#include <stddef.h>

/* fvec[0..m) <- residuals at x[0..n). A negative return value stops the solver and becomes info.
 * purpose: MINPACK's iflag on entry: 1 for a step, 2 for a forward difference of the Jacobian. */
typedef int (*minpack_residuals)(void *context, int m, int n, const double *x, double *fvec, int purpose);

/* fjac (m x n) <- Jacobian at x. A negative return value stops the solver and becomes info. */
typedef int (*minpack_jacobian)(void *context, int m, int n, const double *x, double *fjac, int ldfjac);

/* info of solve */
enum {
    MINPACK_IMPROPER_INPUT = 0,
    MINPACK_FTOL = 1,               /* actual and predicted reductions of the sum of squares at most ftol */
    MINPACK_XTOL = 2,               /* relative error between two iterates at most xtol */
    MINPACK_FTOL_XTOL = 3,
    MINPACK_GTOL = 4,               /* cosine between fvec and every column of the Jacobian at most gtol */
    MINPACK_MAXFEV = 5,
    MINPACK_FTOL_TOO_SMALL = 6,
    MINPACK_XTOL_TOO_SMALL = 7,
    MINPACK_GTOL_TOO_SMALL = 8
};

/* Length of work below, for m residuals and n variables. */
typedef int minpack_lwork_t(int m, int n);

typedef double minpack_enorm_t(int n, const double *x);

/* a[lda * n]: in A, out R above the diagonal and the reflectors below; rdiag[n], acnorm[n]; wa[n] and work[lwork] are
 * work, lwork >= n, for speed minpack_lwork(m, n). pivot 0: no pivoting, ipvt untouched. */
typedef void minpack_qrfac_t(int m, int n, double *a, int lda, int pivot, int *ipvt, double *rdiag, double *acnorm,
                             double *wa, double *work, int lwork);

/* r[ldr * n]: in R, out also S' below the diagonal; work[4 * n]. */
typedef void minpack_qrsolv_t(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb,
                              double *x, double *sdiag, double *wa, double *work);

/* r as for qrsolv; wa1[n], wa2[n], work[4 * n]. */
typedef void minpack_lmpar_t(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb,
                             double delta, double *par, double *x, double *sdiag, double *wa1, double *wa2,
                             double *work);

/* typical_x is ours (lm.f90); NULL: MINPACK's steps. */
typedef void minpack_fdjac2_t(minpack_residuals residuals, void *context, int m, int n, double *x, const double *fvec,
                              double *fjac, int ldfjac, int *iflag, double epsfcn, double *wa,
                              const double *typical_x);

/* mode 1: xp <- a neighbour of x. mode 2: err[m] <- agreement of fjac with the change from fvec to fvecp. */
typedef void minpack_chkder_t(int m, int n, const double *x, const double *fvec, const double *fjac, int ldfjac,
                              double *xp, const double *fvecp, int mode, double *err);

/* State of a fit: the arguments of lmdif and lmder combined (lm.f90 describes each). The caller owns the arrays:
 * x[n], diag[n], qtf[n], wa1[n], wa2[n], wa3[n], ipvt[n]; fvec[m], wa4[m]; fjac[ldfjac * n]; work[lenwork].
 * mode 2: diag is the caller's scaling; otherwise the solver computes it from the Jacobian. */
typedef struct {
    int m, n, ldfjac, maxfev, mode, lenwork;
    double ftol, xtol, gtol, factor, epsfcn;
    const double *typical_x;
    double *x, *fvec, *fjac, *diag;
    int *ipvt;
    double *qtf, *wa1, *wa2, *wa3, *wa4, *work;
    int request, known, info, nfev, njev, iter, accepted;
    double fnorm, gnorm, xnorm, pnorm, delta, par, fnorm1, ratio;
} MinpackState;

/* request: what the caller supplies before the next minpack_advance. */
enum {
    MINPACK_WANT_FVEC = 1,          /* residuals at x into fvec */
    MINPACK_WANT_FJAC = 2,          /* the Jacobian at x into fjac */
    MINPACK_GO_ON = 3,              /* nothing */
    MINPACK_WANT_TRIAL = 4,         /* residuals at wa2 into wa4 */
    MINPACK_DONE = 5
};

/* known: what has been supplied so far. */
enum {
    MINPACK_KNOWN_FVEC = 1,
    MINPACK_KNOWN_FJAC = 2,
    MINPACK_KNOWN_TRIAL = 3
};

/* Number of doubles for the arrays of lm that are NULL; m, n, ldfjac and lenwork are set. 0: overflow. */
size_t minpack_memory(const MinpackState *lm);

/* Point the NULL arrays of lm into memory of that size. */
void minpack_bind(MinpackState *lm, double *memory);

/* Make the first request. The caller has set the fields before `request`. */
void minpack_start(MinpackState *lm);

/* Process what was requested and make the next request. The caller counts nfev and njev. */
void minpack_advance(MinpackState *lm);

/* Forward-difference step in variable j at the value x. */
double minpack_difference_step(const MinpackState *lm, int j, double x);

/* points[n * n]: row j <- x with the forward-difference step in variable j; at MINPACK_WANT_FJAC. */
void minpack_difference_points(const MinpackState *lm, double *points);

/* fjac: in the residuals at these points, one per column; out the Jacobian. */
void minpack_difference_quotients(const MinpackState *lm);

/* fvec[j * ldfvec + i] <- residual i at x[j * n ..], for k points. Negative stops the solver and becomes info. */
typedef int (*minpack_points)(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec);

/* Called after each trial, before the next step is computed. Negative stops the solver and becomes info. */
typedef int (*minpack_watch)(void *context, const MinpackState *lm);

/* The functions that a fit calls. */
typedef struct {
    minpack_residuals residuals;
    minpack_jacobian jacobian;      /* NULL: forward differences */
    minpack_points points;          /* all points of a difference Jacobian in one call; NULL: one call per point */
    minpack_watch watch;            /* NULL: none */
    void *context;
    double *x;                      /* n * n, work for points */
} MinpackAnswerer;

/* Run a fit until done or a function returns a negative value, which becomes info. Sets the fields from `request` on. */
typedef void minpack_solve_t(MinpackState *lm, const MinpackAnswerer *answerer);

/* An implementation of MINPACK. Ours and the original give the same bits. */
typedef struct {
    const char *name;               /* "builtin" or "original" */
    minpack_lwork_t *lwork;
    minpack_solve_t *solve;
    minpack_enorm_t *enorm;
    minpack_qrfac_t *qrfac;
    minpack_qrsolv_t *qrsolv;
    minpack_lmpar_t *lmpar;
    minpack_fdjac2_t *fdjac2;
    minpack_chkder_t *chkder;
} MinpackSolver;

/* The solvers in this build, NULL-terminated; the first is ours. */
extern const MinpackSolver *const minpack_solvers[];

/* Our routines. */
minpack_lwork_t minpack_lwork;
minpack_solve_t minpack_solve;
minpack_enorm_t minpack_enorm;
minpack_qrfac_t minpack_qrfac;
minpack_qrsolv_t minpack_qrsolv;
minpack_lmpar_t minpack_lmpar;
minpack_fdjac2_t minpack_fdjac2;
minpack_chkder_t minpack_chkder;

/* r[ldr * n]: in R in the upper triangle, out the covariance; rank: order of the part of R non-singular to tol. The
 * original solver has no covar. */
void minpack_covar(int n, double *r, int ldr, const int *ipvt, double tol, int *rank, double *wa);

/* cov[n * n] <- (R'R)^-1 of the last factorisation, in the order of x; returns the rank of R. If that is less than n, cov
 * is not the inverse. Overwrites wa1. */
int minpack_covariance(const MinpackState *lm, double *cov);

/* How far a fit is from a minimum, judged by its last Jacobian (departure.f90 describes each field). */
typedef struct {
    int column;                     /* from 1 */
    double cosine, slope, change, reduction;
} MinpackDeparture;

/* r[ldr * n], ipvt[n], qtf[n], diag[n] as a solver leaves them; x[n]; fvec[m], not all zero; wa1[n], wa2[n]. The
 * largest cosine is over the columns not shorter than shrunk * diag[j] that change f, when x[j] changes by its own size,
 * by at least slight times the largest such change. */
void minpack_departure(int m, int n, const double *x, const double *fvec, const double *r, int ldr, const int *ipvt,
                       const double *qtf, const double *diag, double shrunk, double slight, MinpackDeparture *found,
                       double *wa1, double *wa2);

/* step <- ||D p|| / ||D x||, p the Gauss-Newton step. */
void minpack_step(int n, const double *x, const double *r, int ldr, const int *ipvt, const double *qtf,
                  const double *diag, double shrunk, double *step, double *wa1, double *wa2);

#endif
