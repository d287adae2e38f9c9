/* The type LevenbergMarquardt: ask, tell, result, and the ways of pickle and copy. */
#include "levenberg_marquardt.h"

#include <string.h>

#include "errors.h"
#include "iteration.h"
#include "saved_fit.h"
#include "told.h"

static const char CALLER[] = "LevenbergMarquardt";
static const char ATTRIBUTES[] = "attributes";     /* of a subclass, in a state */

typedef struct {
    Iteration iteration;
    Told told;
} LevenbergMarquardt;

/* Put a fit into an object, which takes what it owns, in place of what was there. The caller has entered the iteration,
 * or nobody has seen anything in the object yet. */
static void
take_told(LevenbergMarquardt *self, Told *told)
{
    Told old = self->told;

    self->told = *told;
    memset(told, 0, sizeof(*told));
    self->iteration.lm = &self->told.shown;
    self->iteration.trial_x = self->told.trial_x;
    self->iteration.options = &self->told.options;
    self->iteration.jacobian = self->told.jacobian;
    told_clear(&old);
}

static int
init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"x0", "ftol", "xtol", "gtol", "maxfev", "epsfcn", "factor", "diag", "jacobian", "col_deriv",
                            "solver", "typical_x", NULL};
    PyObject *tolerance = NULL, *zero = NULL, *hundred = NULL;      /* owned: defaults, as of leastsq */
    PyObject *x0 = NULL;
    RawOptions raw = {.caller = CALLER, .epsfcn = Py_None, .diag = Py_None, .solver = Py_None, .typical_x = Py_None};
    Told told = {0};
    int status = -1;

    tolerance = PyFloat_FromDouble(1.49012e-8);
    zero = PyLong_FromLong(0);
    hundred = PyLong_FromLong(100);
    if (tolerance == NULL || zero == NULL || hundred == NULL)
        goto done;
    raw.ftol = raw.xtol = tolerance;
    raw.gtol = raw.maxfev = zero;
    raw.factor = hundred;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOOOOOppOO:LevenbergMarquardt", names, &x0, &raw.ftol, &raw.xtol,
                                     &raw.gtol, &raw.maxfev, &raw.epsfcn, &raw.factor, &raw.diag, &told.jacobian,
                                     &told.col_deriv, &raw.solver, &raw.typical_x)
            || told_from_arguments(&told, x0, &raw) < 0)
        goto done;
    /* The object may be at work for another thread, and has nothing in it the first time. */
    if (iteration_enter((Iteration *)self, BEGIN) < 0)
        goto done;
    take_told((LevenbergMarquardt *)self, &told);
    iteration_leave((Iteration *)self);
    status = 0;
done:
    told_clear(&told);
    Py_XDECREF(tolerance);
    Py_XDECREF(zero);
    Py_XDECREF(hundred);
    return status;
}

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    told_clear(&((LevenbergMarquardt *)self)->told);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
ask(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *points = NULL;    /* owned, returned */

    if (iteration_enter((Iteration *)self, READ) < 0)
        return NULL;
    points = told_ask(&((LevenbergMarquardt *)self)->told);
    iteration_leave((Iteration *)self);
    return points;
}

static PyObject *
tell(PyObject *self, PyObject *values)
{
    Told *told = &((LevenbergMarquardt *)self)->told;
    int status;

    if (iteration_enter((Iteration *)self, CHANGE) < 0)
        return NULL;
    status = told_take(told, values);
    if (status == 0)
        told_go_on(told);
    iteration_leave((Iteration *)self);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Warn of what there is to warn of, as leastsq does. reports: a list, or None. 0, or -1 with an exception. */
static int
warn(PyObject *reports)
{
    PyObject *module = NULL;    /* owned */
    PyObject *text = NULL;      /* owned */
    Py_ssize_t i;
    int status = -1;

    if (reports == Py_None)
        return 0;
    module = PyImport_ImportModule("pyminpack._reports");
    for (i = 0; i < PyList_GET_SIZE(reports) && module != NULL; i++) {
        Py_XSETREF(text, PyObject_CallMethod(module, "describe", "Os", PyList_GET_ITEM(reports, i), CALLER));
        if (text == NULL || PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "%U", text) < 0)
            goto done;
    }
    status = module == NULL ? -1 : 0;
done:
    Py_XDECREF(module);
    Py_XDECREF(text);
    return status;
}

