/* leastsq's options: parsed, checked, and named in errors; what ier says of them. */
#include "options.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "errors.h"

/* MINPACK's reasons to stop, in the words that programs written for SciPy compare with; of the values behind. */
static const struct {
    const char *text;
    const char *values;         /* f, x, g: ftol, xtol, gtol; m: maxfev */
} reasons[] = {
    {"Improper input parameters.", ""},
    {"Both actual and predicted relative reductions in the sum of squares\n  are at most %f", "f"},
    {"The relative error between two consecutive iterates is at most %f", "x"},
    {"Both actual and predicted relative reductions in the sum of squares\n  are at most %f and the relative error"
     " between two consecutive iterates is at \n  most %f", "fx"},
    {"The cosine of the angle between func(x) and any column of the\n  Jacobian is at most %f in absolute value", "g"},
    {"Number of calls to function has reached maxfev = %d.", "m"},
    {"ftol=%f is too small, no further reduction in the sum of squares\n  is possible.", "f"},
    {"xtol=%f is too small, no further improvement in the approximate\n  solution is possible.", "x"},
    {"gtol=%f is too small, func(x) is orthogonal to the columns of\n  the Jacobian to machine precision.", "g"},
};

/* What x0 is instead of real numbers, for the text of an error; a new reference, or NULL with an exception. */
static PyObject *
unsafe_x0(PyArrayObject *array)
{
    PyArrayObject *copy = NULL;     /* owned: another thread may change x0 */
    PyObject *const *entries;
    PyObject *entry = NULL;         /* borrowed */
    PyObject *index = NULL;         /* owned */
    PyObject *text = NULL;          /* owned, returned */
    npy_intp i;

    if (PyArray_TYPE(array) != NPY_OBJECT)
        return PyUnicode_FromFormat("x0 is an array of dtype %S", (PyObject *)PyArray_DESCR(array));
    copy = object_copy(array);
    if (copy == NULL)
        return NULL;
    entries = PyArray_DATA(copy);
    for (i = 0; i < PyArray_SIZE(copy) && entry == NULL; i++)
        if (!PyFloat_Check(entries[i]) && !PyLong_Check(entries[i]))
            entry = entries[i];
    if (entry == NULL)
        text = PyUnicode_FromString("x0 is an array of objects");
    else {
        index = PyArray_NDIM(copy) == 0 ? PyUnicode_FromString("") : written_index(copy, i - 1);
        if (index != NULL)
            text = entry == Py_None ? PyUnicode_FromFormat("x0%U is None", index)
                                    : PyUnicode_FromFormat("x0%U is of type %s", index, Py_TYPE(entry)->tp_name);
    }
    Py_DECREF(copy);
    Py_XDECREF(index);
    return text;
}

/* Refuse an x0 that does not cast safely. NumPy's pending refusal becomes the cause, and its text follows ours. */
static void
raise_unsafe_x0(const char *caller, PyArrayObject *array)
{
    PyObject *cause = NULL;     /* owned */
    PyObject *what = NULL;      /* owned */
    PyObject *message = NULL;   /* owned */

    cause = take_raised_exception();
    what = unsafe_x0(array);
    if (what != NULL)
        message = PyUnicode_FromFormat("%s: %U; " REAL_NUMBERS_EXPECTED ": %S", caller, what, cause);
    if (message != NULL)
        raise_from(PyExc_TypeError, Py_NewRef(message), cause);
    Py_XDECREF(cause);
    Py_XDECREF(what);
    Py_XDECREF(message);
}

/* Refuse a list or tuple that makes no array. NumPy's pending refusal becomes the cause, and its text follows ours. */
static void
raise_ragged_x0(const char *caller, PyObject *x0)
{
    PyObject *cause = NULL;     /* owned */
    PyObject *message = NULL;   /* owned */

    cause = take_raised_exception();
    message = PyUnicode_FromFormat("%s: x0 is a %s that makes no array: %S", caller, Py_TYPE(x0)->tp_name, cause);
    if (message != NULL)
        raise_from(PyExc_ValueError, Py_NewRef(message), cause);
    Py_XDECREF(cause);
    Py_XDECREF(message);
}

