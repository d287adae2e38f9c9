/* The original MINPACK as a MinpackSolver (minpack.h).
 *
 * Its callbacks carry no context, so a thread-local holds that of the running solve, saved and restored around each solve:
 * solves may nest and run in many threads. Each callback restores it, too: if a user's function switches greenlets, other
 * solves of the thread may have begun without ending, or ended out of order, before it returns.
 */
#include "minpack.h"

typedef struct {
    minpack_residuals residuals;
    minpack_jacobian jacobian;
    void *context;
    int answer;                 /* last return value of residuals */
} Solve;

extern const MinpackSolver minpack_original;      /* for solvers.c */

static _Thread_local Solve running;

/* The original's Fortran calling sequences: everything by reference, nprint 0 for no extra calls, pivot a LOGICAL. */
typedef void lmdif_fcn(const int *m, const int *n, const double *x, double *fvec, int *iflag);
typedef void lmder_fcn(const int *m, const int *n, const double *x, double *fvec, double *fjac, const int *ldfjac,
                       int *iflag);

extern void lmdif_(lmdif_fcn *fcn, const int *m, const int *n, double *x, double *fvec, const double *ftol,
                   const double *xtol, const double *gtol, const int *maxfev, const double *epsfcn, double *diag,
                   const int *mode, const double *factor, const int *nprint, int *info, int *nfev, double *fjac,
                   const int *ldfjac, int *ipvt, double *qtf, double *wa1, double *wa2, double *wa3, double *wa4);
extern void lmder_(lmder_fcn *fcn, const int *m, const int *n, double *x, double *fvec, double *fjac,
                   const int *ldfjac, const double *ftol, const double *xtol, const double *gtol, const int *maxfev,
                   double *diag, const int *mode, const double *factor, const int *nprint, int *info, int *nfev,
                   int *njev, int *ipvt, double *qtf, double *wa1, double *wa2, double *wa3, double *wa4);
extern double enorm_(const int *n, const double *x);
extern void qrfac_(const int *m, const int *n, double *a, const int *lda, const int *pivot, int *ipvt,
                   const int *lipvt, double *rdiag, double *acnorm, double *wa);
extern void qrsolv_(const int *n, double *r, const int *ldr, const int *ipvt, const double *diag, const double *qtb,
                    double *x, double *sdiag, double *wa);
extern void lmpar_(const int *n, double *r, const int *ldr, const int *ipvt, const double *diag, const double *qtb,
                   const double *delta, double *par, double *x, double *sdiag, double *wa1, double *wa2);
extern void fdjac2_(lmdif_fcn *fcn, const int *m, const int *n, double *x, const double *fvec, double *fjac,
                    const int *ldfjac, int *iflag, const double *epsfcn, double *wa);
extern void chkder_(const int *m, const int *n, const double *x, const double *fvec, const double *fjac,
                    const int *ldfjac, double *xp, const double *fvecp, const int *mode, double *err);

/* The machine constants that MINPACK asks for by number, with the digits it ships for IEEE. */
double
dpmpar_(const int *i)
{
    switch (*i) {
    case 1:
        return 2.22044604926e-16;
    case 2:
        return 2.22507385852e-308;
    default:
        return 1.79769313485e+308;
    }
}

/* The larger and the smaller of two numbers; the other one if one is NaN. */
double
dmax1_(const double *a, const double *b)
{
    return *b > *a || *a != *a ? *b : *a;
}

double
dmin1_(const double *a, const double *b)
{
    return *b < *a || *a != *a ? *b : *a;
}

static void
residuals_fcn(const int *m, const int *n, const double *x, double *fvec, int *iflag)
{
    Solve solve = running;

    solve.answer = solve.residuals(solve.context, *m, *n, x, fvec, *iflag);
    running = solve;
    if (solve.answer != 0)
        *iflag = solve.answer;
}

static void
jacobian_fcn(const int *m, const int *n, const double *x, double *fvec, double *fjac, const int *ldfjac, int *iflag)
{
    const Solve solve = running;
    int answer;

    if (*iflag == 2)
        answer = solve.jacobian(solve.context, *m, *n, x, fjac, *ldfjac);
    else
        answer = solve.residuals(solve.context, *m, *n, x, fvec, *iflag);
    running = solve;
    if (answer < 0)
        *iflag = answer;
}

static int
lwork(int m, int n)
{
    (void)m;
    (void)n;
    return 0;
}

/* lmdif or lmder. They cannot use points and watch; the caller does not set them. */
static void
solve(MinpackState *lm, const MinpackAnswerer *answerer)
{
    const Solve outer = running;
    const int nprint = 0;

    running = (Solve){answerer->residuals, answerer->jacobian, answerer->context, 0};
    lm->njev = 0;
    if (answerer->jacobian == 0)
        lmdif_(residuals_fcn, &lm->m, &lm->n, lm->x, lm->fvec, &lm->ftol, &lm->xtol, &lm->gtol, &lm->maxfev,
               &lm->epsfcn, lm->diag, &lm->mode, &lm->factor, &nprint, &lm->info, &lm->nfev, lm->fjac, &lm->ldfjac,
               lm->ipvt, lm->qtf, lm->wa1, lm->wa2, lm->wa3, lm->wa4);
    else
        lmder_(jacobian_fcn, &lm->m, &lm->n, lm->x, lm->fvec, lm->fjac, &lm->ldfjac, &lm->ftol, &lm->xtol, &lm->gtol,
               &lm->maxfev, lm->diag, &lm->mode, &lm->factor, &nprint, &lm->info, &lm->nfev, &lm->njev, lm->ipvt,
               lm->qtf, lm->wa1, lm->wa2, lm->wa3, lm->wa4);
    running = outer;
}

static void
fdjac2(minpack_residuals residuals, void *context, int m, int n, double *x, const double *fvec, double *fjac,
       int ldfjac, int *iflag, double epsfcn, double *wa, const double *ignored)
{
    const Solve outer = running;

    (void)ignored;
    running = (Solve){residuals, 0, context, 0};
    *iflag = 2;
    fdjac2_(residuals_fcn, &m, &n, x, fvec, fjac, &ldfjac, iflag, &epsfcn, wa);
    *iflag = running.answer;
    running = outer;
}

static double
enorm(int n, const double *x)
{
    return enorm_(&n, x);
}

static void
qrfac(int m, int n, double *a, int lda, int pivot, int *ipvt, double *rdiag, double *acnorm, double *wa,
      double *work, int lwork)
{
    (void)work;
    (void)lwork;
    qrfac_(&m, &n, a, &lda, &pivot, ipvt, &n, rdiag, acnorm, wa);
}

static void
qrsolv(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb, double *x,
       double *sdiag, double *wa, double *work)
{
    (void)work;
    qrsolv_(&n, r, &ldr, ipvt, diag, qtb, x, sdiag, wa);
}

static void
lmpar(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb, double delta,
      double *par, double *x, double *sdiag, double *wa1, double *wa2, double *work)
{
    (void)work;
    lmpar_(&n, r, &ldr, ipvt, diag, qtb, &delta, par, x, sdiag, wa1, wa2);
}

static void
chkder(int m, int n, const double *x, const double *fvec, const double *fjac, int ldfjac, double *xp,
       const double *fvecp, int mode, double *err)
{
    chkder_(&m, &n, x, fvec, fjac, &ldfjac, xp, fvecp, &mode, err);
}

const MinpackSolver minpack_original = {
    "original", lwork, solve, enorm, qrfac, qrsolv, lmpar, fdjac2, chkder,
};