static PyObject *
result(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *outcome = NULL;   /* owned: (x, ier, infodict, cov_x, mesg, reports) */
    PyObject *result = NULL;    /* owned, returned */

    if (iteration_enter((Iteration *)self, CHANGE) < 0)     /* of its work arrays */
        return NULL;
    outcome = told_outcome(&((LevenbergMarquardt *)self)->told);
    iteration_leave((Iteration *)self);
    if (outcome != NULL && warn(PyTuple_GET_ITEM(outcome, 5)) == 0)
        result = PyTuple_Pack(5, PyTuple_GET_ITEM(outcome, 0), PyTuple_GET_ITEM(outcome, 3), PyTuple_GET_ITEM(outcome, 2),
                              PyTuple_GET_ITEM(outcome, 4), PyTuple_GET_ITEM(outcome, 1));
    Py_XDECREF(outcome);
    return result;
}

/* What a subclass has added to its instance, attributes and slots, as object.__getstate__ has it, or None. A new
 * reference, or NULL with an exception. */
static PyObject *
attributes_of(PyObject *self)
{
    if (Py_TYPE(self)->tp_base == &PyBaseObject_Type)
        Py_RETURN_NONE;
    return PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__getstate__", "O", self);
}

static PyObject *
get_state(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *attributes = NULL;    /* owned */
    PyObject *state = NULL;         /* owned, returned */

    attributes = attributes_of(self);
    if (attributes == NULL || iteration_enter((Iteration *)self, READ) < 0)
        goto done;
    state = state_of(&((LevenbergMarquardt *)self)->told);
    iteration_leave((Iteration *)self);
    if (state != NULL && attributes != Py_None && PyDict_SetItemString(state, ATTRIBUTES, attributes) < 0)
        Py_CLEAR(state);
done:
    Py_XDECREF(attributes);
    return state;
}

/* Set each attribute of a dict, which another thread may change meanwhile. 0, or -1 with an exception. */
static int
set_each(PyObject *self, PyObject *attributes)
{
    PyObject *own = NULL;       /* owned: a copy, which nobody changes */
    PyObject *name, *value;     /* borrowed */
    Py_ssize_t next = 0;
    int status = 0;

    own = PyDict_Copy(attributes);
    if (own == NULL)
        return -1;
    while (status == 0 && PyDict_Next(own, &next, &name, &value))
        status = PyObject_SetAttr(self, name, value);
    Py_DECREF(own);
    return status;
}

/* Give an instance of a subclass what attributes_of has found. 0, or -1 with an exception: a ValueError where it cannot
 * have this. */
static int
set_attributes(PyObject *self, PyObject *attributes)
{
    const int is_pair = PyTuple_Check(attributes) && PyTuple_GET_SIZE(attributes) == 2;
    PyObject *named = is_pair ? PyTuple_GET_ITEM(attributes, 0) : attributes;   /* borrowed */
    PyObject *slots = is_pair ? PyTuple_GET_ITEM(attributes, 1) : Py_None;      /* borrowed */
    PyObject *own = NULL;       /* owned */
    int status = -1;

    if ((named == Py_None || PyDict_Check(named)) && (slots == Py_None || PyDict_Check(slots))) {
        status = 0;
        if (named != Py_None) {
            own = PyObject_GetAttrString(self, "__dict__");
            status = own == NULL || !PyDict_Check(own) ? -1 : PyDict_Update(own, named);
        }
        if (status == 0 && slots != Py_None)
            status = set_each(self, slots);
    }
    if (status < 0 && (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError)
                       || PyErr_ExceptionMatches(PyExc_AttributeError)))
        raise_from_pending(PyExc_ValueError,
                           PyUnicode_FromFormat("%s: the saved state's %s do not go with the type %.200s", CALLER,
                                                ATTRIBUTES, Py_TYPE(self)->tp_name));
    Py_XDECREF(own);
    return status;
}