PyArrayObject *
start_vector(const char *caller, PyObject *x0)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *flat = NULL;         /* owned */
    PyArrayObject *cast = NULL;         /* owned */
    PyArrayObject *x = NULL;            /* owned, returned */
    npy_intp n;

    array = (PyArrayObject *)PyArray_FromAny(x0, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL) {
        if (PyErr_Occurred() == PyExc_ValueError && (PyList_Check(x0) || PyTuple_Check(x0)))
            raise_ragged_x0(caller, x0);
        goto done;
    }
    flat = (PyArrayObject *)(PyArray_NDIM(array) == 1 ? Py_NewRef(array) : PyArray_Ravel(array, NPY_CORDER));
    if (flat == NULL) {
        if (!PyErr_Occurred())      /* NumPy may lose it where memory runs out */
            PyErr_NoMemory();
        goto done;
    }
    cast = as_float64(flat, NPY_ARRAY_C_CONTIGUOUS);
    if (cast == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            raise_unsafe_x0(caller, array);
        goto done;
    }
    n = PyArray_SIZE(cast);
    if (n > INT_MAX - 1) {
        PyErr_Format(PyExc_OverflowError, "%s: x0 has %zd elements; expected at most %d", caller,
                     (Py_ssize_t)n, INT_MAX - 1);
        goto done;
    }
    if ((PyObject *)array != x0 && PyArray_CHKFLAGS(cast, NPY_ARRAY_CARRAY) && PyArray_BASE(cast) == NULL
            && is_ours_alone(cast, cast == array ? 3 : 1)) {
        x = (PyArrayObject *)Py_NewRef(cast);       /* NumPy made it for us */
        goto done;
    }
    x = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (x != NULL)
        memcpy(PyArray_DATA(x), PyArray_DATA(cast), (size_t)n * sizeof(double));
done:
    Py_XDECREF(array);
    Py_XDECREF(flat);
    Py_XDECREF(cast);
    return x;
}

/* A value as a float64 array of its own. A new reference, or NULL with an exception that names the option.
 * expected: what the option must be, for the text. */
static PyArrayObject *
real_copy(const char *caller, const char *name, PyObject *value, PyObject *expected)
{
    PyArrayObject *array = NULL;    /* owned, returned */

    array = (PyArrayObject *)PyArray_FromAny(value, PyArray_DescrFromType(NPY_DOUBLE), 0, 0,
                                              NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL && (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError)))
        raise_from_pending(PyErr_ExceptionMatches(PyExc_TypeError) ? PyExc_TypeError : PyExc_ValueError,
                           PyUnicode_FromFormat("%s: %s must be %U, not %.200s", caller, name, expected,
                                                Py_TYPE(value)->tp_name));
    return array;
}

/* The caller's diag as a float64 vector of length n, of its own. A new reference, or NULL with an exception. */
static PyArrayObject *
scaling_vector(const char *caller, PyObject *diag, npy_intp n)
{
    PyArrayObject *array = NULL;    /* owned, returned */
    PyObject *expected = NULL;      /* owned */

    expected = PyUnicode_FromFormat("a vector of %zd real numbers", (Py_ssize_t)n);
    if (expected != NULL)
        array = real_copy(caller, "diag", diag, expected);
    Py_XDECREF(expected);
    if (array == NULL)
        return NULL;
    if (PyArray_NDIM(array) != 1)
        PyErr_Format(PyExc_ValueError, "%s: diag has %d dimensions; expected a vector of length %zd, as x0", caller,
                     PyArray_NDIM(array), (Py_ssize_t)n);
    else if (PyArray_DIM(array, 0) != n)
        PyErr_Format(PyExc_ValueError, "%s: diag has length %zd; expected length %zd, as x0", caller,
                     (Py_ssize_t)PyArray_DIM(array, 0), (Py_ssize_t)n);
    if (PyErr_Occurred())
        Py_CLEAR(array);
    return array;
}

/* The caller's typical_x, a number or n of them, as a float64 vector of length n. A new reference, or NULL with an
 * exception. */
