/* The state of a LevenbergMarquardt as plain numbers and arrays, to be saved and read again.
 *
 * One table says what is in it, so that what is written is what is read. Whatever a file may hold, a fit that was made from
 * it stays within its arrays: sizes fit together, ipvt is a permutation, and numbers that count or choose are in range.
 */
#include "saved_fit.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "errors.h"

enum { VERSION = 1 };

/* Numbers by name: where they are in Told, and between which bounds an integer is. */
typedef struct {
    const char *name;
    size_t offset;
    int is_double;
    int least;
    int most;
} Number;

#define LM(field) (offsetof(Told, fit) + offsetof(Fit, lm) + offsetof(LmState, field))
#define SHOWN(field) (offsetof(Told, shown) + offsetof(LmState, field))
#define OPTION(field) (offsetof(Told, options) + offsetof(Options, field))

static const Number settings[] = {
    {"jacobian", offsetof(Told, jacobian), 0, 0, 1},
    {"col_deriv", offsetof(Told, col_deriv), 0, 0, 1},
    {"ftol", OPTION(ftol), 1, 0, 0},
    {"xtol", OPTION(xtol), 1, 0, 0},
    {"gtol", OPTION(gtol), 1, 0, 0},
    {"factor", OPTION(factor), 1, 0, 0},
    {"maxfev", OPTION(maxfev), 0, 1, INT_MAX},
    {"has_epsfcn", OPTION(has_epsfcn), 0, 0, 1},
    {"epsfcn", OPTION(epsfcn), 1, 0, 0},
    {"tells", offsetof(Told, tells), 0, 0, INT_MAX / 2},
    {NULL, 0, 0, 0, 0},
};

/* What is there once residuals have been told. */
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
    {"nonfinite_call", offsetof(Told, nonfinite) + offsetof(NonFinite, call), 0, 0, INT_MAX},
    {"masked_call", offsetof(Told, masked) + offsetof(Masked, call), 0, 0, INT_MAX},
    {NULL, 0, 0, 0, 0},
};

/* What counts in npy_intp. */
static const struct {
    const char *name;
    size_t offset;
} indices[] = {
    {"nonfinite_index", offsetof(Told, nonfinite) + offsetof(NonFinite, index)},
    {"masked_index", offsetof(Told, masked) + offsetof(Masked, index)},
    {"masked_count", offsetof(Told, masked) + offsetof(Masked, count)},
    {"masked_size", offsetof(Told, masked) + offsetof(Masked, size)},
};

/* An array of a fit: a name, its numbers in the solver's memory, its shape, its type. */
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
    const LmState *lm = &fit->lm;
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

/* The number of bytes of a saved array. */
static size_t
size_of(const Saved *saved)
{
    const size_t entry = saved->type == NPY_INT ? sizeof(int) : sizeof(double);

    return (size_t)saved->shape[0] * (saved->ndim == 2 ? (size_t)saved->shape[1] : 1) * entry;
}

/* state[name] = value, which is stolen and NULL after an exception. 0, or -1 with one. */
static int
put(PyObject *state, const char *name, PyObject *value)
{
    int status = -1;

    if (value != NULL)
        status = PyDict_SetItemString(state, name, value);
    Py_XDECREF(value);
    return status;
}

