/* Random calls of the solver's routines and random fits, each with a hash of what comes of it.
 *
 *     cases SOLVER calls|fits FIRST COUNT             a line for each: its number, what it is, its hash
 *     cases SOLVER calls|fits FIRST COUNT values      and before it, each value
 *
 * A case depends on its number alone. Whatever decides bits here is exact or rounded as IEEE says: integers, + - * /
 * and square roots; no other function of libm, of which each libc has its own last digits. Compile this with the flags
 * that guard the solver's bits.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minpack.h"

#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1
#error "doubles have extended intermediate precision here"
#endif

enum { MOST_M = 160, MOST_N = 24, PADDING = 3, LDA = MOST_M + PADDING, LWORK = 1 << 17 };

static const MinpackSolver *solver;
static uint64_t state, hash;
static int with_values;

/* The solver's log10, in chkder alone, for normal numbers above 0. The C library's differ in the last digit. */
double
log10(double x)
{
    uint64_t bits;
    double f, s, sum = 0;
    int exponent, k;

    memcpy(&bits, &x, sizeof(bits));
    exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)1023 << 52;
    memcpy(&f, &bits, sizeof(f));
    if (f > 1.4142135623730951) {
        f /= 2;
        exponent++;
    }
    s = (f - 1) / (f + 1);
    for (k = 25; k > 0; k -= 2)
        sum = sum * (s * s) + 1.0 / k;
    /* log10(2) in two parts, of which the first times an exponent is exact. */
    return exponent * 0x1.34413509fp-2 + (exponent * 1.7336659603752853e-12 + 2 * s * sum * 0.43429448190325183);
}

/* ---- what comes out ---- */

static void
put_bits(const char *name, int index, uint64_t bits)
{
    int i;

    if (with_values)
        printf("%s[%d] %016llx\n", name, index, (unsigned long long)bits);
    for (i = 0; i < 64; i += 8)
        hash = (hash ^ (bits >> i & 0xFF)) * 0x100000001B3;     /* FNV-1a */
}

/* Which NaN it is, is not promised. */
static void
put(const char *name, const double *values, int count)
{
    const uint64_t nan_bits = (uint64_t)0x7FF8 << 48;
    uint64_t bits;
    int i;

    for (i = 0; i < count; i++) {
        memcpy(&bits, &values[i], sizeof(bits));
        put_bits(name, i, values[i] != values[i] ? nan_bits : bits);
    }
}

static void
put_integers(const char *name, const int *values, int count)
{
    int i;

    for (i = 0; i < count; i++)
        put_bits(name, i, (uint64_t)(int64_t)values[i]);
}

/* ---- what goes in ---- */

