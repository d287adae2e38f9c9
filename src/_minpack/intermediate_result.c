/* What leastsq's callback is called with: a view of the fit while the callback runs, and a copy if somebody keeps it; or a
 * copy from the start, where other threads may read what they keep at any time. */
#include "intermediate_result.h"

#include <string.h>

typedef struct {
    Iteration iteration;
    LmState copy;           /* what iteration.lm points to in a copy */
    Options options;        /* likewise; without arrays */
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
"What leastsq's callback is called with after each trial step: the state of the iteration.\n\n"
"Arrays are copies, made when an attribute is read; whoever keeps the object keeps the state of that moment.");

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

/* Copy `size` numbers to *to, which goes on behind them. Where they are now. */
static double *
copied(double **to, const double *from, int size)
{
    double *const begin = *to;

    memcpy(begin, from, (size_t)size * sizeof(double));
    *to += size;
    return begin;
}

/* Give an object a copy of all it shows. 0, or -1 without an exception if there is no memory: then it shows nothing any
 * more. */
static int
detach(IntermediateResult *result)
{
    const LmState *lm = result->iteration.lm;
    double *to;

    result->iteration.lm = NULL;
    result->memory = PyMem_New(double, 3 * (size_t)lm->n + (size_t)lm->m);
    if (result->memory == NULL)
        return -1;
    to = result->memory;
    result->copy = *lm;
    result->copy.x = copied(&to, lm->x, lm->n);
    result->copy.fvec = copied(&to, lm->fvec, lm->m);
    result->copy.diag = copied(&to, lm->diag, lm->n);
    result->iteration.trial_x = copied(&to, result->iteration.trial_x, lm->n);
    result->options = *result->iteration.options;
    result->options.diag = NULL;
    result->options.typical_x = NULL;
    result->iteration.options = &result->options;
    result->iteration.lm = &result->copy;
    return 0;
}

/* An object that shows the fit as it is now: the last one if nobody keeps it, else a new one. 0, or -1. */
static int
attach(Shown *shown, const LmState *lm)
{
    Iteration *iteration;

    if (shown->names == NULL)
        shown->names = Py_BuildValue("(s)", "intermediate_result");
    if (shown->result == NULL)
        shown->result = shown->type->tp_alloc(shown->type, 0);
    if (shown->names == NULL || shown->result == NULL)
        return -1;
    iteration = (Iteration *)shown->result;
    iteration->lm = lm;
    iteration->trial_x = lm->wa2;
    iteration->options = shown->options;
    iteration->jacobian = shown->jacobian;
    return 0;
}

int
show_trial(void *context, const LmState *lm)
{
    Callback *cb = context;
    Shown *shown = cb->shown;
    PyObject *stack[2] = {NULL, NULL};  /* a spare slot, and the object, borrowed */
    PyObject *answer = NULL;            /* owned */
    int status = -1;

    callback_resume(cb);
    if (attach(shown, lm) < 0)
        return -1;
    if (COPIED_AHEAD && detach((IntermediateResult *)shown->result) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    stack[1] = shown->result;
    answer = PyObject_Vectorcall(cb->functions.callback, stack + 1, PY_VECTORCALL_ARGUMENTS_OFFSET, shown->names);
    if (answer != NULL)
        status = PyErr_CheckSignals();
    else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        status = STOPPED;
    }
    Py_XDECREF(answer);
    if (COPIED_AHEAD)
        Py_CLEAR(shown->result);
    else if (Py_REFCNT(shown->result) == 1)     /* nobody but us holds it */
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
