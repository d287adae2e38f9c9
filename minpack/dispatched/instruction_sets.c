/* Choose the build of the dispatched routines, and forward calls to it. */
#include "instruction_sets.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "minpack.h"

/* qrfac with pivoting, and f <- Q'f (qrfac.F90). */
typedef void qrfac_qtf(int m, int n, double *a, int lda, int *ipvt, double *rdiag, double *acnorm, double *wa,
                       double *work, int lenwork, double *f);

typedef struct {
    const char *name;
    minpack_lwork_t *lwork;
    minpack_qrfac_t *qrfac;
    qrfac_qtf *qrfac_qtf;
    minpack_qrsolv_t *qrsolv;
} Build;

extern minpack_enorm_t minpack_enorm_baseline;
extern minpack_lwork_t minpack_lwork_baseline, minpack_lwork_v3, minpack_lwork_v4;
extern minpack_qrfac_t minpack_qrfac_baseline, minpack_qrfac_v3, minpack_qrfac_v4;
extern qrfac_qtf minpack_qrfac_qtf_baseline, minpack_qrfac_qtf_v3, minpack_qrfac_qtf_v4, minpack_qrfac_qtf;
extern minpack_qrsolv_t minpack_qrsolv_baseline, minpack_qrsolv_v3, minpack_qrsolv_v4;

/* Best first: the first that the machine runs is the default. */
static const Build builds[] = {
#ifdef X86_64_LEVELS
    {"x86-64-v4", minpack_lwork_v4, minpack_qrfac_v4, minpack_qrfac_qtf_v4, minpack_qrsolv_v4},
    {"x86-64-v3", minpack_lwork_v3, minpack_qrfac_v3, minpack_qrfac_qtf_v3, minpack_qrsolv_v3},
#endif
    {"baseline", minpack_lwork_baseline, minpack_qrfac_baseline, minpack_qrfac_qtf_baseline, minpack_qrsolv_baseline},
};
enum { N_BUILDS = sizeof(builds) / sizeof(builds[0]) };

/* Atomic, since it may change while other threads solve: each call uses one build or the other, with the same bits. */
static const Build *_Atomic in_use = &builds[N_BUILDS - 1];

static int
machine_runs(const Build *build)
{
#ifdef X86_64_LEVELS
    /* These imply the rest of the level (lzcnt, movbe, f16c). The tests require the system to save the registers. */
    const int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
                   && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");

    if (strcmp(build->name, "x86-64-v3") == 0)
        return v3;
    if (strcmp(build->name, "x86-64-v4") == 0)
        return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
               && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
               && __builtin_cpu_supports("avx512vl");
#endif
    (void)build;
    return 1;
}

const char *
minpack_instruction_set(int index)
{
    int i;

    for (i = 0; i < N_BUILDS; i++)
        if (machine_runs(&builds[i]) && index-- == 0)
            return builds[i].name;
    return NULL;
}

static const Build *
build_in_use(void)
{
    return atomic_load_explicit(&in_use, memory_order_relaxed);
}

const char *
minpack_instruction_set_in_use(void)
{
    return build_in_use()->name;
}

int
minpack_use_instruction_set(const char *name)
{
    int i;

    for (i = 0; i < N_BUILDS; i++)
        if ((name == NULL || strcmp(name, builds[i].name) == 0) && machine_runs(&builds[i])) {
            atomic_store_explicit(&in_use, &builds[i], memory_order_relaxed);
            return 0;
        }
    return -1;
}

/* One build on every machine: it is bound by its additions, and for few components wider vectors are slower. Within qrfac
 * each build has its own. */
double
minpack_enorm(int n, const double *x)
{
    return minpack_enorm_baseline(n, x);
}

int
minpack_lwork(int m, int n)
{
    return build_in_use()->lwork(m, n);
}

void
minpack_qrfac(int m, int n, double *a, int lda, int pivot, int *ipvt, double *rdiag, double *acnorm, double *wa,
              double *work, int lwork)
{
    build_in_use()->qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, work, lwork);
}

void
minpack_qrfac_qtf(int m, int n, double *a, int lda, int *ipvt, double *rdiag, double *acnorm, double *wa,
                  double *work, int lenwork, double *f)
{
    build_in_use()->qrfac_qtf(m, n, a, lda, ipvt, rdiag, acnorm, wa, work, lenwork, f);
}

void
minpack_qrsolv(int n, double *r, int ldr, const int *ipvt, const double *diag, const double *qtb, double *x,
               double *sdiag, double *wa, double *work)
{
    build_in_use()->qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa, work);
}
