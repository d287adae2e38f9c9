/* pyminpack._minpack: what the Python layer calls. */
#define NUMPY_API_IMPORTED_HERE
#include "numpy_api.h"

#include "dispatched/instruction_sets.h"
#include "intermediate_result.h"
#include "kernels.h"
#include "levenberg_marquardt.h"
#include "solve.h"

typedef struct {
    PyTypeObject *intermediate_result;      /* owned */
} ModuleState;

PyDoc_STRVAR(module_doc, "MINPACK's Levenberg-Marquardt solvers; use pyminpack.leastsq.");

PyDoc_STRVAR(leastsq_doc,
"leastsq(caller, func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag, solver, "
"typical_x, callback, vectorized, evaluate, refuse, /)\n"
"--\n\n"
"One solve; returns (x, ier, infodict, cov_x, mesg, reports). caller: with what the texts of errors begin.");

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

enum { LEASTSQ_NARGS = 20 };

/* An argument that is NULL where it is None. */
static PyObject *
or_NULL(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static PyObject *
leastsq(PyObject *module, PyObject *const *values, Py_ssize_t nargs)
{
    const ModuleState *state = PyModule_GetState(module);
    Problem problem = {.intermediate_result = state->intermediate_result};
    const char *caller;

    if (nargs != LEASTSQ_NARGS)
        return PyErr_Format(PyExc_TypeError, "leastsq() takes %d arguments (%zd given)", LEASTSQ_NARGS, nargs);
    caller = PyUnicode_AsUTF8(values[0]);
    if (caller == NULL)
        return NULL;
    if (!PyTuple_Check(values[4]))
        return PyErr_Format(PyExc_TypeError, "args must be a tuple, not %.200s", Py_TYPE(values[4])->tp_name);
    problem.functions = (Functions){.caller = caller, .func = values[1], .Dfun = or_NULL(values[2]), .args = values[4],
                                    .callback = or_NULL(values[16]), .evaluate = or_NULL(values[18]),
                                    .refuse = or_NULL(values[19])};
    problem.x0 = values[3];
    problem.full_output = PyObject_IsTrue(values[5]);
    if (problem.full_output < 0)
        return NULL;
    problem.functions.col_deriv = PyObject_IsTrue(values[6]);
    if (problem.functions.col_deriv < 0)
        return NULL;
    problem.functions.vectorized = PyObject_IsTrue(values[17]);
    if (problem.functions.vectorized < 0)
        return NULL;
    problem.options = (RawOptions){.caller = caller, .ftol = values[7], .xtol = values[8], .gtol = values[9],
                                   .maxfev = values[10], .epsfcn = values[11], .factor = values[12], .diag = values[13],
                                   .solver = values[14], .typical_x = values[15]};
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
    ModuleState *state = PyModule_GetState(module);
    PyTypeObject *type = NULL;      /* owned */
    int status;

    import_array1(-1);
    state->intermediate_result =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &intermediate_result_spec, NULL);
    if (state->intermediate_result == NULL || PyModule_AddType(module, state->intermediate_result) < 0)
        return -1;
    type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &levenberg_marquardt_spec, NULL);
    if (type == NULL)
        return -1;
    status = PyModule_AddType(module, type);
    Py_DECREF(type);
    return status < 0 ? -1 : PyModule_AddFunctions(module, kernels_methods);
}

static int
traverse_module(PyObject *module, visitproc visit, void *arg)
{
    const ModuleState *state = PyModule_GetState(module);

    Py_VISIT(state->intermediate_result);
    return 0;
}

static int
clear_module(PyObject *module)
{
    ModuleState *state = PyModule_GetState(module);

    Py_CLEAR(state->intermediate_result);
    return 0;
}

static void
free_module(void *module)
{
    clear_module(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec_module},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},      /* docs/free-threading.md has the audit */
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_minpack",
    .m_doc = module_doc,
    .m_size = sizeof(ModuleState),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse_module,
    .m_clear = clear_module,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__minpack(void)
{
    return PyModuleDef_Init(&module_definition);
}
