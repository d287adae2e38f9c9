/* The options of a fit: parsed, checked, and named in errors. */
#include "options.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "gil.h"
#include "outcome.h"

/* Copy a value to a new float64 array. A new reference, or NULL with an exception that names the option. expected: what
 * the option must be, for the message. */
static PyArrayObject *
real_copy(const char *caller, const char *name, PyObject *value, PyObject *expected)
{
    PyObject *own = NULL;           /* owned */
    PyArrayObject *array = NULL;    /* owned, returned */

    own = PyArray_Check(value) ? (PyObject *)shielded((PyArrayObject *)value, 0) : Py_NewRef(value);
    if (own != NULL)
        array = (PyArrayObject *)PyArray_FromAny(
            own, PyArray_DescrFromType(NPY_DOUBLE), 0, 0,
            NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_ENSUREARRAY, NULL);
    Py_XDECREF(own);
    if (array == NULL && (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError)))
        raise_from_pending(PyErr_ExceptionMatches(PyExc_TypeError) ? PyExc_TypeError : PyExc_ValueError,
                           PyUnicode_FromFormat("%s: %s must be %U, not %.200s", caller, name, expected,
                                                Py_TYPE(value)->tp_name));
    return array;
}

/* Parse a value into *field, a member of Options, for a fit of n variables. Returns 0, or -1 with an exception that names
 * the option. */
typedef int Parse(const char *caller, const char *name, PyObject *value, npy_intp n, void *field);

/* diag: a new float64 vector of length n. */
static int
parse_scaling(const char *caller, const char *name, PyObject *value, npy_intp n, void *field)
{
    PyArrayObject *array = NULL;    /* owned until the field takes it */
    PyObject *expected = NULL;      /* owned */

    expected = PyUnicode_FromFormat("a vector of %zd real numbers", (Py_ssize_t)n);
    if (expected != NULL)
        array = real_copy(caller, name, value, expected);
    Py_XDECREF(expected);
    if (array == NULL)
        return -1;
    if (PyArray_NDIM(array) != 1)
        PyErr_Format(PyExc_ValueError, "%s: %s has %d dimensions; expected a vector of length %zd", caller, name,
                     PyArray_NDIM(array), (Py_ssize_t)n);
    else if (PyArray_DIM(array, 0) != n)
        PyErr_Format(PyExc_ValueError, "%s: %s has length %zd; expected length %zd, an entry for each parameter",
                     caller, name, (Py_ssize_t)PyArray_DIM(array, 0), (Py_ssize_t)n);
    else {
        *(PyArrayObject **)field = array;
        return 0;
    }
    Py_DECREF(array);
    return -1;
}

/* A positive number, or n of them: a new float64 vector of length n. */
static int
parse_sizes(const char *caller, const char *name, PyObject *value, npy_intp n, void *field)
{
    PyArrayObject *array = NULL;    /* owned */
    PyArrayObject *vector = NULL;   /* owned until the field takes it */
    PyObject *expected = NULL;      /* owned */
    PyObject *number = NULL;        /* owned */
    const double *given;
    double *size;
    npy_intp j;
    int status = -1;

    expected = PyUnicode_FromFormat("a positive number or a vector of %zd of them", (Py_ssize_t)n);
    if (expected != NULL)
        array = real_copy(caller, name, value, expected);
    if (array == NULL)
        goto done;
    if (PyArray_NDIM(array) > 1) {
        PyErr_Format(PyExc_ValueError, "%s: %s has %d dimensions; expected %U", caller, name, PyArray_NDIM(array),
                     expected);
        goto done;
    }
    if (PyArray_NDIM(array) == 1 && PyArray_DIM(array, 0) != n) {
        PyErr_Format(PyExc_ValueError, "%s: %s has length %zd; expected %U", caller, name,
                     (Py_ssize_t)PyArray_DIM(array, 0), expected);
        goto done;
    }
    vector = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (vector == NULL)
        goto done;
    given = PyArray_DATA(array);
    size = PyArray_DATA(vector);
    for (j = 0; j < n; j++) {
        size[j] = given[PyArray_NDIM(array) == 0 ? 0 : j];
        if (size[j] > 0 && isfinite(size[j]))
            continue;
        number = PyFloat_FromDouble(size[j]);
        if (number != NULL && PyArray_NDIM(array) == 0)
            PyErr_Format(PyExc_ValueError, "%s: %s is %R; expected %U", caller, name, number, expected);
        else if (number != NULL)
            PyErr_Format(PyExc_ValueError, "%s: %s[%zd] is %R; expected a positive number", caller, name, (Py_ssize_t)j,
                         number);
        goto done;
    }
    *(PyArrayObject **)field = (PyArrayObject *)Py_NewRef((PyObject *)vector);
    status = 0;
done:
    Py_XDECREF(array);
    Py_XDECREF(vector);
    Py_XDECREF(expected);
    Py_XDECREF(number);
    return status;
}