static PyArrayObject *
typical_vector(const char *caller, PyObject *typical_x, npy_intp n)
{
    PyArrayObject *array = NULL;    /* owned */
    PyArrayObject *vector = NULL;   /* owned, returned */
    PyObject *expected = NULL;      /* owned */
    PyObject *number = NULL;        /* owned */
    const double *given;
    double *value;
    npy_intp j;

    expected = PyUnicode_FromFormat("a positive number or a vector of %zd of them", (Py_ssize_t)n);
    if (expected != NULL)
        array = real_copy(caller, "typical_x", typical_x, expected);
    if (array == NULL)
        goto done;
    if (PyArray_NDIM(array) > 1 || (PyArray_NDIM(array) == 1 && PyArray_DIM(array, 0) != n)) {
        if (PyArray_NDIM(array) > 1)
            PyErr_Format(PyExc_ValueError, "%s: typical_x has %d dimensions; expected %U", caller, PyArray_NDIM(array),
                         expected);
        else
            PyErr_Format(PyExc_ValueError, "%s: typical_x has length %zd; expected %U", caller,
                         (Py_ssize_t)PyArray_DIM(array, 0), expected);
        goto done;
    }
    vector = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (vector == NULL)
        goto done;
    given = PyArray_DATA(array);
    value = PyArray_DATA(vector);
    for (j = 0; j < n; j++) {
        value[j] = given[PyArray_NDIM(array) == 0 ? 0 : j];
        if (value[j] > 0 && isfinite(value[j]))
            continue;
        number = PyFloat_FromDouble(value[j]);
        if (number != NULL && PyArray_NDIM(array) == 0)
            PyErr_Format(PyExc_ValueError, "%s: typical_x is %R; expected %U", caller, number, expected);
        else if (number != NULL)
            PyErr_Format(PyExc_ValueError, "%s: typical_x[%zd] is %R; expected a positive number", caller,
                         (Py_ssize_t)j, number);
        Py_CLEAR(vector);
        break;
    }
done:
    Py_XDECREF(array);
    Py_XDECREF(expected);
    Py_XDECREF(number);
    return vector;
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
        raise_from_pending(PyExc_ValueError, PyUnicode_FromFormat("%s: %s must be a real number, which this %.200s is not",
                                                                  caller, name, Py_TYPE(value)->tp_name));
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        raise_from_pending(PyExc_OverflowError,
                           PyUnicode_FromFormat("%s: %s is too large; expected a float64", caller, name));
    return -1;
}

/* Parse maxfev, any integer that fits a C int; NumPy's bools are no integers to Python. 0, or -1 with an exception. */
static int
parse_maxfev(const char *caller, PyObject *value, int *maxfev)
{
    PyObject *index = NULL;     /* owned */
    int overflow, status = -1;
    long number;

    index = PyArray_IsScalar(value, Bool) ? PyLong_FromLong(PyObject_IsTrue(value)) : PyNumber_Index(value);
    if (index == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            raise_from_pending(PyExc_TypeError, PyUnicode_FromFormat("%s: maxfev must be an integer, not %.200s", caller,
                                                                     Py_TYPE(value)->tp_name));
        return -1;
    }
    number = PyLong_AsLongAndOverflow(index, &overflow);
    if (overflow || number > INT_MAX || number < INT_MIN)
        PyErr_Format(PyExc_OverflowError, "%s: maxfev is %S; expected a C int, at %s %d", caller, index,
                     overflow > 0 || number > INT_MAX ? "most" : "least",
                     overflow > 0 || number > INT_MAX ? INT_MAX : INT_MIN);
    else if (!(number == -1 && PyErr_Occurred())) {
        *maxfev = (int)number;
        status = 0;
    }
    Py_DECREF(index);
    return status;
}

/* MINPACK's limit where maxfev asks for the default: 200 calls for each variable and one, or 100 with Dfun. */
static int
default_maxfev(int n, int has_Dfun)
{
    const long long limit = (has_Dfun ? 100LL : 200LL) * (n + 1LL);

    return limit < INT_MAX ? (int)limit : INT_MAX;
}

/* The value of a variable of the environment; None where it is empty or not there. A new reference, or NULL with an
 * exception. */
