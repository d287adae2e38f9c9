/* pyminpack._minpack: MINPACK's lmdif and lmder as Python calls them. Argument parsing only. */
#define NUMPY_API_IMPORTED_HERE
#include "numpy_api.h"

#include <limits.h>

#include "errors.h"
#include "instruction_sets.h"
#include "solve.h"

PyDoc_STRVAR(module_doc, "MINPACK's Levenberg-Marquardt drivers; use pyminpack.leastsq.");

PyDoc_STRVAR(lmdif_doc,
"lmdif(func, x0, args, full_output, ftol, xtol, gtol, maxfev, epsfcn, factor, diag, /)\n"
"--\n\n"
"Least squares by forward differences; returns (x, info, infodict, cov_x, reports).");

PyDoc_STRVAR(lmder_doc,
"lmder(func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, factor, diag, /)\n"
"--\n\n"
"Least squares with the Jacobian Dfun; returns (x, info, infodict, cov_x, reports).");

PyDoc_STRVAR(instruction_sets_doc,
"instruction_sets()\n"
"--\n\n"
"The instruction sets that this build has and this machine runs, the best first.");

PyDoc_STRVAR(instruction_set_in_use_doc,
"instruction_set_in_use()\n"
"--\n\n"
"The one for which the solver's inner loops run.");

PyDoc_STRVAR(use_instruction_set_doc,
"use_instruction_set(name, /)\n"
"--\n\n"
"Run the solver's inner loops for one of instruction_sets(), in this process.");

/* Parse a real number. 0, or -1 with an exception that names the argument. */
static int
parse_double(PyObject *value, const char *name, double *number)
{
    *number = PyFloat_AsDouble(value);
    if (*number != -1.0 || !PyErr_Occurred())
        return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        raise_from_pending(PyExc_TypeError, PyUnicode_FromFormat("leastsq: %s must be a real number, not %.200s", name,
                                                                 Py_TYPE(value)->tp_name));
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        raise_from_pending(PyExc_OverflowError,
                           PyUnicode_FromFormat("leastsq: %s is too large; expected a float64", name));
    return -1;
}

/* Parse a C int. 0, or -1 with an exception. */
static int
parse_int(PyObject *value, const char *name, int *number)
{
    long parsed;

    parsed = PyLong_AsLong(value);
    if (parsed == -1 && PyErr_Occurred())
        return -1;
    if (parsed < INT_MIN || parsed > INT_MAX) {
        PyErr_Format(PyExc_OverflowError, "leastsq: %s is %ld; expected at most %d", name, parsed, INT_MAX);
        return -1;
    }
    *number = (int)parsed;
    return 0;
}

/* Parse args, which the Python layer has made a tuple. 0, or -1 with an exception. */
static int
parse_args(PyObject *value, PyObject **args)
{
    if (!PyTuple_Check(value)) {
        PyErr_Format(PyExc_TypeError, "args must be a tuple, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *args = value;
    return 0;
}

/* Parse the tolerances, which both drivers have in a row. 0, or -1 with an exception. */
static int
parse_tolerances(PyObject *const *values, Problem *problem)
{
    if (parse_double(values[0], "ftol", &problem->ftol) < 0 || parse_double(values[1], "xtol", &problem->xtol) < 0
            || parse_double(values[2], "gtol", &problem->gtol) < 0
            || parse_int(values[3], "maxfev", &problem->maxfev) < 0)
        return -1;
    return 0;
}

static int
check_nargs(const char *name, Py_ssize_t nargs, Py_ssize_t expected)
{
    if (nargs == expected)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments (%zd given)", name, expected, nargs);
    return -1;
}

static PyObject *
lmdif(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    Problem problem = {0};

    if (check_nargs("lmdif", nargs, 11) < 0)
        return NULL;
    problem.func = values[0];
    problem.x0 = values[1];
    problem.has_epsfcn = values[8] != Py_None;
    problem.diag = values[10];
    problem.full_output = PyObject_IsTrue(values[3]);
    if (problem.full_output < 0 || parse_args(values[2], &problem.args) < 0
            || parse_tolerances(values + 4, &problem) < 0
            || (problem.has_epsfcn && parse_double(values[8], "epsfcn", &problem.epsfcn) < 0)
            || parse_double(values[9], "factor", &problem.factor) < 0)
        return NULL;
    return solve(&problem);
}

static PyObject *
lmder(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    Problem problem = {0};

    if (check_nargs("lmder", nargs, 12) < 0)
        return NULL;
    problem.func = values[0];
    problem.Dfun = values[1];
    problem.x0 = values[2];
    problem.diag = values[11];
    problem.full_output = PyObject_IsTrue(values[4]);
    problem.col_deriv = PyObject_IsTrue(values[5]);
    if (problem.full_output < 0 || problem.col_deriv < 0 || parse_args(values[3], &problem.args) < 0
            || parse_tolerances(values + 6, &problem) < 0
            || parse_double(values[10], "factor", &problem.factor) < 0)
        return NULL;
    return solve(&problem);
}

static PyObject *
instruction_sets(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyObject *list = NULL;      /* owned */
    PyObject *name = NULL;      /* owned */
    PyObject *names = NULL;     /* owned, returned */
    int i;

    list = PyList_New(0);
    if (list == NULL)
        goto done;
    for (i = 0; minpack_instruction_set(i) != NULL; i++) {
        name = PyUnicode_FromString(minpack_instruction_set(i));
        if (name == NULL || PyList_Append(list, name) < 0)
            goto done;
        Py_CLEAR(name);
    }
    names = PyList_AsTuple(list);
done:
    Py_XDECREF(list);
    Py_XDECREF(name);
    return names;
}

static PyObject *
instruction_set_in_use(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromString(minpack_instruction_set_in_use());
}

static PyObject *
use_instruction_set(PyObject *Py_UNUSED(module), PyObject *name)
{
    const char *text;

    text = PyUnicode_AsUTF8(name);
    if (text == NULL)
        return NULL;
    if (minpack_use_instruction_set(text) < 0) {
        PyErr_Format(PyExc_ValueError, "%R is not one of instruction_sets()", name);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"lmdif", (PyCFunction)(void (*)(void))lmdif, METH_FASTCALL, lmdif_doc},
    {"lmder", (PyCFunction)(void (*)(void))lmder, METH_FASTCALL, lmder_doc},
    {"instruction_sets", instruction_sets, METH_NOARGS, instruction_sets_doc},
    {"instruction_set_in_use", instruction_set_in_use, METH_NOARGS, instruction_set_in_use_doc},
    {"use_instruction_set", use_instruction_set, METH_O, use_instruction_set_doc},
    {NULL, NULL, 0, NULL},
};

static int
exec_module(PyObject *Py_UNUSED(module))
{
    import_array1(-1);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec_module},
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_minpack",
    .m_doc = module_doc,
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__minpack(void)
{
    return PyModuleDef_Init(&module_definition);
}