int
parse_number(const char *caller, const char *name, PyObject *value, double *number)
{
    *number = PyFloat_AsDouble(value);
    if (*number != -1.0 || !PyErr_Occurred())
        return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        raise_from_pending(PyExc_TypeError, PyUnicode_FromFormat("%s: %s must be a real number, not %.200s", caller,
                                                                 name, Py_TYPE(value)->tp_name));
    else if (PyErr_ExceptionMatches(PyExc_ValueError))
        raise_from_pending(PyExc_ValueError, PyUnicode_FromFormat("%s: %s must be a real number; this %.200s is not",
                                                                  caller, name, Py_TYPE(value)->tp_name));
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        raise_from_pending(PyExc_OverflowError,
                           PyUnicode_FromFormat("%s: %s is too large; expected a float64", caller, name));
    return -1;
}

static int
parse_real(const char *caller, const char *name, PyObject *value, npy_intp Py_UNUSED(n), void *field)
{
    return parse_number(caller, name, value, field);
}

/* Any integer that fits a C int. NumPy's bool is not an integer to Python. */
static int
parse_limit(const char *caller, const char *name, PyObject *value, npy_intp Py_UNUSED(n), void *field)
{
    PyObject *index = NULL;     /* owned */
    int overflow, status = -1;
    long number;

    index = PyArray_IsScalar(value, Bool) ? PyLong_FromLong(PyObject_IsTrue(value)) : PyNumber_Index(value);
    if (index == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            raise_from_pending(PyExc_TypeError, PyUnicode_FromFormat("%s: %s must be an integer, not %.200s", caller, name,
                                                                     Py_TYPE(value)->tp_name));
        return -1;
    }
    number = PyLong_AsLongAndOverflow(index, &overflow);
    if (overflow || number > INT_MAX || number < INT_MIN)
        PyErr_Format(PyExc_OverflowError, "%s: %s is %S; expected a C int, at %s %d", caller, name, index,
                     overflow > 0 || number > INT_MAX ? "most" : "least",
                     overflow > 0 || number > INT_MAX ? INT_MAX : INT_MIN);
    else if (!(number == -1 && PyErr_Occurred())) {
        *(int *)field = (int)number;
        status = 0;
    }
    Py_DECREF(index);
    return status;
}

/* MINPACK's default limit: 200 * (n + 1) calls, or 100 * (n + 1) with Dfun. */
static int
default_maxfev(int n, int has_jacobian)
{
    const long long limit = (has_jacobian ? 100LL : 200LL) * (n + 1LL);

    return limit < INT_MAX ? (int)limit : INT_MAX;
}

/* The value of an environment variable; None if it is empty or not set. A new reference, or NULL with an exception. */
static PyObject *
from_environment(const char *variable)
{
#ifdef Py_GIL_DISABLED
    /* Another thread may be setting a variable: os.environ tolerates that, getenv does not. */
    PyObject *os = NULL;        /* owned */
    PyObject *environ = NULL;   /* owned */
    PyObject *value = NULL;     /* owned, returned */

    os = PyImport_ImportModule("os");
    if (os != NULL)
        environ = PyObject_GetAttrString(os, "environ");
    if (environ != NULL)
        value = PyObject_CallMethod(environ, "get", "s", variable);
    if (value != NULL && PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value) == 0)
        Py_SETREF(value, Py_NewRef(Py_None));
    Py_XDECREF(os);
    Py_XDECREF(environ);
    return value;
#else
    const char *value = getenv(variable);

    return value == NULL || *value == '\0' ? Py_NewRef(Py_None) : PyUnicode_DecodeFSDefault(value);
#endif
}