/* Put the numbers of a table into a state. 0, or -1 with an exception. */
static int
put_numbers(PyObject *state, const Number *numbers, const Told *told)
{
    const char *field;

    for (; numbers->name != NULL; numbers++) {
        field = (const char *)told + numbers->offset;
        if (put(state, numbers->name, numbers->is_double ? PyFloat_FromDouble(*(const double *)field)
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

/* Put what is there once residuals have been told into a state. 0, or -1 with an exception. */
static int
put_progress(PyObject *state, const Told *told)
{
    Saved arrays[ARRAYS];
    PyObject *array = NULL;     /* owned until the state takes it */
    size_t i;

    if (put_numbers(state, progress, told) < 0)
        return -1;
    for (i = 0; i < sizeof(indices) / sizeof(indices[0]); i++)
        if (put(state, indices[i].name,
                PyLong_FromSsize_t((Py_ssize_t)*(const npy_intp *)((const char *)told + indices[i].offset))) < 0)
            return -1;
    arrays_of(told, arrays);
    for (i = 0; i < ARRAYS; i++) {
        array = PyArray_SimpleNew(arrays[i].ndim, arrays[i].shape, arrays[i].type);
        if (array == NULL)
            return -1;
        memcpy(PyArray_DATA((PyArrayObject *)array), arrays[i].values, size_of(&arrays[i]));
        if (put(state, arrays[i].name, array) < 0)
            return -1;
    }
    return 0;
}

PyObject *
state_of(const Told *told)
{
    PyObject *state = NULL;     /* owned, returned */

    state = PyDict_New();
    if (state == NULL)
        return NULL;
    if (put(state, "version", PyLong_FromLong(VERSION)) < 0 || put_numbers(state, settings, told) < 0
            || put(state, "diag", copy_or_None(told->options.diag)) < 0
            || put(state, "typical_x", copy_or_None(told->options.typical_x)) < 0
            || put(state, "x0", PyArray_NewCopy(told->fit.x, NPY_CORDER)) < 0   /* the fit's own x0 once it has begun */
            || put(state, "begun", PyBool_FromLong(told->fit.lm.known > 0)) < 0
            || (told->fit.lm.known > 0 && put_progress(state, told) < 0))
        Py_CLEAR(state);
    return state;
}

/* Refuse a state; the pending exception, if any, becomes the cause. */
static int
damaged(const char *name, const char *what)
{
    raise_from_pending(PyExc_ValueError, PyUnicode_FromFormat("LevenbergMarquardt: the saved state's %s %s", name, what));
    return -1;
}

PyObject *
entry_if_any(PyObject *state, const char *name)
{
    PyObject *key = NULL;       /* owned */
    PyObject *entry = NULL;     /* borrowed, returned */

    key = PyUnicode_FromString(name);
    if (key != NULL)
        entry = PyDict_GetItemWithError(state, key);
    Py_XDECREF(key);
    return entry;
}

/* An entry of a state, borrowed; NULL with an exception, a ValueError if it is not there. */
static PyObject *
entry_of(PyObject *state, const char *name)
{
    PyObject *entry = entry_if_any(state, name);

    if (entry == NULL && !PyErr_Occurred())
        damaged(name, "is missing");
    return entry;
}

/* *number <- an integer of a state. 0, or -1 with a ValueError. */
static int
get_integer(PyObject *state, const char *name, Py_ssize_t least, Py_ssize_t most, Py_ssize_t *number)
{
    PyObject *entry = entry_of(state, name);

    if (entry == NULL)
        return -1;
    if (!PyLong_Check(entry))
        return damaged(name, "is no integer");
    *number = PyLong_AsSsize_t(entry);
    if (PyErr_Occurred() || *number < least || *number > most)
        return damaged(name, "is out of range");
    return 0;
}

/* Read the numbers of a table. 0, or -1 with a ValueError. */
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
            return damaged(numbers->name, "is no float");
        *(double *)field = PyFloat_AS_DOUBLE(entry);
    }
    return 0;
}

/* An array of a state, of one or two dimensions, in native byte order and contiguous. A new reference, or NULL with a
 * ValueError. */
static PyArrayObject *
get_array(PyObject *state, const char *name, int ndim, int type)
{
    PyObject *entry = entry_of(state, name);
    PyArrayObject *array = NULL;    /* owned, returned */

    if (entry == NULL)
        return NULL;
    if (PyArray_Check(entry) && PyArray_NDIM((PyArrayObject *)entry) == ndim
            && PyArray_TYPE((PyArrayObject *)entry) == type)
        array = (PyArrayObject *)PyArray_FromArray((PyArrayObject *)entry, PyArray_DescrFromType(type),
                                                   NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_ENSUREARRAY);
    if (array != NULL && PyArray_NDIM(array) != ndim)       /* another thread has changed it meanwhile */
        Py_CLEAR(array);
    if (array == NULL && !PyErr_Occurred())
        damaged(name, "is not the array that it was");
    return array;
}

/* *array <- n numbers of a state, or NULL for None. 0, or -1 with a ValueError. */
static int
get_vector_or_None(PyObject *state, const char *name, npy_intp n, PyArrayObject **array)
{
    if (entry_if_any(state, name) == Py_None)
        return 0;
    if (PyErr_Occurred())
        return -1;
    *array = get_array(state, name, 1, NPY_DOUBLE);
    if (*array == NULL)
        return -1;
    return PyArray_DIM(*array, 0) == n ? 0 : damaged(name, "has not the length of x0");
}

/* Whether ipvt is a permutation of 1 to n. wa: n, work. */
static int
is_permutation(const int *ipvt, int n, double *wa)
{
    int j;

    for (j = 0; j < n; j++)
        wa[j] = 0;
    for (j = 0; j < n; j++) {
        if (ipvt[j] < 1 || ipvt[j] > n || wa[ipvt[j] - 1] != 0)
            return 0;
        wa[ipvt[j] - 1] = 1;
    }
    return 1;
}

/* Whether what is asked for goes with what has been told. 0, or -1 with a ValueError. */
static int
check_progress(const Told *told)
{
    const LmState *lm = &told->fit.lm;

    if (lm->request == MINPACK_GO_ON || (lm->request != MINPACK_WANT_FJAC && lm->known < 2))
        return damaged("request", "does not go with what has been told");
    if (lm->request == MINPACK_DONE && lm->info < MINPACK_FTOL)
        return damaged("info", "is no reason to stop");
    if (!is_permutation(lm->ipvt, lm->n, lm->wa3))
        return damaged("ipvt", "is no permutation");
    return 0;
}

/* Read what is there once residuals have been told. 0, or -1 with an exception. */
static int
get_progress(PyObject *state, Told *told)
{
    LmState *lm = &told->fit.lm;
    PyArrayObject *x = NULL;        /* owned until the fit takes it */
    PyArrayObject *fvec = NULL;     /* likewise */
    PyArrayObject *array = NULL;    /* owned */
    Saved arrays[ARRAYS];
    Py_ssize_t number;
    size_t i;

    x = get_array(state, "x", 1, NPY_DOUBLE);
    if (x == NULL)
        return -1;
    fvec = get_array(state, "fvec", 1, NPY_DOUBLE);
    if (fvec == NULL || PyArray_DIM(x, 0) != lm->n || PyArray_DIM(fvec, 0) < lm->n || PyArray_DIM(fvec, 0) > INT_MAX) {
        if (fvec != NULL)
            damaged("fvec", "or x has not the size that x0 asks for");
        Py_DECREF(x);
        Py_XDECREF(fvec);
        return -1;
    }
    fit_clear(&told->fit);
    if (fit_init(&told->fit, &told->options, 0.0, x, fvec) < 0)
        return -1;
    minpack_start(lm);
    told->shown = *lm;
    if (get_numbers(state, progress, told) < 0)
        return -1;
    for (i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        if (get_integer(state, indices[i].name, 0, PY_SSIZE_T_MAX, &number) < 0)
            return -1;
        *(npy_intp *)((char *)told + indices[i].offset) = (npy_intp)number;
    }
    told->nonfinite.role = told->masked.role = "tell";
    arrays_of(told, arrays);
    for (i = 0; i < ARRAYS; i++) {
        Py_XSETREF(array, get_array(state, arrays[i].name, arrays[i].ndim, arrays[i].type));
        if (array == NULL)
            return -1;
        if (PyArray_NBYTES(array) != (npy_intp)size_of(&arrays[i])
                || PyArray_DIM(array, 0) != arrays[i].shape[0]) {
            Py_DECREF(array);
            return damaged(arrays[i].name, "has not the shape that x0 and fvec ask for");
        }
        memcpy(arrays[i].values, PyArray_DATA(array), size_of(&arrays[i]));
    }
    Py_XDECREF(array);
    return check_progress(told);
}

/* shown is the fit's state but for what the next step changed. */
static void
complete_shown(Told *told)
{
    const LmState shown = told->shown;

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
        PyErr_Format(PyExc_ValueError, "LevenbergMarquardt: the saved state is of type %.200s; expected a dict",
                     Py_TYPE(state)->tp_name);
        return -1;
    }
    if (get_integer(state, "version", PY_SSIZE_T_MIN, PY_SSIZE_T_MAX, &version) < 0)
        return -1;
    if (version != VERSION) {
        PyErr_Format(PyExc_ValueError, "LevenbergMarquardt: the saved state has version %zd; expected %d", version,
                     VERSION);
        return -1;
    }
    told->options.solver = minpack_solvers[0];
    x = get_array(state, "x0", 1, NPY_DOUBLE);
    if (x == NULL)
        return -1;
    if (PyArray_DIM(x, 0) > INT_MAX - 1) {
        Py_DECREF(x);
        return damaged("x0", "is too long");
    }
    n = (int)PyArray_DIM(x, 0);
    if (told_begin(told, x) < 0 || get_numbers(state, settings, told) < 0
            || get_vector_or_None(state, "diag", n, &told->options.diag) < 0
            || get_vector_or_None(state, "typical_x", n, &told->options.typical_x) < 0
            || get_integer(state, "begun", 0, 1, &begun) < 0)
        return -1;
    if (options_refuse_improper(&told->options, n) < 0)
        return damaged("options", "are improper");
    if (begun && get_progress(state, told) < 0)
        return -1;
    if (begun)
        complete_shown(told);
    return 0;
}
