/* failing_allocator: a call of which chosen allocations fail, and how many blocks are alive. For test_memory.py only.
 *
 * From import on, CPython's three allocators and NumPy's allocator of array data pass through here.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define NPY_TARGET_VERSION NPY_1_22_API_VERSION
#include <numpy/arrayobject.h>

static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
static PyMemAllocatorEx originals[3];
static Py_ssize_t alive = 0;        /* blocks handed out since import, less those given back */
static Py_ssize_t requests = 0;     /* in the last call, for a block or for another size of one */
static Py_ssize_t refusals = 0;     /* how many of them were refused */
static Py_ssize_t failing = 0;      /* the request to refuse, counted from 1; 0: none */
static int lasting = 0;             /* refuse all after it, too */

/* Count a request; whether to refuse it. */
static int
refused(void)
{
    if (failing == 0)
        return 0;
    requests++;
    if (requests < failing || (requests > failing && !lasting))
        return 0;
    refusals++;
    return 1;
}

/* Count a block that was handed out. */
static void *
counted(void *block)
{
    alive += block != NULL;
    return block;
}

static void *
python_malloc(void *original, size_t size)
{
    PyMemAllocatorEx *allocator = original;

    return refused() ? NULL : counted(allocator->malloc(allocator->ctx, size));
}

static void *
python_calloc(void *original, size_t count, size_t size)
{
    PyMemAllocatorEx *allocator = original;

    return refused() ? NULL : counted(allocator->calloc(allocator->ctx, count, size));
}

static void *
python_realloc(void *original, void *block, size_t size)
{
    PyMemAllocatorEx *allocator = original;

    if (refused())
        return NULL;
    if (block == NULL)
        return counted(allocator->realloc(allocator->ctx, NULL, size));
    return allocator->realloc(allocator->ctx, block, size);
}

static void
python_free(void *original, void *block)
{
    PyMemAllocatorEx *allocator = original;

    alive -= block != NULL;
    allocator->free(allocator->ctx, block);
}

static void *
data_malloc(void *Py_UNUSED(context), size_t size)
{
    return refused() ? NULL : counted(malloc(size));
}

static void *
data_calloc(void *Py_UNUSED(context), size_t count, size_t size)
{
    return refused() ? NULL : counted(calloc(count, size));
}

static void *
data_realloc(void *Py_UNUSED(context), void *block, size_t size)
{
    if (refused())
        return NULL;
    return block == NULL ? counted(malloc(size)) : realloc(block, size);
}

static void
data_free(void *Py_UNUSED(context), void *block, size_t Py_UNUSED(size))
{
    alive -= block != NULL;
    free(block);
}

static PyDataMem_Handler data_handler = {
    "failing_allocator", 1, {NULL, data_malloc, data_calloc, data_realloc, data_free},
};

/* Put this file between the callers and the allocators. 0, or -1 with an exception. */
static int
install(void)
{
    PyMemAllocatorEx ours = {NULL, python_malloc, python_calloc, python_realloc, python_free};
    PyObject *capsule = NULL;       /* owned */
    PyObject *previous = NULL;      /* owned */
    int i;

    capsule = PyCapsule_New(&data_handler, "mem_handler", NULL);
    if (capsule != NULL)
        previous = PyDataMem_SetHandler(capsule);
    Py_XDECREF(capsule);
    if (previous == NULL)
        return -1;
    Py_DECREF(previous);
    for (i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &originals[i]);
        ours.ctx = &originals[i];
        PyMem_SetAllocator(domains[i], &ours);
    }
    return 0;
}

PyDoc_STRVAR(call_doc,
"call(failing, lasting, function, /)\n"
"--\n\n"
"function(), whose allocation number `failing` (from 1; 0: none) is refused, and with `lasting` all after it, too.");

static PyObject *
call(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *result;
    PyObject *function;     /* borrowed */
    Py_ssize_t number;

    if (!PyArg_ParseTuple(args, "npO", &number, &lasting, &function))
        return NULL;
    requests = 0;
    refusals = 0;
    failing = number;
    result = PyObject_CallNoArgs(function);
    failing = 0;
    return result;
}

PyDoc_STRVAR(refusals_doc, "How many allocations the last call was refused.");

static PyObject *
get_refusals(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromSsize_t(refusals);
}

PyDoc_STRVAR(blocks_alive_doc, "Blocks handed out since import, less those given back.");

static PyObject *
get_blocks_alive(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromSsize_t(alive);
}

static PyMethodDef methods[] = {
    {"call", call, METH_VARARGS, call_doc},
    {"refusals", get_refusals, METH_NOARGS, refusals_doc},
    {"blocks_alive", get_blocks_alive, METH_NOARGS, blocks_alive_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "failing_allocator",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_failing_allocator(void)
{
    import_array();
    if (install() < 0)
        return NULL;
    return PyModule_Create(&module_definition);
}