int
parse_solver(PyObject *value, const char *caller, const MinpackSolver **solver)
{
    static const char variable[] = "PYMINPACK_SOLVER";
    const char *origin = value == Py_None ? variable : "solver";
    PyObject *given = NULL;     /* owned */
    PyObject *name = NULL;      /* owned: exactly a str, so that comparing runs no user code */
    int i, status = -1;

    given = value == Py_None ? from_environment(variable) : Py_NewRef(value);
    if (given == Py_None) {
        *solver = minpack_solvers[0];
        status = 0;
        goto done;
    }
    if (given != NULL && PyUnicode_Check(given))
        name = PyUnicode_FromObject(given);
    else if (given != NULL)
        PyErr_Format(PyExc_TypeError, "%s: %s must be a string or None, not %.200s", caller, origin,
                     Py_TYPE(given)->tp_name);
    if (name == NULL)
        goto done;
    for (i = 0; minpack_solvers[i] != NULL && status < 0; i++)
        if (PyUnicode_CompareWithASCIIString(name, minpack_solvers[i]->name) == 0) {
            *solver = minpack_solvers[i];
            status = 0;
        }
    if (status < 0 && PyUnicode_CompareWithASCIIString(name, "original") == 0)
        PyErr_Format(PyExc_ImportError,
                     "%s: %s is 'original', which is not in this build; build pyminpack where Debian's minpack-dev is"
                     " installed, or with -Csetup-args=-Doriginal_minpack=PATH", caller, origin);
    else if (status < 0)
        PyErr_Format(PyExc_ValueError, "%s: %s is %R; expected 'builtin' or 'original'", caller, origin, name);
done:
    Py_XDECREF(given);
    Py_XDECREF(name);
    return status;
}

static int
parse_solver_option(const char *caller, const char *Py_UNUSED(name), PyObject *value, npy_intp Py_UNUSED(n), void *field)
{
    return parse_solver(value, caller, field);
}

#define FIELD(name) offsetof(Options, name)

/* In the order of leastsq's arguments. */
static const struct {
    const char *name;
    Parse *parse;
    size_t field;
    int may_be_None;            /* None means the default */
    int is_ours;                /* not supported by MINPACK's own drivers */
    const char *expected;       /* for a number that MINPACK may find improper */
} table[OPTIONS] = {
    {"ftol", parse_real, FIELD(ftol), 0, 0, "at least 0"},
    {"xtol", parse_real, FIELD(xtol), 0, 0, "at least 0"},
    {"gtol", parse_real, FIELD(gtol), 0, 0, "at least 0"},
    {"maxfev", parse_limit, FIELD(maxfev), 0, 0, NULL},
    {"epsfcn", parse_real, FIELD(epsfcn), 1, 0, NULL},
    {"factor", parse_real, FIELD(factor), 0, 0, "a positive number"},
    {"diag", parse_scaling, FIELD(vectors.diag), 1, 0, NULL},
    {"solver", parse_solver_option, FIELD(solver), 0, 0, NULL},
    {"typical_x", parse_sizes, FIELD(vectors.typical_x), 1, 1, NULL},
};

static const Options DEFAULTS = {.ftol = 1.49012e-8, .xtol = 1.49012e-8, .factor = 100};

const OptionVector options_vectors[] = {
    {"diag", FIELD(vectors.diag)}, {"typical_x", FIELD(vectors.typical_x)}, {NULL, 0},
};

/* Where Options holds a vector's array. */
static PyArrayObject **
vector_of(Options *options, const OptionVector *vector)
{
    return (PyArrayObject **)((char *)options + vector->offset);
}

/* Where to store the argument or option of a name; NULL if there is none. */
static PyObject **
place_of(const Argument *arguments, GivenOptions options, PyObject *name)
{
    int i;

    for (; arguments->name != NULL; arguments++)
        if (PyUnicode_CompareWithASCIIString(name, arguments->name) == 0)
            return arguments->value;
    for (i = 0; i < OPTIONS; i++)
        if (PyUnicode_CompareWithASCIIString(name, table[i].name) == 0)
            return &options[i];
    return NULL;
}

int
options_take(const char *function, const Argument *arguments, GivenOptions options, PyObject *values, PyObject *keywords)
{
    PyObject *name, *value;     /* borrowed */
    PyObject **place;           /* borrowed */
    Py_ssize_t i, next = 0;

    if (PyTuple_GET_SIZE(values) > OPTIONS) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d options (%zd given)", function, OPTIONS, PyTuple_GET_SIZE(values));
        return -1;
    }
    for (i = 0; i < PyTuple_GET_SIZE(values); i++)
        options[i] = Py_NewRef(PyTuple_GET_ITEM(values, i));
    while (PyDict_Next(keywords, &next, &name, &value)) {
        place = place_of(arguments, options, name);
        if (place == NULL || *place != NULL) {
            PyErr_Format(PyExc_TypeError, place == NULL ? "%s() got an unexpected keyword argument '%U'"
                                                        : "%s() got multiple values for argument '%U'", function, name);
            return -1;
        }
        *place = Py_NewRef(value);
    }
    return 0;
}

void
options_release(GivenOptions options)
{
    int i;

    for (i = 0; i < OPTIONS; i++)
        Py_CLEAR(options[i]);
}