static PyObject *
set_state(PyObject *self, PyObject *state)
{
    PyObject *copy = NULL;          /* owned: nobody else changes it while it is read */
    PyObject *attributes = NULL;    /* borrowed */
    Told told = {0};
    int status = -1;

    copy = PyDict_Check(state) ? PyDict_Copy(state) : Py_NewRef(state);
    if (copy == NULL || told_from_state(&told, copy) < 0)
        goto done;
    attributes = entry_if_any(copy, ATTRIBUTES);
    if (attributes == NULL ? PyErr_Occurred() != NULL : set_attributes(self, attributes) < 0)
        goto done;
    if (iteration_enter((Iteration *)self, BEGIN) == 0) {
        take_told((LevenbergMarquardt *)self, &told);
        iteration_leave((Iteration *)self);
        status = 0;
    }
done:
    told_clear(&told);
    Py_XDECREF(copy);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *copyreg = NULL;   /* owned */
    PyObject *newobj = NULL;    /* owned */
    PyObject *state = NULL;     /* owned */
    PyObject *reduced = NULL;   /* owned, returned */

    copyreg = PyImport_ImportModule("copyreg");
    if (copyreg != NULL)
        newobj = PyObject_GetAttrString(copyreg, "__newobj__");
    if (newobj != NULL)
        state = PyObject_CallMethod(self, "__getstate__", NULL);
    if (state != NULL)
        reduced = Py_BuildValue("(O(O)O)", newobj, Py_TYPE(self), state);
    Py_XDECREF(copyreg);
    Py_XDECREF(newobj);
    Py_XDECREF(state);
    return reduced;
}

PyDoc_STRVAR(ask_doc,
"ask($self, /)\n--\n\n"
"The points at which something is wanted before the fit can go on.\n\n"
"Returns\n-------\n"
"ndarray, shape (k, n)\n"
"    One point where `request` is ``\"residuals\"`` or ``\"jacobian\"``, n points where it is ``\"differences\"``. A new\n"
"    array each time; asking changes nothing.\n\n"
"Raises\n------\n"
"RuntimeError\n"
"    If the fit has ended, or another thread is telling it something.");

PyDoc_STRVAR(tell_doc,
"tell($self, values, /)\n--\n\n"
"What was asked for: go on to the next request.\n\n"
"Parameters\n----------\n"
"values : array_like\n"
"    Residuals at the points of `ask`, of shape (k, m), or (m,) for one point; or the Jacobian, where `request` is\n"
"    ``\"jacobian\"``, of shape (m, n), or (n, m) with `col_deriv`. The first residuals decide m.\n\n"
"Raises\n------\n"
"TypeError, ValueError, OverflowError\n"
"    As of `leastsq`, for what does not fit. The fit is as it was, and can be told again.\n"
"RuntimeError\n"
"    If the fit has ended, or another thread is telling it something.");

PyDoc_STRVAR(result_doc,
"result($self, /)\n--\n\n"
"What the fit has come to: ``(x, cov_x, infodict, mesg, ier)``, as of `leastsq` with ``full_output=True``.\n\n"
"Before the end `ier` is -2, x the best point so far, `cov_x` None, and so is in `infodict` what is not known yet. At the\n"
"end there may be the warnings of `leastsq`.");

PyDoc_STRVAR(getstate_doc,
"__getstate__($self, /)\n--\n\n"
"The state as a dict of plain numbers and arrays, to go on from in another process or on another machine.");

