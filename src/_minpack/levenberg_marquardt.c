/* The type LevenbergMarquardt: ask, tell, result, and support for pickle and copy. */
#include "levenberg_marquardt.h"

#include <string.h>

#include "ask_and_tell.h"
#include "errors.h"
#include "iteration.h"
#include "saved_fit.h"
#include "state_entries.h"

static const char CALLER[] = "LevenbergMarquardt";
static const char ATTRIBUTES[] = "attributes";     /* key of a subclass's attributes in a saved state */

typedef struct {
    Iteration iteration;
    Told told;
} LevenbergMarquardt;

/* Move a fit into an object, replacing what was there and leaving *told empty. The caller has entered the iteration, or
 * nobody has seen anything in the object yet. */
static void
take_told(LevenbergMarquardt *self, Told *told)
{
    Told old = self->told;

    self->told = *told;
    memset(told, 0, sizeof(*told));
    self->iteration.fit = &self->told.fit;
    self->iteration.lm = &self->told.shown;
    self->iteration.trial_x = self->told.trial_x;
    self->iteration.answered = self->told.answered;
    told_clear(&old);
}

static int
init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *x0 = NULL, *jacobian = NULL, *col_deriv = NULL;       /* owned, like the options */
    GivenOptions options = {NULL};
    const Argument arguments[] = {
        {"x0", &x0}, {"jacobian", &jacobian}, {"col_deriv", &col_deriv}, {"solver", NULL}, {NULL, NULL},
    };
    PyObject *none = NULL;      /* owned: no positional options */
    Told told = {0};
    int status = -1;

    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes 1 positional argument (%zd given)", CALLER, PyTuple_GET_SIZE(args));
        goto done;
    }
    if (PyTuple_GET_SIZE(args) == 1)
        x0 = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    none = PyTuple_New(0);
    if (none == NULL || (kwargs != NULL && options_take(CALLER, arguments, options, none, kwargs) < 0))
        goto done;
    if (x0 == NULL) {
        PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional argument: 'x0'", CALLER);
        goto done;
    }
    told.fit.has_jacobian = jacobian == NULL ? 0 : PyObject_IsTrue(jacobian);
    told.col_deriv = col_deriv == NULL || told.fit.has_jacobian < 0 ? 0 : PyObject_IsTrue(col_deriv);
    if (told.fit.has_jacobian < 0 || told.col_deriv < 0 || told_from_arguments(&told, x0, options) < 0)
        goto done;
    /* Another thread may be using the object; the first time, there is nothing in it. */
    if (iteration_enter((Iteration *)self, BEGIN) < 0)
        goto done;
    take_told((LevenbergMarquardt *)self, &told);
    iteration_leave((Iteration *)self);
    status = 0;
done:
    told_clear(&told);
    options_release(options);
    Py_XDECREF(x0);
    Py_XDECREF(jacobian);
    Py_XDECREF(col_deriv);
    Py_XDECREF(none);
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

/* *point <- tell's point argument. Returns 0, or -1 with an exception. */
static int
parse_point(PyObject *value, Py_ssize_t *point)
{
    *point = PyNumber_AsSsize_t(value, NULL);       /* a value that is too large is clipped, and refused later */
    if (*point != -1 || !PyErr_Occurred())
        return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        raise_from_pending(PyExc_TypeError, PyUnicode_FromFormat("%s: point must be an integer or None, not %.200s", CALLER,
                                                                 Py_TYPE(value)->tp_name));
    return -1;
}

static PyObject *
tell(PyObject *self, PyObject *const *values, Py_ssize_t nargs, PyObject *names)
{
    Told *told = &((LevenbergMarquardt *)self)->told;
    const Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    PyObject *const which = named == 1 ? values[nargs] : Py_None;   /* borrowed */
    Py_ssize_t point = 0;
    int status;

    if (nargs != 1)
        return PyErr_Format(PyExc_TypeError, "%s: tell() takes 1 positional argument, the values (%zd given)", CALLER, nargs);
    if (named > 1 || (named == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "point") != 0))
        return PyErr_Format(PyExc_TypeError, "%s: tell() takes no keyword but point (given: %R)", CALLER, names);
    if (which != Py_None && parse_point(which, &point) < 0)
        return NULL;
    if (iteration_enter((Iteration *)self, CHANGE) < 0)
        return NULL;
    status = which == Py_None ? told_take(told, values[0]) : told_take_point(told, values[0], point);
    if (status > 0)
        told_go_on(told);
    iteration_leave((Iteration *)self);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Issue the warnings that leastsq would. reports: a list, or None. Returns 0, or -1 with an exception. */
