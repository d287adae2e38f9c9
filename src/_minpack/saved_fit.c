/* The state of a LevenbergMarquardt as plain numbers and arrays, to be saved and restored.
 *
 * Tables list its entries, so that what is written is what is read. Whatever a file holds, a fit restored from it stays
 * within its arrays: sizes are consistent, ipvt is a permutation, and numbers that count or choose are in range.
 */
#include "saved_fit.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "kernel_arguments.h"
#include "state_entries.h"

enum {
    VERSION = 2,
    WITHOUT_POINTS = 1      /* the version before tell took single points; still read */
};

/* A number: its name, its offset in Told, and the bounds if it is an integer. */
typedef struct {
    const char *name;
    size_t offset;
    int is_double;
    int least;
    int most;
} Number;

#define SHOWN(field) (offsetof(Told, shown) + offsetof(MinpackState, field))
#define FIT(field) (offsetof(Told, fit) + offsetof(Fit, field))
#define LM(field) (FIT(lm) + offsetof(MinpackState, field))
#define OPTION(field) (FIT(options) + offsetof(Options, field))

static const Number settings[] = {
    {"jacobian", FIT(has_jacobian), 0, 0, 1},
    {"col_deriv", offsetof(Told, col_deriv), 0, 0, 1},
    {"ftol", OPTION(ftol), 1, 0, 0},
    {"xtol", OPTION(xtol), 1, 0, 0},
    {"gtol", OPTION(gtol), 1, 0, 0},
    {"factor", OPTION(factor), 1, 0, 0},
    {"maxfev", OPTION(maxfev), 0, 1, INT_MAX},
    {"has_epsfcn", OPTION(has_epsfcn), 0, 0, 1},
    {"epsfcn", OPTION(epsfcn), 1, 0, 0},
    {"tells", FIT(func_calls), 0, 0, INT_MAX / 2},
    {NULL, 0, 0, 0, 0},
};

/* Present once residuals have been told. */
static const Number progress[] = {
    {"request", LM(request), 0, MINPACK_WANT_FJAC, MINPACK_DONE},
    {"known", LM(known), 0, 1, 3},
    {"info", LM(info), 0, 0, MINPACK_GTOL_TOO_SMALL},
    {"nfev", LM(nfev), 0, 0, INT_MAX / 2},
    {"njev", LM(njev), 0, 0, INT_MAX / 2},
    {"iter", LM(iter), 0, 1, INT_MAX / 2},
    {"accepted", LM(accepted), 0, 0, 1},
    {"difference_epsfcn", LM(epsfcn), 1, 0, 0},
    {"fnorm", LM(fnorm), 1, 0, 0},
    {"gnorm", LM(gnorm), 1, 0, 0},
    {"xnorm", LM(xnorm), 1, 0, 0},
    {"pnorm", LM(pnorm), 1, 0, 0},
    {"delta", LM(delta), 1, 0, 0},
    {"par", LM(par), 1, 0, 0},
    {"trial_fnorm", LM(fnorm1), 1, 0, 0},
    {"ratio", LM(ratio), 1, 0, 0},
    {"shown_pnorm", SHOWN(pnorm), 1, 0, 0},
    {"shown_delta", SHOWN(delta), 1, 0, 0},
    {"shown_par", SHOWN(par), 1, 0, 0},
    {"torn", offsetof(Told, torn), 0, 0, 1},
    {"nonfinite_call", FIT(nonfinite) + offsetof(NonFinite, call), 0, 0, INT_MAX},
    {"masked_call", FIT(masked) + offsetof(Masked, call), 0, 0, INT_MAX},
    {NULL, 0, 0, 0, 0},
};

/* Numbers of type npy_intp. */
static const struct {
    const char *name;
    size_t offset;
    int since;          /* version that added it */
} indices[] = {
    {"nonfinite_index", FIT(nonfinite) + offsetof(NonFinite, index), 1},
    {"masked_index", FIT(masked) + offsetof(Masked, index), 1},
    {"masked_count", FIT(masked) + offsetof(Masked, count), 1},
    {"masked_size", FIT(masked) + offsetof(Masked, size), 1},
    {"answers_masked_index", offsetof(Told, answers_masked) + offsetof(Masked, index), 2},
    {"answers_masked_count", offsetof(Told, answers_masked) + offsetof(Masked, count), 2},
};

/* An array of a fit: its name, its data in the solver's memory, its shape and type. */
typedef struct {
    const char *name;
    void *values;
    int ndim;
    npy_intp shape[2];
    int type;
} Saved;