static PyMethodDef methods[] = {
    {"ask", ask, METH_NOARGS, ask_doc},
    {"tell", tell, METH_O, tell_doc},
    {"result", result, METH_NOARGS, result_doc},
    {"__getstate__", get_state, METH_NOARGS, getstate_doc},
    {"__setstate__", set_state, METH_O, "__setstate__($self, state, /)\n--\n\nTake over such a state."},
    {"__reduce__", reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nFor pickle and copy."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(doc,
"LevenbergMarquardt(x0, *, ftol=1.49012e-08, xtol=1.49012e-08, gtol=0, maxfev=0, epsfcn=None, factor=100, diag=None, "
"jacobian=False, col_deriv=False, solver=None, typical_x=None)\n--\n\n"
"MINPACK's iteration, told from outside what the functions are at the points that it asks for.\n\n"
"The bits, and the number of points, are those of `leastsq`::\n\n"
"    fit = LevenbergMarquardt(x0)\n"
"    while not fit.done:\n"
"        fit.tell([func(x) for x in fit.ask()])\n"
"    x, cov_x, infodict, mesg, ier = fit.result()\n\n"
"Between calls it can be read (the attributes below), copied and pickled, and be told from another thread. While one\n"
"thread tells it something, or makes its result, any other use of it is a RuntimeError, for whoever comes second.\n\n"
"Parameters\n----------\n"
"x0 : array_like\n"
"    Where to begin; flattened to shape (n,).\n"
"ftol, xtol, gtol, maxfev, epsfcn, factor, diag, typical_x\n"
"    As of `leastsq`.\n"
"jacobian : bool, optional\n"
"    The Jacobian is told, too; else it is made of differences, at n points at once.\n"
"col_deriv : bool, optional\n"
"    The Jacobian is told as (n, m), one row for each variable.\n"
"solver : {\"builtin\"}, optional\n"
"    ``\"original\"``, by this argument or by PYMINPACK_SOLVER, is refused: MINPACK's own drivers cannot be told.\n\n"
"Attributes\n----------\n"
"x, fvec, fnorm : ndarray, ndarray, float\n"
"    The best point so far, its residuals and their norm.\n"
"gnorm, xnorm, delta, diag : float, float, float, ndarray\n"
"    The largest cosine between the residuals and a column of the Jacobian; the norm of D x; the bound on that of D p for\n"
"    the next step p; and the diagonal of D.\n"
"trial_x, trial_fnorm, accepted : ndarray, float, bool\n"
"    The last trial point, the norm of the residuals there, and whether it became x.\n"
"pnorm, par, ratio : float\n"
"    The norm of D p of that trial's step p; the Levenberg-Marquardt parameter after it; and the actual reduction of the\n"
"    sum of squares over the predicted one.\n"
"nit, nfev, njev : int\n"
"    Accepted steps; points with residuals; Jacobians told.\n"
"ier, mesg : int, str\n"
"    Why the fit ended.\n"
"request, done : str, bool\n"
"    What is wanted: ``\"residuals\"``, ``\"differences\"``, ``\"jacobian\"``, or None where the fit is done.\n\n"
"    Each is None until it is known. Arrays are copies.\n\n"
"Raises\n------\n"
"TypeError, ValueError, OverflowError\n"
"    For improper options and a bad x0, as of `leastsq`.\n"
"NotImplementedError\n"
"    If the solver is to be the original.\n\n"
"Examples\n--------\n"
">>> from pyminpack import LevenbergMarquardt\n"
">>> fit = LevenbergMarquardt([3.0])\n"
">>> while not fit.done:\n"
"...     fit.tell([x**2 - 2 for x in fit.ask()])\n"
">>> fit.x.round(6), fit.ier\n"
"(array([1.414214]), 2)");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},
    {Py_tp_init, init},
    {Py_tp_dealloc, dealloc},
    {Py_tp_getset, iteration_getset},
    {Py_tp_methods, methods},
    {Py_tp_repr, iteration_repr},
    {0, NULL},
};

PyType_Spec levenberg_marquardt_spec = {
    .name = "pyminpack.LevenbergMarquardt",
    .basicsize = sizeof(LevenbergMarquardt),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