/* SplitMix64, of Steele, Lea and Flood. */
static uint64_t
draw_bits(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

/* 0, ..., count - 1 */
static int
draw(int count)
{
    return (int)(draw_bits() % (uint64_t)count);
}

static int
one_in(int count)
{
    return draw(count) == 0;
}

static double
from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* 2**k, for a normal number. */
static double
power(int k)
{
    return from_bits((uint64_t)(k + 1023) << 52);
}

/* From -1 to 1. */
static double
plain(void)
{
    return (double)((int64_t)draw_bits() >> 10) * 0x1p-53;
}

/* A normal number whose exponent is between two, or a denormal one. */
static double
between(int low, int high)
{
    const uint64_t bits = draw_bits(), sign_and_digits = bits & ~((uint64_t)0x7FF << 52);

    return from_bits(sign_and_digits | (uint64_t)(low + draw(high - low + 1) + 1023) << 52);
}

/* Of the data of a case. */
enum { INTEGERS, PLAIN, PLAIN_TOO, THRESHOLDS, EDGES, TINY, HUGE_, EXTREME, SPECIAL, KINDS };

static double
number(int kind)
{
    /* enorm's thresholds, the upper one over a length. */
    static const double edges[] = {3.834e-20, 1.304e19, 1.304e18, 1.304e17};
    static const uint64_t special[] = {0, (uint64_t)1 << 63, 1, (uint64_t)0x7FF << 52, (uint64_t)0xFFF << 52,
                                       (uint64_t)0x7FF8 << 48};
    uint64_t bits;

    switch (kind) {
    case INTEGERS:
        return draw(7) - 3;
    case THRESHOLDS:
        return between(-80, 70);
    case EDGES:
        memcpy(&bits, &edges[draw(4)], sizeof(bits));
        return from_bits((bits + (uint64_t)draw(3) - 1) | (uint64_t)draw(2) << 63);
    case TINY:
        return between(-1023, -950);
    case HUGE_:
        return between(950, 1023);
    case EXTREME:
        return between(-1023, 1023);
    case SPECIAL:
        return one_in(8) ? from_bits(special[draw(6)]) : plain();
    default:
        return plain();
    }
}

static void
numbers(int kind, double *values, int count)
{
    int i;

    for (i = 0; i < count; i++)
        values[i] = number(kind);
}

/* As for diag: not negative. */
static void
magnitudes(int kind, double *values, int count)
{
    int i;

    for (i = 0; i < count; i++)
        values[i] = fabs(number(kind));
}

static void
permutation(int *ipvt, int n)
{
    int i, k;

    for (i = 0; i < n; i++) {
        k = draw(i + 1);
        ipvt[i] = ipvt[k];
        ipvt[k] = i + 1;
    }
}

/* A matrix; some have equal columns, dependent ones, ones that almost agree, columns or rows of zeros, or grow. */
static void
matrix(int kind, double *a, int m, int n, int lda)
{
    const int structure = draw(9), digits = 18 + draw(33), growth = draw(31) - 15;
    double factor;
    int i, j;

    numbers(kind, a, lda * n);
    for (j = 1; j < n; j++) {
        double *column = a + (size_t)j * (size_t)lda;

        if (structure == 1 || (structure == 2 && one_in(2))) {
            factor = structure == 2 ? plain() : 1;
            for (i = 0; i < m; i++)
                column[i] = factor * (structure == 1 && one_in(2) ? -a[i] : a[i]);
        } else if (structure == 3) {
            for (i = 0; i < m; i++)
                column[i] = a[i] + power(-digits) * column[i];
        } else if (structure == 4 && one_in(3)) {
            for (i = 0; i < m; i++)
                column[i] = one_in(2) ? 0.0 : -0.0;
        } else if (structure == 5) {
            for (i = 0; i < m; i += 3)
                column[i] = a[i] = 0;
        } else if (structure == 6) {
            for (i = 0; i < m; i++)
                column[i] *= power(growth * j);
        }
    }
}

/* Few rows and columns; or those that qrfac takes in panels. m may be below n where that is allowed. */
static void
size(int *m, int *n, int wide)
{
    if (one_in(3)) {
        *n = 8 + draw(MOST_N - 7);
        *m = *n + draw(one_in(4) ? MOST_M - *n + 1 : 24);
    } else {
        *n = 1 + draw(7);
        *m = *n + draw(one_in(4) ? 60 : 8);
    }
    if (wide && one_in(8))
        *m = 1 + draw(*n);
}

/* ---- models, by + - * / and square roots ---- */

enum { LINEAR, SQUARE, CUBIC, KINK, ROOT, POLE, RATIONAL, FAMILIES };

typedef struct {
    int family, m, n, until_stop;
    double a[MOST_M * MOST_N], y[MOST_M], x_scale, f_scale;
} Model;

/* phi(z) and its derivative */
static double
phi(int family, double z, double *slope)
{
    *slope = 1;
    switch (family) {
    case SQUARE:
        *slope = 2 * z;
        return z * z;
    case CUBIC:
        *slope = 1 + 3 * z * z;
        return z + z * z * z;
    case KINK:
        *slope = z < 0 ? -1 : 1;
        return fabs(z);
    case ROOT:
        *slope = 0.5 / sqrt(9 + z);
        return sqrt(9 + z);
    case POLE:
        *slope = -1 / ((1 + z) * (1 + z));
        return 1 / (1 + z);
    default:
        return z;
    }
}

/* Value i at x: phi(row i of A, x), or p(t) / (1 + t q(t)); its gradient if that is not NULL. */
static double
value(const Model *model, int i, const double *x, double *gradient)
{
    const int n = model->n, p = (n + 1) / 2;
    const double t = model->a[i];
    double above = 0, below = 1, z = 0, slope, t_power = 1, result;
    int j;

    if (model->family != RATIONAL) {
        for (j = 0; j < n; j++)
            z += model->a[i + j * model->m] * (x[j] / model->x_scale);
        result = phi(model->family, z, &slope);
        for (j = 0; gradient != NULL && j < n; j++)
            gradient[j] = slope * model->a[i + j * model->m] / model->x_scale;
        return result;
    }
    for (j = 0; j < p; j++, t_power *= t) {
        above += t_power * (x[j] / model->x_scale);
        if (p + j < n)
            below += t_power * t * (x[p + j] / model->x_scale);
    }
    t_power = 1;
    for (j = 0; gradient != NULL && j < p; j++, t_power *= t) {
        gradient[j] = t_power / below / model->x_scale;
        if (p + j < n)
            gradient[p + j] = -(t_power * t) * above / (below * below) / model->x_scale;
    }
    return above / below;
}

static int
residuals(void *context, int m, int n, const double *x, double *fvec, int purpose)
{
    Model *model = context;
    int i;

    (void)n;
    (void)purpose;
    for (i = 0; i < m; i++)
        fvec[i] = model->f_scale * (value(model, i, x, NULL) - model->y[i]);
    return model->until_stop-- == 0 ? -7 : 0;
}

static int
jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac)
{
    const Model *model = context;
    double gradient[MOST_N];
    int i, j;

    for (i = 0; i < m; i++) {
        value(model, i, x, gradient);
        for (j = 0; j < n; j++)
            fjac[i + j * ldfjac] = model->f_scale * gradient[j];
    }
    return 0;
}