int
options_parse(Options *options, const char *caller, const GivenOptions given, int n, int has_jacobian)
{
    PyObject *value;            /* borrowed */
    int i;

    *options = DEFAULTS;
    options->solver = minpack_solvers[0];
    for (i = 0; i < OPTIONS; i++) {
        value = given[i];
        if (table[i].field == FIELD(epsfcn)) {
            options->has_epsfcn = value != NULL && value != Py_None && !has_jacobian;
            if (!options->has_epsfcn)
                continue;
        }
        if (value == NULL || (table[i].may_be_None && value == Py_None))
            continue;
        if (table[i].parse(caller, table[i].name, value, n, (char *)options + table[i].field) < 0
                || (table[i].is_ours && options_check_solver(options, caller, table[i].name) < 0))
            return -1;
    }
    if (options->maxfev <= 0)
        options->maxfev = default_maxfev(n, has_jacobian);
    return 0;
}

void
options_clear(Options *options)
{
    const OptionVector *vector;

    for (vector = options_vectors; vector->name != NULL; vector++)
        Py_CLEAR(*vector_of(options, vector));
}

/* A vector's data; NULL for NULL. */
static double *
numbers_of(PyArrayObject *vector)
{
    return vector == NULL ? NULL : PyArray_DATA(vector);
}

void
options_apply(const Options *options, MinpackState *lm)
{
    lm->maxfev = options->maxfev;
    lm->mode = options->vectors.diag == NULL ? 1 : 2;
    lm->ftol = options->ftol;
    lm->xtol = options->xtol;
    lm->gtol = options->gtol;
    lm->factor = options->factor;
    if (options->has_epsfcn)
        lm->epsfcn = options->epsfcn;
    lm->typical_x = numbers_of(options->vectors.typical_x);
}

int
options_check_solver(const Options *options, const char *caller, const char *what)
{
    if (options->solver == minpack_solvers[0])
        return 0;
    PyErr_Format(PyExc_NotImplementedError, "%s: solver='%s' does not support %s; use solver='builtin' (if solver is"
                 " None, PYMINPACK_SOLVER chooses)", caller, options->solver->name, what);
    return -1;
}

/* Append the sentence "name is value; expected ..." to *text. name: stolen, NULL after an exception. Returns 0, or -1 with
 * an exception and *text unchanged. */
static int
append_sentence(PyObject **text, PyObject *name, double value, const char *expected)
{
    PyObject *longer = NULL;    /* owned */
    char *number = NULL;        /* owned */

    number = PyOS_double_to_string(value, 'r', 0, 0, NULL);
    if (number != NULL && name != NULL)
        longer = PyUnicode_FromFormat("%U %U is %s; expected %s.", *text, name, number, expected);
    Py_XDECREF(name);
    PyMem_Free(number);
    if (longer == NULL)
        return -1;
    Py_SETREF(*text, longer);
    return 0;
}

PyObject *
options_improper(const Options *options, int n)
{
    PyObject *text = NULL;      /* owned, returned */
    const double *diag = numbers_of(options->vectors.diag);
    double value;
    int i, j;

    text = mesg_of(options, MINPACK_IMPROPER_INPUT);
    if (text != NULL && n == 0)
        Py_SETREF(text, PyUnicode_FromFormat("%U x0 is empty.", text));
    for (i = 0; i < OPTIONS && text != NULL; i++) {
        if (table[i].expected == NULL)
            continue;
        value = *(const double *)((const char *)options + table[i].field);
        if ((value < 0 || (value == 0 && table[i].field == FIELD(factor)))
                && append_sentence(&text, PyUnicode_FromString(table[i].name), value, table[i].expected) < 0)
            Py_CLEAR(text);
    }
    for (j = 0; text != NULL && diag != NULL && j < n; j++)
        if (diag[j] <= 0) {
            if (append_sentence(&text, PyUnicode_FromFormat("diag[%d]", j), diag[j], "a positive number") < 0)
                Py_CLEAR(text);
            break;
        }
    return text;
}

int
options_refuse_improper(const Options *options, int n)
{
    MinpackState lm = {.m = n, .n = n, .ldfjac = n, .diag = numbers_of(options->vectors.diag)};
    PyObject *text = NULL;      /* owned */

    options_apply(options, &lm);
    minpack_start(&lm);
    if (lm.request != MINPACK_DONE)
        return 0;
    text = options_improper(options, n);
    if (text != NULL)
        PyErr_SetObject(PyExc_TypeError, text);
    Py_XDECREF(text);
    return -1;
}
