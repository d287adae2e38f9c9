/* Which build of the inner loops runs. */
#include "instruction_sets.h"

#include <stddef.h>
#include <string.h>

/* The routines of inner_loops.F90. */
typedef void multiply_panels(int j, int m, int from, int np, const double *v, double *w, double norm, double *open,
                             double *p, double *t);
typedef void subtract_panels(int j, int m, int from, int np, const double *v, double *open, double *p,
                             const double *t);
typedef void dot_panels(int j, int m, int from, int np, double *w, double norm, const double *open, const double *p,
                        double *t);
typedef void update_row(int j, int m, int from, int np, const double *w, double epsmch, double *open, double *p,
                        double *t, double *norm, const double *full, int *renewals);
typedef void square_panel(int m, const double *p, double small, double *squares);
typedef void eliminate_rows(int n, int j, const double *d, double *s, int lds, double *rows, double *rhs);

typedef struct {
    const char *name;
    multiply_panels *multiply_panels;
    subtract_panels *subtract_panels;
    dot_panels *dot_panels;
    update_row *update_row;
    square_panel *square_panel;
    eliminate_rows *eliminate_rows;
} Build;

extern multiply_panels minpack_multiply_panels, minpack_multiply_panels_baseline;
extern subtract_panels minpack_subtract_panels, minpack_subtract_panels_baseline;
extern dot_panels minpack_dot_panels, minpack_dot_panels_baseline;
extern update_row minpack_update_row, minpack_update_row_baseline;
extern square_panel minpack_square_panel, minpack_square_panel_baseline;
extern eliminate_rows minpack_eliminate_rows, minpack_eliminate_rows_baseline;
#ifdef X86_64_LEVELS
extern multiply_panels minpack_multiply_panels_v3, minpack_multiply_panels_v4;
extern subtract_panels minpack_subtract_panels_v3, minpack_subtract_panels_v4;
extern dot_panels minpack_dot_panels_v3, minpack_dot_panels_v4;
extern update_row minpack_update_row_v3, minpack_update_row_v4;
extern square_panel minpack_square_panel_v3, minpack_square_panel_v4;
extern eliminate_rows minpack_eliminate_rows_v3, minpack_eliminate_rows_v4;
#endif

/* From the best to the plainest: the first that the machine runs is the default. */
static const Build builds[] = {
#ifdef X86_64_LEVELS
    {"x86-64-v4", minpack_multiply_panels_v4, minpack_subtract_panels_v4, minpack_dot_panels_v4,
     minpack_update_row_v4, minpack_square_panel_v4, minpack_eliminate_rows_v4},
    {"x86-64-v3", minpack_multiply_panels_v3, minpack_subtract_panels_v3, minpack_dot_panels_v3,
     minpack_update_row_v3, minpack_square_panel_v3, minpack_eliminate_rows_v3},
#endif
    {"baseline", minpack_multiply_panels_baseline, minpack_subtract_panels_baseline, minpack_dot_panels_baseline,
     minpack_update_row_baseline, minpack_square_panel_baseline, minpack_eliminate_rows_baseline},
};
enum { N_BUILDS = sizeof(builds) / sizeof(builds[0]) };

static const Build *in_use = &builds[N_BUILDS - 1];

static int
machine_runs(const Build *build)
{
#ifdef X86_64_LEVELS
    /* Where these are, the rest of the level is, too (lzcnt, movbe, f16c). It counts that the system saves the
     * registers. */
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

const char *
minpack_instruction_set_in_use(void)
{
    return in_use->name;
}

int
minpack_use_instruction_set(const char *name)
{
    int i;

    for (i = 0; i < N_BUILDS; i++)
        if ((name == NULL || strcmp(name, builds[i].name) == 0) && machine_runs(&builds[i])) {
            in_use = &builds[i];
            return 0;
        }
    return -1;
}

void
minpack_multiply_panels(int j, int m, int from, int np, const double *v, double *w, double norm, double *open,
                        double *p, double *t)
{
    in_use->multiply_panels(j, m, from, np, v, w, norm, open, p, t);
}

void
minpack_subtract_panels(int j, int m, int from, int np, const double *v, double *open, double *p, const double *t)
{
    in_use->subtract_panels(j, m, from, np, v, open, p, t);
}

void
minpack_dot_panels(int j, int m, int from, int np, double *w, double norm, const double *open, const double *p,
                   double *t)
{
    in_use->dot_panels(j, m, from, np, w, norm, open, p, t);
}

void
minpack_update_row(int j, int m, int from, int np, const double *w, double epsmch, double *open, double *p, double *t,
                   double *norm, const double *full, int *renewals)
{
    in_use->update_row(j, m, from, np, w, epsmch, open, p, t, norm, full, renewals);
}

void
minpack_square_panel(int m, const double *p, double small, double *squares)
{
    in_use->square_panel(m, p, small, squares);
}

void
minpack_eliminate_rows(int n, int j, const double *d, double *s, int lds, double *rows, double *rhs)
{
    in_use->eliminate_rows(n, j, d, s, lds, rows, rhs);
}