/* A model with data, and a start x for its fit. */
static void
draw_model(Model *model, double *x)
{
    static const int scales[] = {0, 0, 0, -40, 30, -400, 300};
    static const int data[] = {PLAIN, PLAIN, PLAIN, INTEGERS, THRESHOLDS, SPECIAL};
    const int start = draw(6);
    double solution[MOST_N], noise;
    int i, j;

    size(&model->m, &model->n, 0);
    model->family = draw(FAMILIES);
    model->until_stop = one_in(16) ? draw(40) : -1;
    model->x_scale = power(scales[draw(7)]);
    model->f_scale = power(scales[draw(7)]);
    matrix(one_in(8) ? data[draw(6)] : PLAIN, model->a, model->m, model->n, model->m);
    noise = one_in(2) ? 0 : 0x1p-7;
    for (j = 0; j < model->n; j++)
        solution[j] = plain() * model->x_scale;
    for (i = 0; i < model->m; i++)
        model->y[i] = value(model, i, solution, NULL) + noise * plain();
    for (j = 0; j < model->n; j++)
        x[j] = start == 0 ? model->x_scale : start == 1 ? 0 : start == 2 ? -0.0 : start == 3 ? solution[j]
               : start == 4 ? solution[j] + 0x1p-4 * plain() * model->x_scale : 64 * plain() * model->x_scale;
}

/* ---- cases ---- */

static double a[LDA * MOST_N], x[LDA], diag[LDA], qtb[LDA], sdiag[LDA], wa1[LDA], wa2[LDA], wa3[LDA], wa4[LDA];
static double work[LWORK];
static int ipvt[MOST_N];
static Model model;

/* What a routine does not write has the same bits everywhere, too. */
static void
clear(void)
{
    double *const arrays[] = {x, diag, qtb, sdiag, wa1, wa2, wa3, wa4};
    int i, k;

    for (k = 0; k < 8; k++)
        for (i = 0; i < LDA; i++)
            arrays[k][i] = -777;
    for (i = 0; i < MOST_N; i++)
        ipvt[i] = -777;
}

static int
within_work(int lwork)
{
    if (lwork > LWORK) {
        fputs("cases: LWORK is too small\n", stderr);
        exit(2);
    }
    return lwork;
}

