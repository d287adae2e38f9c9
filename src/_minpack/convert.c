/* What a user's function returned, as numbers, or the TypeError that says what it was instead. */
#include "convert.h"

#include "errors.h"

PyObject *
quoted_name(const Source *source)
{
    PyObject *quoted = NULL;
    PyObject *name = NULL;      /* owned */

    if (source->function == NULL)
        return PyUnicode_FromString("");
    name = PyObject_GetAttrString(source->function, "__name__");
    if (name != NULL)
        quoted = PyUnicode_FromFormat(" '%S'", name);
    else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        quoted = PyUnicode_FromString("");
    }
    Py_XDECREF(name);
    return quoted;
}

PyObject *
source_text(const Source *source)
{
    PyObject *text = NULL;      /* owned, returned */
    PyObject *name = NULL;      /* owned */

    name = quoted_name(source);
    if (name != NULL)
        text = PyUnicode_FromFormat("%s: %s%U %s", source->caller, source->role, name, source->gave);
    Py_XDECREF(name);
    return text;
}

PyObject *
shape_tuple(PyArrayObject *array)
{
    return PyObject_GetAttrString((PyObject *)array, "shape");
}

/* Whether an array is one of float64, aligned and in native byte order: it needs no conversion. */
static int
is_plain(PyArrayObject *array)
{
    return PyArray_TYPE(array) == NPY_DOUBLE && PyArray_ISBEHAVED_RO(array);
}

PyArrayObject *
as_float64(PyArrayObject *array, int flags)
{
    if (is_plain(array) && PyArray_CHKFLAGS(array, flags))
        return (PyArrayObject *)Py_NewRef(array);
    return (PyArrayObject *)PyArray_FromArray(array, PyArray_DescrFromType(NPY_DOUBLE),
                                              NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | flags);
}

PyArrayObject *
object_copy(PyArrayObject *array)
{
    return (PyArrayObject *)PyArray_FromArray(array, PyArray_DescrFromType(NPY_OBJECT),
                                              NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY);
}

