/* pyminpack._minpack: what the Python layer calls. */
#define NUMPY_API_IMPORTED_HERE
#include "numpy_api.h"

#include "dispatched/instruction_sets.h"
#include "kernels.h"
#include "solve.h"

PyDoc_STRVAR(module_doc, "MINPACK's Levenberg-Marquardt solvers; use pyminpack.leastsq.");

PyDoc_STRVAR(leastsq_doc,
"leastsq(func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag, solver, /)\n"
"--\n\n"
"One solve; returns (x, ier, infodict, cov_x, mesg, reports).");

PyDoc_STRVAR(solvers_doc,
"solvers()\n"
"--\n\n"
"The names of the solvers in this build.");

PyDoc_STRVAR(instruction_sets_doc,
"instruction_sets()\n"
"--\n\n"
"The instruction sets that this build has and this machine runs, the best first.");

PyDoc_STRVAR(instruction_set_in_use_doc,
"instruction_set_in_use()\n"
"--\n\n"
"The one for which our solver runs.");

PyDoc_STRVAR(use_instruction_set_doc,
"use_instruction_set(name, /)\n"
"--\n\n"
"Run our solver for one of instruction_sets(), in this process.");

enum { LEASTSQ_NARGS = 14 };

static PyObject *
leastsq(PyObject *Py_UNUSED(module), PyObject *const *values, Py_ssize_t nargs)
{
    Problem problem = {0};

    if (nargs != LEASTSQ_NARGS)
        return PyErr_Format(PyExc_TypeError, "leastsq() takes %d arguments (%zd given)", LEASTSQ_NARGS, nargs);
    if (!PyTuple_Check(values[3]))
        return PyErr_Format(PyExc_TypeError, "args must be a tuple, not %.200s", Py_TYPE(values[3])->tp_name);
    problem.func = values[0];
    problem.Dfun = values[1] == Py_None ? NULL : values[1];
    problem.x0 = values[2];
    problem.args = values[3];
    problem.full_output = PyObject_IsTrue(values[4]);
    if (problem.full_output < 0)
        return NULL;
    problem.col_deriv = PyObject_IsTrue(values[5]);
    if (problem.col_deriv < 0)
        return NULL;
    problem.options = (RawOptions){.ftol = values[6], .xtol = values[7], .gtol = values[8], .maxfev = values[9],
                                   .epsfcn = values[10], .factor = values[11], .diag = values[12],
                                   .solver = values[13]};
    return solve(&problem);
}

static PyObject *
solvers(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyObject *names = NULL;     /* owned, returned */
    PyObject *name = NULL;      /* owned until the tuple takes it */
    Py_ssize_t i, count = 0;

    while (minpack_solvers[count] != NULL)
        count++;
    names = PyTuple_New(count);
    for (i = 0; i < count && names != NULL; i++) {
        name = PyUnicode_FromString(minpack_solvers[i]->name);
        if (name == NULL)
            Py_CLEAR(names);
        else
            PyTuple_SET_ITEM(names, i, name);
    }
    return names;
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
    {"leastsq", (PyCFunction)(void (*)(void))leastsq, METH_FASTCALL, leastsq_doc},
    {"solvers", solvers, METH_NOARGS, solvers_doc},
    {"instruction_sets", instruction_sets, METH_NOARGS, instruction_sets_doc},
    {"instruction_set_in_use", instruction_set_in_use, METH_NOARGS, instruction_set_in_use_doc},
    {"use_instruction_set", use_instruction_set, METH_O, use_instruction_set_doc},
    {NULL, NULL, 0, NULL},
};

static int
exec_module(PyObject *module)
{
    import_array1(-1);
    return PyModule_AddFunctions(module, kernels_methods);
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
