/* pyminpack._minpack: what the Python layer calls. */
#define NUMPY_API_IMPORTED_HERE
#include "numpy_api.h"

#include "answers.h"
#include "convert.h"
#include "dispatched/instruction_sets.h"
#include "fit.h"
#include "intermediate_result.h"
#include "kernels.h"
#include "levenberg_marquardt.h"
#include "solve.h"
#include "start.h"

typedef struct {
    PyTypeObject *intermediate_result;      /* owned */
} ModuleState;

PyDoc_STRVAR(module_doc, "MINPACK's Levenberg-Marquardt solvers; use pyminpack.leastsq.");

PyDoc_STRVAR(leastsq_doc,
"leastsq(names, func, x0, args, Dfun, full_output, col_deriv, values, options, vectorized, callback, workers,\n"
"        on_nonfinite, /)\n"
"--\n\n"
"Solve once; returns (x, ier, infodict, cov_x, mesg, reports). names: a tuple of the names of the caller,\n"
"func, Dfun and x0 for error messages; more may follow. values: a tuple of options, in the order of the table\n"
"in options.c. options: a dict of others.");

PyDoc_STRVAR(real_array_doc,
"real_array(caller, role, gave, function, value, /)\n"
"--\n\n"
"A value as an array whose dtype casts safely to float64; entries of a list or tuple may be numbers of any kind.\n"
"Otherwise raises a TypeError that begins with CALLER: ROLE 'NAME OF FUNCTION' GAVE. function: None if it has no name.");

PyDoc_STRVAR(answer_doc,
"answer(caller, role, function, value, call, m, n, col_deriv, /)\n"
"--\n\n"
"What a function returned in a call, by leastsq's rules and with its errors: the Jacobian, shape (m, n); or, where n is\n"
"0, the residuals, of which m are expected; 0: any number. Returns (array, eps, masked): an array of our own, the epsilon\n"
"of the type of residuals, and the report of a masked array, or None.");

PyDoc_STRVAR(start_vector_doc,
"start_vector(caller, name, x0, /)\n"
"--\n\n"
"x0 as leastsq reads it: a new float64 vector.");

enum { LEASTSQ_NARGS = 13 };

/* Read the names at the start of a tuple, which owns them. Returns 0, or -1 with an exception. */
static int
read_names(PyObject *tuple, Names *names)
{
    const char **const fields[] = {&names->caller, &names->func, &names->Dfun, &names->x0};
    const Py_ssize_t count = sizeof(fields) / sizeof(fields[0]);
    Py_ssize_t i;

    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) < count) {
        PyErr_Format(PyExc_TypeError, "names must be a tuple of %zd strings or more", count);
        return -1;
    }
    for (i = 0; i < count; i++) {
        *fields[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i));
        if (*fields[i] == NULL)
            return -1;
    }
    return 0;
}