int
is_ours_alone(PyArrayObject *array, Py_ssize_t references)
{
#ifdef Py_GIL_DISABLED
    /* A reference count proves nothing there. */
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

int
casts_safely(PyArrayObject *array)
{
    PyArray_Descr *float64 = PyArray_DescrFromType(NPY_DOUBLE);     /* owned */
    const int safely = PyArray_CanCastTypeTo(PyArray_DESCR(array), float64, NPY_SAFE_CASTING);

    Py_DECREF(float64);
    return safely;
}

PyObject *
written_index(PyArrayObject *array, npy_intp flat)
{
    PyObject *list = NULL;      /* owned */
    PyObject *text = NULL;      /* owned, returned */
    PyObject *number = NULL;    /* owned */
    int axis, ndim = PyArray_NDIM(array);

    list = PyList_New(ndim);
    if (list == NULL)
        goto done;
    for (axis = ndim - 1; axis >= 0; axis--) {
        number = PyLong_FromSsize_t((Py_ssize_t)(flat % PyArray_DIM(array, axis)));
        if (number == NULL)
            goto done;
        PyList_SET_ITEM(list, axis, number);    /* steals it */
        flat /= PyArray_DIM(array, axis);
    }
    text = PyObject_Str(list);
done:
    Py_XDECREF(list);
    return text;
}

/* Whether an object is no real number, though float() might take it: text, a complex number, a time. */
static int
is_no_real_number(PyObject *object)
{
    const PyNumberMethods *number = Py_TYPE(object)->tp_as_number;

    return number == NULL || (number->nb_float == NULL && number->nb_index == NULL)
        || PyUnicode_Check(object) || PyBytes_Check(object) || PyComplex_Check(object)
        || PyArray_IsScalar(object, ComplexFloating) || PyArray_IsScalar(object, Timedelta)
        || PyArray_IsScalar(object, Datetime)
        || (PyArray_Check(object) && PyArray_ISCOMPLEX((PyArrayObject *)object));
}

/* What an entry is instead of a real number: "None", or "of type str"; a new reference, or NULL with an exception. */
static PyObject *
described_entry(PyObject *entry)
{
    if (entry == Py_None)
        return PyUnicode_FromString("None");
    return PyUnicode_FromFormat("of type %s", Py_TYPE(entry)->tp_name);
}

/* What an array of objects has that is no real number, as " whose entry [1] is None", or "" if all are; a new reference,
 * or NULL with an exception. */
static PyObject *
described_objects(PyArrayObject *array)
{
    PyArrayObject *entries = NULL;  /* owned: a copy, for a user's code may change the array */
    PyObject *const *entry;
    PyObject *kind = NULL;          /* owned */
    PyObject *index = NULL;         /* owned */
    PyObject *text = NULL;          /* owned, returned */
    npy_intp i, size;

    entries = object_copy(array);
    if (entries == NULL)
        return NULL;
    entry = PyArray_DATA(entries);
    size = PyArray_SIZE(entries);
    for (i = 0; i < size && !is_no_real_number(entry[i]); i++)
        ;
    if (i == size)
        text = PyUnicode_FromString("");
    else {
        kind = described_entry(entry[i]);
        if (kind != NULL)
            index = written_index(entries, i);
        if (index != NULL)
            text = PyUnicode_FromFormat(" whose entry %U is %U", index, kind);
    }
    Py_DECREF(entries);
    Py_XDECREF(kind);
    Py_XDECREF(index);
    return text;
}

/* Refuse an array whose dtype does not cast safely to float64; NumPy's own refusal becomes the cause. */
static void
raise_unsafe_dtype(const Source *source, PyArrayObject *array)
{
    PyObject *giver = NULL;     /* owned */
    PyObject *objects = NULL;   /* owned */
    PyObject *message = NULL;   /* owned */
    PyObject *cast = NULL;      /* owned */

    giver = source_text(source);
    if (giver == NULL)
        goto done;
    objects = PyArray_TYPE(array) == NPY_OBJECT ? described_objects(array) : PyUnicode_FromString("");
    if (objects == NULL)
        goto done;
    message = PyUnicode_FromFormat("%U an array of dtype %S%U; " REAL_NUMBERS_EXPECTED, giver,
                                   (PyObject *)PyArray_DESCR(array), objects);
    if (message == NULL)
        goto done;
    cast = (PyObject *)as_float64(array, NPY_ARRAY_CARRAY_RO);
    if (cast != NULL)       /* NumPy 1 looks at the value of a scalar, too */
        PyErr_SetObject(PyExc_TypeError, message);
    else if (PyErr_ExceptionMatches(PyExc_TypeError))
        raise_from_pending(PyExc_TypeError, Py_NewRef(message));
done:
    Py_XDECREF(giver);
    Py_XDECREF(objects);
    Py_XDECREF(message);
    Py_XDECREF(cast);
}

/* Refuse a function without a result. */
static void
raise_None(const Source *source)
{
    PyObject *giver = NULL;     /* owned */

    giver = source_text(source);
    if (giver != NULL)
        PyErr_Format(PyExc_TypeError, "%U None; " REAL_NUMBERS_EXPECTED " (is there a return statement?)", giver);
    Py_XDECREF(giver);
}

/* Whether instances of a type have a method of this name: 1 or 0, or -1 with an exception. */
static int
has_method(PyTypeObject *type, const char *name)
{
    PyObject *method = NULL;    /* owned */

    method = PyObject_GetAttrString((PyObject *)type, name);
    if (method == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(method);
    return 1;
}

/* How to get an array out of an object: the name of its type's method, "" if it has none, or NULL with an exception. */
static const char *
dense_method(PyTypeObject *type)
{
    const char *const names[] = {"toarray", "todense"};
    size_t i;
    int has;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        has = has_method(type, names[i]);
        if (has < 0)
            return NULL;
        if (has)
            return names[i];
    }
    return "";
}

/* Refuse an object that is no number and no array, such as a sparse matrix. The pending exception, if any, becomes the
 * cause. */
static void
raise_foreign_object(const Source *source, PyObject *object)
{
    PyObject *giver = NULL;     /* owned */
    PyObject *message = NULL;   /* owned */
    PyObject *cause = NULL;     /* owned */
    const char *method;

    cause = take_raised_exception();
    method = dense_method(Py_TYPE(object));
    if (method != NULL)
        giver = source_text(source);
    if (giver != NULL)
        message = PyUnicode_FromFormat("%U an object of type %s; " REAL_NUMBERS_EXPECTED "%s%s%s", giver,
                                       Py_TYPE(object)->tp_name, *method ? " (use ." : "", method,
                                       *method ? "())" : "");
    if (message != NULL)
        raise_from(PyExc_TypeError, Py_NewRef(message), cause);
    Py_XDECREF(giver);
    Py_XDECREF(message);
    Py_XDECREF(cause);
}

/* Refuse one entry of a list or the like. The pending exception, if any, becomes the cause. */
static void
raise_entry(const Source *source, PyObject *result, PyArrayObject *entries, npy_intp flat, PyObject *entry)
{
    PyObject *giver = NULL;     /* owned */
    PyObject *index = NULL;     /* owned */
    PyObject *kind = NULL;      /* owned */
    PyObject *message = NULL;   /* owned */
    PyObject *cause = NULL;     /* owned */

    cause = take_raised_exception();
    giver = source_text(source);
    if (giver != NULL)
        index = written_index(entries, flat);
    if (index != NULL)
        kind = described_entry(entry);
    if (kind != NULL)
        message = PyUnicode_FromFormat("%U a %s whose entry %U is %U; " REAL_NUMBERS_EXPECTED, giver,
                                       Py_TYPE(result)->tp_name, index, kind);
    if (message != NULL)
        raise_from(PyExc_TypeError, Py_NewRef(message), cause);
    Py_XDECREF(giver);
    Py_XDECREF(index);
    Py_XDECREF(kind);
    Py_XDECREF(message);
    Py_XDECREF(cause);
}

/* The entries of what a function returned, an array of objects of our own, as a new array of float64 of that shape.
 * NULL with an exception; one that an entry's own conversion raises passes, but for a TypeError. */
static PyArrayObject *
convert_entries(const Source *source, PyObject *result, PyArrayObject *entries)
{
    PyArrayObject *array = NULL;    /* owned, returned */
    PyObject *number = NULL;        /* owned */
    PyObject *const *entry = PyArray_DATA(entries);
    const npy_intp size = PyArray_SIZE(entries);
    double *value;
    npy_intp i;

    array = (PyArrayObject *)PyArray_SimpleNew(PyArray_NDIM(entries), PyArray_DIMS(entries), NPY_DOUBLE);
    if (array == NULL)
        return NULL;
    value = PyArray_DATA(array);
    for (i = 0; i < size; i++) {
        number = is_no_real_number(entry[i]) ? NULL : PyNumber_Float(entry[i]);
        if (number == NULL)
            goto refused;
        value[i] = PyFloat_AS_DOUBLE(number);
        Py_DECREF(number);
    }
    return array;
refused:
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError)) {
        if (PyArray_NDIM(entries) == 0)
            raise_foreign_object(source, entry[i]);
        else
            raise_entry(source, result, entries, i, entry[i]);
    }
    Py_DECREF(array);
    return NULL;
}

