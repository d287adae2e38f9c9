/* Releasing the GIL, and what must not be touched meanwhile. */
#include "gil.h"

#include <string.h>

int
takes_long(Work work, double size)
{
    static const double about_1_ms[] = {[FACTORISE] = 2e6, [COPY] = 1 << 17, [SEARCH] = 1 << 20, [TOUCH] = 1 << 20};

    return size >= about_1_ms[work];
}

PyThreadState *
release_gil(void)
{
    return PyEval_SaveThread();
}

void
take_gil(PyThreadState *thread)
{
    if (thread != NULL)
        PyEval_RestoreThread(thread);
}

int
is_ours_alone(PyArrayObject *array, Py_ssize_t references)
{
#ifdef Py_GIL_DISABLED
    /* A reference count proves nothing without the GIL. */
    (void)array;
    (void)references;
    return 0;
#else
    PyObject *base = PyArray_BASE(array);

    if (Py_REFCNT(array) != references || !PyArray_CheckExact(array)
            || ((PyArrayObject_fields *)array)->weakreflist != NULL)
        return 0;
    if (base != NULL)
        return PyArray_CheckExact(base) && PyArray_BASE((PyArrayObject *)base) == NULL
            && is_ours_alone((PyArrayObject *)base, 1);
    return PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA);
#endif
}

/* to[0..count) <- from: entries of size bytes, to_step and from_step bytes apart. */
static void
copy_entries(char *to, npy_intp to_step, const char *from, npy_intp from_step, npy_intp count, size_t size)
{
    npy_intp i;

    if (size == sizeof(double))
        for (i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, sizeof(double));
    else
        for (i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, size);
}

PyArrayObject *
shielded(PyArrayObject *array, Py_ssize_t references)
{
    PyArrayObject *copy = NULL;             /* owned, returned */
    PyArrayIterObject *from = NULL;         /* owned: iterates over all axes but the last */
    PyArrayIterObject *to = NULL;           /* likewise */
    int last = PyArray_NDIM(array) - 1, last_too = last;

    /* Entries of other types, such as object, are not just numbers. */
    if (!PyTypeNum_ISNUMBER(PyArray_TYPE(array)) && !PyTypeNum_ISBOOL(PyArray_TYPE(array)))
        return (PyArrayObject *)Py_NewRef(array);
    if (last < 0 || is_ours_alone(array, references))
        return (PyArrayObject *)Py_NewRef(array);
    copy = (PyArrayObject *)PyArray_NewLikeArray(array, NPY_KEEPORDER, NULL, 0);
    if (copy == NULL)
        return NULL;
    if (PyArray_ISONESEGMENT(array)) {
        memcpy(PyArray_DATA(copy), PyArray_DATA(array), (size_t)PyArray_NBYTES(array));
        return copy;
    }
    from = (PyArrayIterObject *)PyArray_IterAllButAxis((PyObject *)array, &last);
    to = (PyArrayIterObject *)PyArray_IterAllButAxis((PyObject *)copy, &last_too);
    if (from == NULL || to == NULL)
        Py_CLEAR(copy);
    else
        while (PyArray_ITER_NOTDONE(from)) {
            copy_entries(to->dataptr, PyArray_STRIDE(copy, last), from->dataptr, PyArray_STRIDE(array, last),
                         PyArray_DIM(copy, last), (size_t)PyArray_ITEMSIZE(copy));
            PyArray_ITER_NEXT(from);
            PyArray_ITER_NEXT(to);
        }
    Py_XDECREF(from);
    Py_XDECREF(to);
    return copy;
}

/* The array that owns array's memory, possibly array itself; borrowed. NULL if no array owns it. */
static PyArrayObject *
owner_of(PyArrayObject *array)
{
    PyObject *base;

    while ((base = PyArray_BASE(array)) != NULL && PyArray_Check(base))
        array = (PyArrayObject *)base;
    return base == NULL && PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA) ? array : NULL;
}

int
let_others_run(PyArrayObject *array)
{
    const PyArrayObject *const owner = owner_of(array);
    const void *memory;
    npy_intp size;

    if (owner == NULL)
        return -1;
    memory = PyArray_DATA(owner_of(array));
    size = PyArray_NBYTES(owner_of(array));
    take_gil(release_gil());
    /* The owner may be gone: its address is compared, never dereferenced. */
    return owner_of(array) == owner && PyArray_DATA(owner_of(array)) == memory
        && PyArray_NBYTES(owner_of(array)) == size;
}
