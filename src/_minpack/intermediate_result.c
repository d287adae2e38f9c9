/* The argument of leastsq's callback: a view of the fit while the callback runs, made a copy if somebody keeps it. Without
 * the GIL a copy from the start, as other threads may read what they keep at any time. */
#include "intermediate_result.h"

#include <string.h>

#include "outcome.h"
#include "python_functions.h"

typedef struct {
    Iteration iteration;
    Fit copy;               /* what iteration points to in a copy; owns nothing, and has no vector options */
    double *memory;         /* owned or NULL: the arrays of copy, and trial_x */
} IntermediateResult;

#ifdef Py_GIL_DISABLED
enum { COPIED_AHEAD = 1 };
#else
enum { COPIED_AHEAD = 0 };
#endif

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyMem_Free(((IntermediateResult *)self)->memory);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(doc,
"The state of the iteration, passed to leastsq's callback after each trial step.\n\n"
"Arrays are copies, made when an attribute is read; an object that is kept keeps the state of that moment.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},
    {Py_tp_dealloc, dealloc},
    {Py_tp_getset, iteration_getset},
    {Py_tp_repr, iteration_repr},
    {0, NULL},
};

PyType_Spec intermediate_result_spec = {
    .name = "pyminpack._minpack.IntermediateResult",
    .basicsize = sizeof(IntermediateResult),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

void
shown_clear(Shown *shown)
{
    Py_CLEAR(shown->result);
    Py_CLEAR(shown->names);
}

/* Copy size numbers to *to, and advance it past them. Returns where they are now. */
static double *
copied(double **to, const double *from, int size)
{
    double *const begin = *to;

    memcpy(begin, from, (size_t)size * sizeof(double));
    *to += size;
    return begin;
}

/* Replace what an object shows by a copy. Returns 0, or -1 without an exception if memory runs out; it then shows
 * nothing. */
static int
detach(IntermediateResult *result)
{
    const MinpackState *lm = result->iteration.lm;
    Fit *copy = &result->copy;
    double *to;

    result->iteration.lm = NULL;
    result->memory = PyMem_New(double, 3 * (size_t)lm->n + (size_t)lm->m);
    if (result->memory == NULL)
        return -1;
    to = result->memory;
    *copy = *result->iteration.fit;
    memset(&copy->options.vectors, 0, sizeof(copy->options.vectors));
    copy->lm = *lm;
    copy->lm.x = copied(&to, lm->x, lm->n);
    copy->lm.fvec = copied(&to, lm->fvec, lm->m);
    copy->lm.diag = copied(&to, lm->diag, lm->n);
    result->iteration.trial_x = copied(&to, result->iteration.trial_x, lm->n);
    result->iteration.fit = copy;
    result->iteration.lm = &copy->lm;
    return 0;
}

/* Make shown->result show the fit as it is now: the last object if nobody keeps it, else a new one. Returns 0, or -1. */
static int
attach(Shown *shown, const Fit *fit)
{
    Iteration *iteration;

    if (shown->names == NULL)
        shown->names = Py_BuildValue("(s)", "intermediate_result");
    if (shown->result == NULL)
        shown->result = shown->type->tp_alloc(shown->type, 0);
    if (shown->names == NULL || shown->result == NULL)
        return -1;
    iteration = (Iteration *)shown->result;
    iteration->fit = fit;
    iteration->lm = &fit->lm;
    iteration->trial_x = fit->lm.wa2;
    return 0;
}

int
show_trial(void *context, const MinpackState *Py_UNUSED(lm))
{
    const PythonFunctions *functions = context;
    Shown *shown = functions->shown;
    PyObject *stack[2] = {NULL, NULL};  /* a spare slot, and the object, borrowed */
    PyObject *answer = NULL;            /* owned */
    int status = -1;

    fit_resume(functions->fit);
    if (attach(shown, functions->fit) < 0)
        return -1;
    if (COPIED_AHEAD && detach((IntermediateResult *)shown->result) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    stack[1] = shown->result;
    answer = PyObject_Vectorcall(functions->given.callback, stack + 1, PY_VECTORCALL_ARGUMENTS_OFFSET, shown->names);
    if (answer != NULL)
        status = PyErr_CheckSignals();
    else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        status = STOPPED;
    }
    Py_XDECREF(answer);
    if (COPIED_AHEAD)
        Py_CLEAR(shown->result);
    else if (Py_REFCNT(shown->result) == 1)     /* only we hold it */
        ((Iteration *)shown->result)->lm = NULL;
    else {
        if (detach((IntermediateResult *)shown->result) < 0 && status != -1) {
            PyErr_NoMemory();
            status = -1;
        }
        Py_CLEAR(shown->result);
    }
    return status;
}