/* Whether the entries of a result are to be looked at one by one, because its array has not got a real dtype. */
static int
has_entries_of_its_own(PyObject *result, PyArrayObject *array)
{
    if (PyArray_Check(result))
        return 0;
    return PyArray_TYPE(array) == NPY_OBJECT || PyArray_TYPE(array) == NPY_LONGDOUBLE || PyList_Check(result)
        || PyTuple_Check(result);
}

/* Whether the text of a ValueError is NumPy's for a ragged list; what an entry's __array__ raises is to pass. */
static int
is_NumPys_of_ragged(PyObject *text)
{
    PyObject *start = NULL;     /* owned */
    Py_ssize_t found = 0;

    start = PyUnicode_FromString("setting an array element with a sequence");
    if (start != NULL)
        found = PyUnicode_Tailmatch(text, start, 0, PY_SSIZE_T_MAX, -1);
    Py_XDECREF(start);
    PyErr_Clear();
    return found == 1;
}

/* Put a list or tuple's function in front of NumPy's pending ValueError that it makes no array; whatever else is pending
 * stays. */
static void
raise_ragged(const Source *source, PyObject *result)
{
    PyObject *text = NULL;      /* owned */
    PyObject *giver = NULL;     /* owned */
    PyObject *message = NULL;   /* owned */
    PyObject *cause = NULL;     /* owned */

    if (PyErr_Occurred() != PyExc_ValueError || !(PyList_Check(result) || PyTuple_Check(result)))
        return;
    cause = take_raised_exception();
    text = PyObject_Str(cause);
    if (text != NULL && !is_NumPys_of_ragged(text))
        PyErr_SetObject((PyObject *)Py_TYPE(cause), cause);
    else if (text != NULL)
        giver = source_text(source);
    if (giver != NULL)
        message = PyUnicode_FromFormat("%U a %s that makes no array: %U", giver, Py_TYPE(result)->tp_name, text);
    if (message != NULL)
        raise_from(PyExc_ValueError, Py_NewRef(message), cause);
    Py_XDECREF(text);
    Py_XDECREF(giver);
    Py_XDECREF(message);
    Py_XDECREF(cause);
}

PyArrayObject *
as_real_array(const Source *source, PyObject *result, int *type)
{
    PyArrayObject *array = NULL;        /* owned */
    PyArrayObject *entries = NULL;      /* owned */
    PyArrayObject *real = NULL;         /* owned, returned */

    if (PyArray_CheckExact(result) && is_plain((PyArrayObject *)result)) {
        if (type != NULL)
            *type = NPY_DOUBLE;
        return (PyArrayObject *)Py_NewRef(result);
    }
    if (result == Py_None) {
        raise_None(source);
        goto done;
    }
    array = (PyArrayObject *)PyArray_FromAny(result, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (array == NULL) {
        raise_ragged(source, result);
        goto done;
    }
    if (type != NULL)
        *type = PyArray_TYPE(array);
    if (casts_safely(array))
        real = (PyArrayObject *)Py_NewRef(array);
    else if (!has_entries_of_its_own(result, array))
        raise_unsafe_dtype(source, array);
    else {
        /* What is an array of objects already is copied, for an entry's code might change it. */
        entries = (PyArrayObject *)PyArray_FromAny(
            PyArray_TYPE(array) == NPY_OBJECT ? (PyObject *)array : result, PyArray_DescrFromType(NPY_OBJECT), 0, 0,
            NPY_ARRAY_CARRAY | NPY_ARRAY_ENSUREARRAY | NPY_ARRAY_ENSURECOPY, NULL);
        if (entries != NULL)
            real = convert_entries(source, result, entries);
    }
done:
    Py_XDECREF(array);
    Py_XDECREF(entries);
    return real;
}