/* An argument, or NULL for None. */
static PyObject *
or_NULL(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static PyObject *
leastsq(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    const ModuleState *state = PyModule_GetState(module);
    const Argument none = {NULL, NULL};
    Problem problem = {.intermediate_result = state->intermediate_result};
    PyObject *outcome = NULL;   /* owned, returned */

    if (nargs != LEASTSQ_NARGS)
        return PyErr_Format(PyExc_TypeError, "leastsq() takes %d arguments (%zd given)", LEASTSQ_NARGS, nargs);
    if (!PyTuple_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "args must be a tuple, not %.200s", Py_TYPE(args[3])->tp_name);
    if (read_names(args[0], &problem.names) < 0
            || options_take("leastsq", &none, problem.options, args[7], args[8]) < 0)
        goto done;
    if (problem.options[SOLVER_OPTION] == NULL)
        problem.options[SOLVER_OPTION] = Py_NewRef(Py_None);    /* PYMINPACK_SOLVER decides */
    problem.x0 = args[2];
    problem.full_output = PyObject_IsTrue(args[5]);
    if (problem.full_output < 0)
        goto done;
    problem.functions = (Given){
        .func = args[1], .Dfun = or_NULL(args[4]), .args = args[3], .col_deriv = PyObject_IsTrue(args[6]),
        .callback = or_NULL(args[10]), .workers = or_NULL(args[11]), .on_nonfinite = or_NULL(args[12]),
    };
    if (problem.functions.col_deriv < 0)
        goto done;
    problem.functions.vectorized = PyObject_IsTrue(args[9]);
    if (problem.functions.vectorized >= 0)
        outcome = solve(&problem);
done:
    options_release(problem.options);
    return outcome;
}

static PyObject *
real_array(PyObject *Py_UNUSED(module), PyObject *args)
{
    Source source = {0};
    PyObject *value;

    if (!PyArg_ParseTuple(args, "sssOO:real_array", &source.caller, &source.role, &source.gave, &source.function, &value))
        return NULL;
    source.function = or_NULL(source.function);
    return (PyObject *)as_real_array(&source, value, NULL);
}

static PyObject *
answer(PyObject *Py_UNUSED(module), PyObject *args)
{
    Masked masked = {0};
    NonFinite nonfinite = {0};
    Expected expected = {.source.gave = "returned", .masked = &masked, .nonfinite = &nonfinite, .shapes = VECTOR, .k = 1};
    PyArrayObject *array = NULL;    /* owned */
    npy_intp shape[2];
    PyObject *value;
    int copied, type = NPY_DOUBLE;

    if (!PyArg_ParseTuple(args, "ssOOiiip:answer", &expected.source.caller, &expected.source.role,
                          &expected.source.function, &value, &expected.call, &expected.m, &expected.n,
                          &expected.col_deriv))
        return NULL;
    shape[0] = expected.m;
    shape[1] = expected.n;
    if (expected.n == 0)
        array = first_residuals(&expected, value, &type);
    else {
        array = (PyArrayObject *)PyArray_ZEROS(2, shape, NPY_DOUBLE, 1);
        if (array != NULL && take_jacobian(&expected, value, PyArray_DATA(array), expected.m, &copied) < 0)
            Py_CLEAR(array);
    }
    return array == NULL ? NULL : Py_BuildValue("(NdN)", array, type_epsilon(type), masked_report(&masked));
}

static PyObject *
start(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *caller, *name;
    PyObject *x0;

    if (!PyArg_ParseTuple(args, "ssO:start_vector", &caller, &name, &x0))
        return NULL;
    return (PyObject *)start_vector(caller, name, x0);
}

/* A tuple of names, of which get(i) is NULL behind the last. A new reference, or NULL with an exception. */
static PyObject *
names_of(const char *(*get)(int i))
{
    PyObject *list = NULL;      /* owned */
    PyObject *name = NULL;      /* owned */
    PyObject *names = NULL;     /* owned, returned */
    int i;

    list = PyList_New(0);
    if (list == NULL)
        goto done;
    for (i = 0; get(i) != NULL; i++) {
        name = PyUnicode_FromString(get(i));
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

static const char *
solver_name(int i)
{
    return minpack_solvers[i] == NULL ? NULL : minpack_solvers[i]->name;
}

static PyObject *
solvers(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return names_of(solver_name);
}

static PyObject *
instruction_sets(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return names_of(minpack_instruction_set);
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
    {"real_array", real_array, METH_VARARGS, real_array_doc},
    {"answer", answer, METH_VARARGS, answer_doc},
    {"start_vector", start, METH_VARARGS, start_vector_doc},
    {"solvers", solvers, METH_NOARGS,
     "solvers()\n--\n\nThe names of the solvers in this build."},
    {"instruction_sets", instruction_sets, METH_NOARGS,
     "instruction_sets()\n--\n\nThe instruction sets of this build that this machine runs, best first."},
    {"instruction_set_in_use", instruction_set_in_use, METH_NOARGS,
     "instruction_set_in_use()\n--\n\nThe instruction set that our solver uses."},
    {"use_instruction_set", use_instruction_set, METH_O,
     "use_instruction_set(name, /)\n--\n\nMake our solver use one of instruction_sets(), in this process."},
    {NULL, NULL, 0, NULL},
};

static int
exec_module(PyObject *module)
{
    ModuleState *state = PyModule_GetState(module);
    PyTypeObject *type = NULL;      /* owned */
    int status;

    import_array1(-1);
    keep_freed_memory();
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