static void
call_enorm(int kind)
{
    const int n = draw(MOST_M + 1);
    double norm;

    numbers(kind, x, n);
    norm = solver->enorm(n, x);
    put("norm", &norm, 1);
}

static void
call_qrfac(int kind, int m, int n, int lda)
{
    const int pivot = !one_in(4), least = one_in(4);

    matrix(kind, a, m, n, lda);
    solver->qrfac(m, n, a, lda, pivot, ipvt, diag, sdiag, wa1, work,
                  least ? n + 1 : within_work(solver->lwork(m, n)));
    put("a", a, lda * n);
    put_integers("ipvt", ipvt, n);
    put("rdiag", diag, n);
    put("acnorm", sdiag, n);
}

static void
call_qrsolv(int kind, int n, int ldr)
{
    matrix(kind, a, n, n, ldr);
    permutation(ipvt, n);
    magnitudes(one_in(2) ? kind : INTEGERS, diag, n);
    numbers(kind, qtb, n);
    solver->qrsolv(n, a, ldr, ipvt, diag, qtb, x, sdiag, wa1, work);
    put("r", a, ldr * n);
    put("x", x, n);
    put("sdiag", sdiag, n);
}

static void
call_lmpar(int kind, int n, int ldr)
{
    double delta, par = one_in(3) ? 0 : fabs(plain());

    matrix(kind, a, n, n, ldr);
    permutation(ipvt, n);
    magnitudes(one_in(2) ? kind : PLAIN, diag, n);
    numbers(kind, qtb, n);
    delta = fabs(one_in(2) ? number(kind) : plain() * power(-draw(12)));
    solver->lmpar(n, a, ldr, ipvt, diag, qtb, delta, &par, x, sdiag, wa1, wa2, work);
    put("r", a, ldr * n);
    put("par", &par, 1);
    put("x", x, n);
    put("sdiag", sdiag, n);
}

static void
call_covar(int kind, int n, int ldr)
{
    int rank;

    matrix(kind, a, n, n, ldr);
    permutation(ipvt, n);
    minpack_covar(n, a, ldr, ipvt, one_in(2) ? 0 : 0x1p-20, &rank, wa1);
    put("r", a, ldr * n);
    put_integers("rank", &rank, 1);
}

static void
call_fdjac2(void)
{
    static const double epsfcn[] = {0, 0, 0x1p-30, 0x1p-10, -1};
    int iflag = 2;

    draw_model(&model, x);
    residuals(&model, model.m, model.n, x, wa1, 1);
    solver->fdjac2(residuals, &model, model.m, model.n, x, wa1, a, model.m, &iflag, epsfcn[draw(5)], wa2, NULL);
    put("fjac", a, model.m * model.n);
    put("x", x, model.n);
    put_integers("iflag", &iflag, 1);
}

static void
call_chkder(int kind)
{
    double *const xp = qtb, *const fvec = wa1, *const fvecp = wa2, *const err = wa3;

    draw_model(&model, x);
    if (one_in(4))
        numbers(kind, x, model.n);
    residuals(&model, model.m, model.n, x, fvec, 1);
    jacobian(&model, model.m, model.n, x, a, model.m);
    if (one_in(2))
        a[draw(model.m * model.n)] *= 1 + 0x1p-12 * plain();
    solver->chkder(model.m, model.n, x, fvec, a, model.m, xp, fvecp, 1, err);
    residuals(&model, model.m, model.n, xp, fvecp, 1);
    solver->chkder(model.m, model.n, x, fvec, a, model.m, xp, fvecp, 2, err);
    put("xp", xp, model.n);
    put("err", err, model.m);
}