static PyObject *
from_environment(const char *variable)
{
#ifdef Py_GIL_DISABLED
    /* Another thread may set one meanwhile, which os.environ stands, and getenv does not. */
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
parse_solver(PyObject *value, const char *caller, const Solver **solver)
{
    static const char variable[] = "PYMINPACK_SOLVER";
    const char *origin = value == Py_None ? variable : "solver";
    PyObject *given = NULL;     /* owned */
    PyObject *name = NULL;      /* owned: exactly a str, which runs no code of the user's */
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

int
options_check_solver(const Options *options, const char *caller, const char *what)
{
    if (options->solver == minpack_solvers[0])
        return 0;
    PyErr_Format(PyExc_NotImplementedError, "%s: %s is not to be had with solver '%s', MINPACK's own drivers; expected"
                 " solver 'builtin' (PYMINPACK_SOLVER chooses where solver is None)", caller, what,
                 options->solver->name);
    return -1;
}

int
options_parse(Options *options, const RawOptions *raw, int n, int has_Dfun)
{
    const char *caller = raw->caller;

    memset(options, 0, sizeof(*options));
    options->has_epsfcn = raw->epsfcn != Py_None && !has_Dfun;
    if (parse_solver(raw->solver, caller, &options->solver) < 0
            || parse_number(caller, "ftol", raw->ftol, &options->ftol) < 0
            || parse_number(caller, "xtol", raw->xtol, &options->xtol) < 0
            || parse_number(caller, "gtol", raw->gtol, &options->gtol) < 0
            || parse_maxfev(caller, raw->maxfev, &options->maxfev) < 0
            || (options->has_epsfcn && parse_number(caller, "epsfcn", raw->epsfcn, &options->epsfcn) < 0)
            || parse_number(caller, "factor", raw->factor, &options->factor) < 0)
        return -1;
    if (options->maxfev <= 0)
        options->maxfev = default_maxfev(n, has_Dfun);
    if (raw->diag != Py_None) {
        options->diag = scaling_vector(caller, raw->diag, n);
        if (options->diag == NULL)
            return -1;
    }
    if (raw->typical_x != Py_None) {
        options->typical_x = typical_vector(caller, raw->typical_x, n);
        if (options->typical_x == NULL)
            return -1;
    }
    return 0;
}

void
options_clear(Options *options)
{
    Py_CLEAR(options->diag);
    Py_CLEAR(options->typical_x);
}

PyObject *
options_mesg(const Options *options, int info)
{
    PyObject *text = NULL;      /* owned */
    PyObject *values = NULL;    /* owned */
    PyObject *value = NULL;     /* owned */
    PyObject *mesg = NULL;      /* owned, returned */
    const char *kinds;
    Py_ssize_t i, count;

    if (info == STOPPED)
        return PyUnicode_FromString("The fit was stopped before its end; this is the best point so far.");
    kinds = reasons[info].values;
    count = (Py_ssize_t)strlen(kinds);
    text = PyUnicode_FromString(reasons[info].text);
    values = PyTuple_New(count);
    if (text == NULL || values == NULL)
        goto done;
    for (i = 0; i < count; i++) {
        if (kinds[i] == 'm')
            value = PyLong_FromLong(options->maxfev);
        else
            value = PyFloat_FromDouble(kinds[i] == 'f' ? options->ftol
                                       : kinds[i] == 'x' ? options->xtol : options->gtol);
        if (value == NULL)
            goto done;
        PyTuple_SET_ITEM(values, i, value);     /* steals it */
    }
    mesg = PyUnicode_Format(text, values);
done:
    Py_XDECREF(text);
    Py_XDECREF(values);
    return mesg;
}

int
options_refuse_improper(const Options *options, int n)
{
    LmState lm = {.m = n, .n = n, .ldfjac = n, .maxfev = options->maxfev, .mode = options->diag == NULL ? 1 : 2,
                  .ftol = options->ftol, .xtol = options->xtol, .gtol = options->gtol, .factor = options->factor,
                  .diag = options->diag == NULL ? NULL : PyArray_DATA(options->diag)};
    PyObject *text = NULL;      /* owned */

    minpack_start(&lm);
    if (lm.request != MINPACK_DONE)
        return 0;
    text = options_improper(options, n);
    if (text != NULL)
        PyErr_SetObject(PyExc_TypeError, text);
    Py_XDECREF(text);
    return -1;
}

/* Append a sentence to *text: name is value; expected. name: stolen, NULL after an exception. 0, or -1 with an
 * exception, *text as it was. */
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
    const struct {
        const char *name;
        double value;
        int improper;
        const char *expected;
    } numbers[] = {
        {"ftol", options->ftol, options->ftol < 0, "at least 0"},
        {"xtol", options->xtol, options->xtol < 0, "at least 0"},
        {"gtol", options->gtol, options->gtol < 0, "at least 0"},
        {"factor", options->factor, options->factor <= 0, "a positive number"},
    };
    PyObject *text = NULL;      /* owned, returned */
    const double *diag = options->diag == NULL ? NULL : PyArray_DATA(options->diag);
    size_t i;
    int j;

    text = n == 0 ? PyUnicode_FromFormat("%s x0 is empty.", reasons[0].text) : PyUnicode_FromString(reasons[0].text);
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && text != NULL; i++)
        if (numbers[i].improper
                && append_sentence(&text, PyUnicode_FromString(numbers[i].name), numbers[i].value,
                                   numbers[i].expected) < 0)
            Py_CLEAR(text);
    for (j = 0; text != NULL && diag != NULL && j < n; j++)
        if (diag[j] <= 0) {
            if (append_sentence(&text, PyUnicode_FromFormat("diag[%d]", j), diag[j], "a positive number") < 0)
                Py_CLEAR(text);
            break;
        }
    return text;
}