static int
warn(PyObject *reports)
{
    PyObject *module = NULL;    /* owned */
    PyObject *none = NULL;      /* owned */

    if (reports == Py_None)
        return 0;
    module = PyImport_ImportModule("pyminpack._reports");
    if (module != NULL)
        none = PyObject_CallMethod(module, "warn_of_told", "(O)", reports);
    Py_XDECREF(module);
    Py_XDECREF(none);
    return none == NULL ? -1 : 0;
}

static PyObject *
result(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *outcome = NULL;   /* owned: (x, ier, infodict, cov_x, mesg, reports) */
    PyObject *result = NULL;    /* owned, returned */

    if (iteration_enter((Iteration *)self, CHANGE) < 0)     /* it overwrites work arrays */
        return NULL;
    outcome = told_outcome(&((LevenbergMarquardt *)self)->told);
    iteration_leave((Iteration *)self);
    if (outcome != NULL && warn(PyTuple_GET_ITEM(outcome, 5)) == 0)
        result = PyTuple_Pack(5, PyTuple_GET_ITEM(outcome, 0), PyTuple_GET_ITEM(outcome, 3), PyTuple_GET_ITEM(outcome, 2),
                              PyTuple_GET_ITEM(outcome, 4), PyTuple_GET_ITEM(outcome, 1));
    Py_XDECREF(outcome);
    return result;
}

/* The attributes and slots that a subclass has added, as object.__getstate__ returns them, or None. A new reference, or
 * NULL with an exception. */
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

/* Set the attributes in a dict, which another thread may change meanwhile. Returns 0, or -1 with an exception. */
static int
set_each(PyObject *self, PyObject *attributes)
{
    PyObject *own = NULL;       /* owned: a private copy */
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

/* Set what attributes_of returned on an instance of a subclass. Returns 0, or -1 with an exception: a ValueError if the
 * type cannot have these attributes. */
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
                           PyUnicode_FromFormat("%s: the saved state's %s do not fit the type %.200s", CALLER,
                                                ATTRIBUTES, Py_TYPE(self)->tp_name));
    Py_XDECREF(own);
    return status;
}