/* What it is, with its size; "" where the solver has no such routine. */
static void
call(char *name, size_t length)
{
    const int what = draw(10), kind = draw(KINDS);
    int m, n, lda;

    size(&m, &n, what >= 1 && what <= 3);
    lda = (what >= 1 && what <= 3 ? m : n) + (one_in(4) ? PADDING : 0);
    switch (what) {
    case 0:
        snprintf(name, length, "enorm");
        call_enorm(kind);
        break;
    case 1: case 2: case 3:
        snprintf(name, length, "qrfac %d x %d", m, n);
        call_qrfac(kind, m, n, lda);
        break;
    case 4:
        snprintf(name, length, "qrsolv %d", n);
        call_qrsolv(kind, n, lda);
        break;
    case 5: case 6:
        snprintf(name, length, "lmpar %d", n);
        call_lmpar(kind, n, lda);
        break;
    case 7:
        call_fdjac2();
        snprintf(name, length, "fdjac2 %d x %d", model.m, model.n);
        break;
    case 8:
        call_chkder(kind);
        snprintf(name, length, "chkder %d x %d", model.m, model.n);
        break;
    default:
        snprintf(name, length, "covar %d", n);
        if (solver != minpack_solvers[0])       /* the original has none */
            *name = '\0';
        else
            call_covar(kind, n, lda);
    }
}

/* A whole fit. */
static void
fit(char *name, size_t length)
{
    static const double tolerances[] = {1.49012e-8, 1.49012e-8, 0, 1e-3, 2.220446049250313e-16};
    static const double steps[] = {0, 0, 0, 0x1p-30, 0x1p-16};
    const double ftol = tolerances[draw(5)], xtol = tolerances[draw(5)], gtol = one_in(2) ? 0 : tolerances[draw(5)];
    const double epsfcn = steps[draw(5)], factor = one_in(3) ? 0.125 : 100;
    const int by_differences = one_in(2), mode = one_in(4) ? 2 : 1, maxfev = one_in(8) ? 1 + draw(20) : 300;
    MinpackAnswerer answerer = {.residuals = residuals, .jacobian = by_differences ? NULL : jacobian, .context = &model};
    MinpackState lm = {.maxfev = maxfev, .mode = mode, .ftol = ftol, .xtol = xtol, .gtol = gtol, .factor = factor,
                  .epsfcn = epsfcn, .x = x, .fvec = wa4, .fjac = a, .diag = diag, .ipvt = ipvt, .qtf = qtb, .wa1 = wa1,
                  .wa2 = wa2, .wa3 = wa3, .wa4 = sdiag, .work = work};
    int m, n;

    draw_model(&model, x);
    lm.m = lm.ldfjac = m = model.m;
    lm.n = n = model.n;
    if (mode == 2)
        for (int j = 0; j < n; j++)
            diag[j] = power(draw(9) - 4);
    lm.lenwork = within_work(solver->lwork(m, n));
    solver->solve(&lm, &answerer);
    snprintf(name, length, "%s %d x %d", by_differences ? "lmdif" : "lmder", m, n);
    put_integers("info", &lm.info, 1);
    put_integers("nfev", &lm.nfev, 1);
    put_integers("njev", &lm.njev, 1);
    put("x", x, n);
    put("fvec", wa4, m);
    put("fjac", a, m * n);
    put("qtf", qtb, n);
    put("diag", diag, n);
    put_integers("ipvt", ipvt, n);
}

int
main(int argc, char **argv)
{
    char name[40];
    long first, count, i;
    int fits, k;

    for (k = 0; argc >= 5 && minpack_solvers[k] != NULL; k++)
        if (strcmp(minpack_solvers[k]->name, argv[1]) == 0)
            solver = minpack_solvers[k];
    if (solver == NULL) {
        fputs("usage: cases SOLVER calls|fits FIRST COUNT [values]\n", stderr);
        return 2;
    }
    fits = strcmp(argv[2], "fits") == 0;
    first = atol(argv[3]);
    count = atol(argv[4]);
    with_values = argc > 5;
    for (i = first; i < first + count; i++) {
        state = (uint64_t)i << 1 | (uint64_t)fits;
        state = draw_bits();
        hash = 0xCBF29CE484222325;
        memset(a, 0, sizeof(a));
        clear();
        if (fits)
            fit(name, sizeof(name));
        else
            call(name, sizeof(name));
        if (*name != '\0')
            printf("%ld %s: %016llx\n", i, name, (unsigned long long)hash);
    }
    return 0;
}