enum { ARRAYS = 10 };

/* The arrays of a fit that has been told residuals. */
static void
arrays_of(const Told *told, Saved arrays[ARRAYS])
{
    const Fit *fit = &told->fit;
    const MinpackState *lm = &fit->lm;
    const npy_intp m = lm->m, n = lm->n;
    const Saved all[ARRAYS] = {
        {"x", lm->x, 1, {n, 0}, NPY_DOUBLE},
        {"x0", fit->x0, 1, {n, 0}, NPY_DOUBLE},
        {"fvec", lm->fvec, 1, {m, 0}, NPY_DOUBLE},
        {"fjac", lm->fjac, 2, {n, m}, NPY_DOUBLE},
        {"ipvt", lm->ipvt, 1, {n, 0}, NPY_INT},
        {"qtf", lm->qtf, 1, {n, 0}, NPY_DOUBLE},
        {"scaling", lm->diag, 1, {n, 0}, NPY_DOUBLE},
        {"step", lm->wa1, 1, {n, 0}, NPY_DOUBLE},
        {"next_x", lm->wa2, 1, {n, 0}, NPY_DOUBLE},
        {"trial_x", told->trial_x, 1, {n, 0}, NPY_DOUBLE},
    };

    memcpy(arrays, all, sizeof(all));
}

/* In bytes. */
static size_t
size_of(const Saved *saved)
{
    const size_t entry = saved->type == NPY_INT ? sizeof(int) : sizeof(double);

    return (size_t)saved->shape[0] * (saved->ndim == 2 ? (size_t)saved->shape[1] : 1) * entry;
}

/* Write a table's numbers to a state. Returns 0, or -1 with an exception. */
static int
put_numbers(PyObject *state, const Number *numbers, const Told *told)
{
    const char *field;

    for (; numbers->name != NULL; numbers++) {
        field = (const char *)told + numbers->offset;
        if (put_entry(state, numbers->name, numbers->is_double ? PyFloat_FromDouble(*(const double *)field)
                                                         : PyLong_FromLong(*(const int *)field)) < 0)
            return -1;
    }
    return 0;
}

/* A copy of an array, or None for NULL; a new reference, or NULL with an exception. */
static PyObject *
copy_or_None(PyArrayObject *array)
{
    return array == NULL ? Py_NewRef(Py_None) : PyArray_NewCopy(array, NPY_CORDER);
}

/* Write the vector options to a state. Returns 0, or -1 with an exception. */
static int
put_vectors(PyObject *state, const Options *options)
{
    const OptionVector *vector;

    for (vector = options_vectors; vector->name != NULL; vector++)
        if (put_entry(state, vector->name, copy_or_None(*(PyArrayObject *const *)((const char *)options + vector->offset))) < 0)
            return -1;
    return 0;
}

/* Write the points of the differences told one by one, in increasing order, and their residuals to a state. Returns 0, or
 * -1 with an exception. */
static int
put_answers(PyObject *state, const Told *told)
{
    const MinpackState *lm = &told->fit.lm;
    npy_intp shape[2] = {told->answers_told, lm->m};
    PyObject *points = NULL;    /* owned until the state takes it */
    PyObject *answers = NULL;   /* likewise */
    int j, k = 0;

    points = PyArray_SimpleNew(1, shape, NPY_INT);
    answers = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    for (j = 0; j < lm->n && points != NULL && answers != NULL; j++)
        if (told->answered[j]) {
            ((int *)PyArray_DATA((PyArrayObject *)points))[k] = j;
            memcpy(PyArray_GETPTR1((PyArrayObject *)answers, k), told->answers + (size_t)j * (size_t)lm->m,
                   (size_t)lm->m * sizeof(double));
            k++;
        }
    if (put_entry(state, "points_told", points) < 0) {
        Py_XDECREF(answers);
        return -1;
    }
    return put_entry(state, "answers", answers);
}

/* Write what is present once residuals have been told. Returns 0, or -1 with an exception. */
static int
put_progress(PyObject *state, const Told *told)
{
    Saved arrays[ARRAYS];
    PyObject *array = NULL;     /* owned until the state takes it */
    size_t i;

    if (put_numbers(state, progress, told) < 0)
        return -1;
    for (i = 0; i < sizeof(indices) / sizeof(indices[0]); i++)
        if (put_entry(state, indices[i].name,
                PyLong_FromSsize_t((Py_ssize_t)*(const npy_intp *)((const char *)told + indices[i].offset))) < 0)
            return -1;
    arrays_of(told, arrays);
    for (i = 0; i < ARRAYS; i++) {
        array = PyArray_SimpleNew(arrays[i].ndim, arrays[i].shape, arrays[i].type);
        if (array == NULL)
            return -1;
        memcpy(PyArray_DATA((PyArrayObject *)array), arrays[i].values, size_of(&arrays[i]));
        if (put_entry(state, arrays[i].name, array) < 0)
            return -1;
    }
    return put_answers(state, told);
}