static PyObject *
set_state(PyObject *self, PyObject *state)
{
    PyObject *copy = NULL;          /* owned: a private copy, unchanged while it is read */
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

PyDoc_STRVAR(ask_doc,
"ask($self, /)\n--\n\n"
"Return the points at which the fit needs values before it can continue.\n\n"
"Returns\n-------\n"
"ndarray, shape (k, n)\n"
"    n points if `request` is ``\"differences\"``, otherwise one. A new array on every call, with all points, told or\n"
"    not (see `wanted`); asking changes nothing.\n\n"
"Raises\n------\n"
"RuntimeError\n"
"    If the fit has ended, or is in use by a tell in another thread.");

PyDoc_STRVAR(tell_doc,
"tell($self, values, /, *, point=None)\n--\n\n"
"Supply the values asked for; once all are there, the fit continues to its next request.\n\n"
"Parameters\n----------\n"
"values : array_like\n"
"    Residuals at the points of `ask`, shape (k, m), or (m,) for one point. If `request` is ``\"jacobian\"``, the\n"
"    Jacobian, shape (m, n), or (n, m) with `col_deriv`. The first residuals determine m.\n"
"point : int, optional\n"
"    The row of `ask` that `values` belong to. Points may be told in any order, and the fit saved in between; it\n"
"    continues after the last one. Until then only `wanted` changes, no other attribute and not `result`. By default\n"
"    `values` are for all points, and replace any told singly.\n\n"
"Raises\n------\n"
"TypeError, ValueError, OverflowError\n"
"    For invalid values, as in `leastsq`; if `point` is not a row of `ask`, or has already been told. The fit is\n"
"    unchanged, and can be told again.\n"
"RuntimeError\n"
"    If the fit has ended, or is in use by another thread.");

PyDoc_STRVAR(result_doc,
"result($self, /)\n--\n\n"
"Return what the fit has found so far: ``(x, cov_x, infodict, mesg, ier)``, as `leastsq` with ``full_output=True``.\n\n"
"Before the fit ends, `x` is the best point so far, `ier` is -2, and `cov_x` and unknown entries of `infodict` are\n"
"None. After the end, warns as `leastsq` does.");

PyDoc_STRVAR(getstate_doc,
"__getstate__($self, /)\n--\n\n"
"Return the state as a dict of numbers and arrays; the fit can continue from it in another process or on another machine.");

static PyMethodDef methods[] = {
    {"ask", ask, METH_NOARGS, ask_doc},
    {"tell", (PyCFunction)(void (*)(void))tell, METH_FASTCALL | METH_KEYWORDS, tell_doc},
    {"result", result, METH_NOARGS, result_doc},
    {"__getstate__", get_state, METH_NOARGS, getstate_doc},
    {"__setstate__", set_state, METH_O, "__setstate__($self, state, /)\n--\n\nContinue from a state of __getstate__."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(doc,
"LevenbergMarquardt(x0, *, ftol=1.49012e-08, xtol=1.49012e-08, gtol=0, maxfev=0, epsfcn=None, factor=100, diag=None, "
"jacobian=False, col_deriv=False, typical_x=None)\n--\n\n"
"MINPACK's iteration in ask-and-tell form: it asks for points and is told the function values there.\n\n"
"Results are bit-identical to those of `leastsq`, with as many evaluations::\n\n"
"    fit = LevenbergMarquardt(x0)\n"
"    while not fit.done:\n"
"        fit.tell([func(x) for x in fit.ask()])\n"
"    x, cov_x, infodict, mesg, ier = fit.result()\n\n"
"Between calls its attributes can be read, and it can be copied and pickled. The points of a forward-difference\n"
"Jacobian can be told one at a time, with ``fit.tell(fvec, point=j)``; saved after each, a fit loses none of them. Any\n"
"thread may call `tell`; during a `tell` or `result`, any other use of the fit raises RuntimeError.\n\n"
"Parameters\n----------\n"
"x0 : array_like\n"
"    Initial guess; flattened to shape (n,).\n"
"ftol, xtol, gtol, maxfev, epsfcn, factor, diag, typical_x\n"
"    As in `leastsq`.\n"
"jacobian : bool, optional\n"
"    Whether the Jacobian is told, too. By default it is computed by forward differences, from n points.\n"
"col_deriv : bool, optional\n"
"    Whether the Jacobian is told as (n, m), one row per variable.\n\n"
"Attributes\n----------\n"
"x, fvec, fnorm : ndarray, ndarray, float\n"
"    The best point so far, its residuals and their norm.\n"
"gnorm, xnorm, delta, diag : float, float, float, ndarray\n"
"    The largest cosine between the residuals and a column of the Jacobian; the norm of D x; the bound on the norm of D p for\n"
"    the next step p; the diagonal of D.\n"
"trial_x, trial_fnorm, accepted : ndarray, float, bool\n"
"    The last trial point, the norm of its residuals, and whether it became x.\n"
"pnorm, par, ratio : float\n"
"    The norm of D p for that trial's step p; the Levenberg-Marquardt parameter after it; the actual reduction of the sum of\n"
"    squares divided by the predicted one.\n"
"nit, nfev, njev : int\n"
"    Accepted steps; points with residuals; Jacobians told.\n"
"ier, mesg : int, str\n"
"    Why the fit ended.\n"
"request, done : str, bool\n"
"    What the fit needs next: ``\"residuals\"``, ``\"differences\"``, ``\"jacobian\"``, or None when it is done.\n"
"wanted : list of int\n"
"    The rows of `ask` that have not been told yet. Empty when the fit is done.\n\n"
"    Attributes that are not known yet are None. Arrays are copies.\n\n"
"Raises\n------\n"
"TypeError, ValueError, OverflowError\n"
"    For improper options or an invalid x0, as in `leastsq`.\n"
"\n"
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