PyObject *
state_of(const Told *told)
{
    PyObject *state = NULL;     /* owned, returned */

    state = PyDict_New();
    if (state == NULL)
        return NULL;
    if (put_entry(state, "version", PyLong_FromLong(VERSION)) < 0 || put_numbers(state, settings, told) < 0
            || put_vectors(state, &told->fit.options) < 0
            || put_entry(state, "x0", PyArray_NewCopy(told->fit.x, NPY_CORDER)) < 0   /* replaced by put_progress */
            || put_entry(state, "begun", PyBool_FromLong(told->fit.lm.known > 0)) < 0
            || (told->fit.lm.known > 0 && put_progress(state, told) < 0))
        Py_CLEAR(state);
    return state;
}

/* Read a table's numbers. Returns 0, or -1 with a ValueError. */
static int
get_numbers(PyObject *state, const Number *numbers, Told *told)
{
    PyObject *entry;
    Py_ssize_t number;
    char *field;

    for (; numbers->name != NULL; numbers++) {
        field = (char *)told + numbers->offset;
        if (!numbers->is_double) {
            if (get_integer(state, numbers->name, numbers->least, numbers->most, &number) < 0)
                return -1;
            *(int *)field = (int)number;
            continue;
        }
        entry = entry_of(state, numbers->name);
        if (entry == NULL)
            return -1;
        if (!PyFloat_Check(entry))
            return damaged(numbers->name, "is not a float");
        *(double *)field = PyFloat_AS_DOUBLE(entry);
    }
    return 0;
}

/* Read the vector options, of length n. Returns 0, or -1 with an exception. */
static int
get_vectors(PyObject *state, int n, Options *options)
{
    const OptionVector *vector;

    for (vector = options_vectors; vector->name != NULL; vector++)
        if (get_vector_or_None(state, vector->name, n, (PyArrayObject **)((char *)options + vector->offset)) < 0)
            return -1;
    return 0;
}

/* Read the points of the differences told one by one. Returns 0, or -1 with an exception. */
static int
get_answers(PyObject *state, Told *told)
{
    const MinpackState *lm = &told->fit.lm;
    const int most = lm->request == MINPACK_WANT_FJAC && !told->fit.has_jacobian ? lm->n - 1 : 0;
    PyArrayObject *points = NULL;   /* owned */
    PyArrayObject *answers = NULL;  /* owned */
    const int *point;
    npy_intp i, k;
    int status = -1;

    points = get_array(state, "points_told", 1, NPY_INT);
    if (points == NULL)
        goto done;
    answers = get_array(state, "answers", 2, NPY_DOUBLE);
    if (answers == NULL)
        goto done;
    point = PyArray_DATA(points);
    k = PyArray_DIM(points, 0);
    for (i = 0; i < k && k <= most; i++)
        if (point[i] < 0 || point[i] >= lm->n || (i > 0 && point[i] <= point[i - 1]))
            break;
    if (i < k) {
        damaged("points_told", "does not list some of the wanted points in increasing order");
        goto done;
    }
    if (PyArray_DIM(answers, 0) != k || PyArray_DIM(answers, 1) != lm->m) {
        damaged("answers", "does not have the shape that points_told and fvec require");
        goto done;
    }
    if (k > 0 && told_make_answers(told) < 0)
        goto done;
    for (i = 0; i < k; i++) {
        memcpy(told->answers + (size_t)point[i] * (size_t)lm->m, PyArray_GETPTR1(answers, i),
               (size_t)lm->m * sizeof(double));
        told->answered[point[i]] = 1;
    }
    told->answers_told = (int)k;
    status = 0;
done:
    Py_XDECREF(points);
    Py_XDECREF(answers);
    return status;
}

/* Check that the request is consistent with what has been told. Returns 0, or -1 with a ValueError. */
static int
check_progress(const Told *told)
{
    const MinpackState *lm = &told->fit.lm;

    if (lm->request == MINPACK_GO_ON || (lm->request != MINPACK_WANT_FJAC && lm->known < 2))
        return damaged("request", "is inconsistent with what has been told");
    if (lm->request == MINPACK_DONE && lm->info < MINPACK_FTOL)
        return damaged("info", "is not a reason to stop");
    if (misplaced_pivot(lm->ipvt, lm->n, (char *)lm->wa3) < lm->n)
        return damaged("ipvt", "is not a permutation of 1 to n");
    return 0;
}

/* Read what is present once residuals have been told. Returns 0, or -1 with an exception. */
static int
get_progress(PyObject *state, Py_ssize_t version, Told *told)
{
    MinpackState *lm = &told->fit.lm;
    PyArrayObject *fvec = NULL;     /* owned until the fit takes it */
    PyArrayObject *array = NULL;    /* owned */
    Saved arrays[ARRAYS];
    Py_ssize_t number;
    size_t i;

    fvec = get_array(state, "fvec", 1, NPY_DOUBLE);
    if (fvec == NULL)
        return -1;
    if (PyArray_DIM(fvec, 0) < lm->n || PyArray_DIM(fvec, 0) > INT_MAX) {
        Py_DECREF(fvec);
        return damaged("fvec", "does not have the size that x0 requires");
    }
    if (fit_bind(&told->fit, fvec, 0.0) < 0)
        return -1;
    minpack_start(lm);
    told->shown = *lm;
    if (get_numbers(state, progress, told) < 0)
        return -1;
    for (i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        if (version < indices[i].since)
            continue;
        if (get_integer(state, indices[i].name, 0, PY_SSIZE_T_MAX, &number) < 0)
            return -1;
        *(npy_intp *)((char *)told + indices[i].offset) = (npy_intp)number;
    }
    if (told->fit.nonfinite.call != 0)
        told->fit.nonfinite.role = "tell";
    if (told->fit.masked.call != 0)
        told->fit.masked.role = "tell";
    arrays_of(told, arrays);
    for (i = 0; i < ARRAYS; i++) {
        Py_XSETREF(array, get_array(state, arrays[i].name, arrays[i].ndim, arrays[i].type));
        if (array == NULL)
            return -1;
        if (PyArray_NBYTES(array) != (npy_intp)size_of(&arrays[i])
                || PyArray_DIM(array, 0) != arrays[i].shape[0]) {
            Py_DECREF(array);
            return damaged(arrays[i].name, "does not have the shape that x0 and fvec require");
        }
        memcpy(arrays[i].values, PyArray_DATA(array), size_of(&arrays[i]));
    }
    Py_XDECREF(array);
    if (check_progress(told) < 0)
        return -1;
    return version == WITHOUT_POINTS ? 0 : get_answers(state, told);
}

/* shown is the fit's state, except for what the next step changed. */
static void
complete_shown(Told *told)
{
    const MinpackState shown = told->shown;

    told->shown = told->fit.lm;
    told->shown.pnorm = shown.pnorm;
    told->shown.delta = shown.delta;
    told->shown.par = shown.par;
}

int
told_from_state(Told *told, PyObject *state)
{
    PyArrayObject *x = NULL;    /* owned until *told takes it */
    Py_ssize_t version, begun;
    int n;

    if (!PyDict_Check(state)) {
        PyErr_Format(PyExc_ValueError, "LevenbergMarquardt: the saved state must be a dict, not %.200s",
                     Py_TYPE(state)->tp_name);
        return -1;
    }
    if (get_integer(state, "version", PY_SSIZE_T_MIN, PY_SSIZE_T_MAX, &version) < 0)
        return -1;
    if (version != VERSION && version != WITHOUT_POINTS) {
        PyErr_Format(PyExc_ValueError, "LevenbergMarquardt: the saved state has version %zd; expected %d or %d", version,
                     WITHOUT_POINTS, VERSION);
        return -1;
    }
    told->fit.options.solver = minpack_solvers[0];
    x = get_array(state, "x0", 1, NPY_DOUBLE);
    if (x == NULL)
        return -1;
    if (PyArray_DIM(x, 0) > INT_MAX - 1) {
        Py_DECREF(x);
        return damaged("x0", "is too long");
    }
    n = (int)PyArray_DIM(x, 0);
    if (told_begin(told, x) < 0 || get_numbers(state, settings, told) < 0
            || get_vectors(state, n, &told->fit.options) < 0
            || get_integer(state, "begun", 0, 1, &begun) < 0)
        return -1;
    if (options_refuse_improper(&told->fit.options, n) < 0)
        return damaged("options", "are improper");
    if (begun && get_progress(state, version, told) < 0)
        return -1;
    if (begun)
        complete_shown(told);
    return 0;
}
