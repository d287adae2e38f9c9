/* What a user's function returned, as numbers, or the TypeError that says what it was instead. */
#include "convert.h"

#include <string.h>

#include "errors.h"
#include "gil.h"

/* An attribute, or None for an object without it. A new reference, or NULL with an exception. */
static PyObject *
attribute_or_None(PyObject *object, const char *name)
{
    PyObject *value = NULL;     /* owned, returned */

    value = PyObject_GetAttrString(object, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        value = Py_NewRef(Py_None);
    }
    return value;
}

PyObject *
quoted_name(const Source *source)
{
    PyObject *quoted = NULL;
    PyObject *name = NULL;      /* owned */
    PyObject *wrapped = NULL;   /* owned */

    if (source->function == NULL)
        return PyUnicode_FromString("");
    name = attribute_or_None(source->function, "__name__");
    if (name == Py_None) {
        wrapped = attribute_or_None(source->function, "__wrapped__");
        Py_SETREF(name, wrapped == NULL ? NULL : attribute_or_None(wrapped, "__name__"));
    }
    if (name != NULL)
        quoted = name == Py_None ? PyUnicode_FromString("") : PyUnicode_FromFormat(" '%S'", name);
    Py_XDECREF(name);
    Py_XDECREF(wrapped);
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
as_float64(PyArrayObject *array, Py_ssize_t references, int flags)
{
    PyArrayObject *own = NULL;      /* owned */
    PyArrayObject *cast = NULL;     /* owned, returned */

    if (is_plain(array) && PyArray_CHKFLAGS(array, flags))
        return (PyArrayObject *)Py_NewRef(array);
    own = shielded(array, references);
    if (own == NULL)
        return NULL;
    if (own != array && is_plain(own) && PyArray_CHKFLAGS(own, flags & ~NPY_ARRAY_ENSURECOPY))
        return own;
    cast = (PyArrayObject *)PyArray_FromArray(own, PyArray_DescrFromType(NPY_DOUBLE),
                                              NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | flags);
    Py_DECREF(own);
    return cast;
}

PyArrayObject *
object_copy(PyArrayObject *array)
{
    return (PyArrayObject *)PyArray_FromArray(array, PyArray_DescrFromType(NPY_OBJECT),
                                              NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY);
}

int
casts_safely(PyArrayObject *array)
{
    PyArray_Descr *float64 = PyArray_DescrFromType(NPY_DOUBLE);     /* owned */
    PyArray_Descr *dtype = (PyArray_Descr *)Py_NewRef(PyArray_DESCR(array));    /* owned */
    const int safely = PyArray_CanCastTypeTo(dtype, float64, NPY_SAFE_CASTING);

    Py_DECREF(float64);
    Py_DECREF(dtype);
    return safely;
}

PyObject *
dtype_text(PyArrayObject *array)
{
    PyObject *dtype = Py_NewRef(PyArray_DESCR(array));      /* owned: its __str__ is Python, and another thread may set one */
    PyObject *text = NULL;      /* owned, returned */

    text = PyObject_Str(dtype);
    Py_DECREF(dtype);
    return text;
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

/* What an entry of an array of objects of our own is instead of a real number: " whose entry [1] is None", or "of type str".
 * A new reference, or NULL with an exception. */
static PyObject *
whose_entry(PyArrayObject *entries, npy_intp flat)
{
    PyObject *entry = ((PyObject **)PyArray_DATA(entries))[flat];   /* borrowed */
    PyObject *index = NULL;     /* owned */
    PyObject *text = NULL;      /* owned, returned */

    index = written_index(entries, flat);
    if (index != NULL)
        text = entry == Py_None ? PyUnicode_FromFormat(" whose entry %U is None", index)
                                : PyUnicode_FromFormat(" whose entry %U is of type %s", index, Py_TYPE(entry)->tp_name);
    Py_XDECREF(index);
    return text;
}

/* The first entry of an array of objects that is no real number, as whose_entry; "" if all are; a new reference, or NULL with
 * an exception. */
static PyObject *
described_objects(PyArrayObject *array)
{
    PyArrayObject *entries = NULL;  /* owned: a copy, for a user's code may change the array */
    PyObject *const *entry;
    PyObject *text = NULL;          /* owned, returned */
    npy_intp i, size;

    entries = object_copy(array);
    if (entries == NULL)
        return NULL;
    entry = PyArray_DATA(entries);
    size = PyArray_SIZE(entries);
    for (i = 0; i < size && !is_no_real_number(entry[i]); i++)
        ;
    text = i == size ? PyUnicode_FromString("") : whose_entry(entries, i);
    Py_DECREF(entries);
    return text;
}

/* Raise the TypeError of what is not real. what: what it is, stolen; NULL leaves what is pending.  cause: stolen, or NULL.
 * hint: the end of the text. */
static void
raise_not_real(const Source *source, PyObject *what, PyObject *cause, const char *hint)
{
    PyObject *giver = NULL;     /* owned */
    PyObject *message = NULL;   /* owned until raised */

    if (what != NULL)
        giver = source_text(source);
    if (giver != NULL)
        message = PyUnicode_FromFormat("%U %U; " REAL_NUMBERS_EXPECTED "%s", giver, what, hint);
    if (message != NULL)
        raise_from(PyExc_TypeError, message, cause);
    Py_XDECREF(giver);
    Py_XDECREF(what);
    Py_XDECREF(cause);
}

/* Refuse an array whose dtype does not cast safely to float64; NumPy's own refusal becomes the cause. */
static void
raise_unsafe_dtype(const Source *source, PyArrayObject *array)
{
    PyObject *dtype = NULL;     /* owned */
    PyObject *objects = NULL;   /* owned */
    PyObject *what = NULL;      /* owned until it is raised */
    PyObject *cause = NULL;     /* likewise */
    PyObject *cast = NULL;      /* owned: NumPy 1 looks at the value of a scalar, too */

    cast = (PyObject *)as_float64(array, 0, NPY_ARRAY_CARRAY_RO);
    if (cast == NULL && !PyErr_ExceptionMatches(PyExc_TypeError))
        return;
    cause = take_raised_exception();
    dtype = dtype_text(array);
    if (dtype != NULL)
        objects = PyArray_TYPE(array) == NPY_OBJECT ? described_objects(array) : PyUnicode_FromString("");
    if (objects != NULL)
        what = PyUnicode_FromFormat("an array of dtype %U%U", dtype, objects);
    raise_not_real(source, what, cause, "");
    Py_XDECREF(dtype);
    Py_XDECREF(objects);
    Py_XDECREF(cast);
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

/* How to get an array out of an object, for the text of an error: "" if its type has no such method, or NULL with an
 * exception. */
static const char *
dense_hint(PyTypeObject *type)
{
    const char *const hints[][2] = {{"toarray", " (use .toarray())"}, {"todense", " (use .todense())"}};
    size_t i;
    int has;

    for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        has = has_method(type, hints[i][0]);
        if (has != 0)
            return has < 0 ? NULL : hints[i][1];
    }
    return "";
}

/* Refuse an entry of what a function returned, or the whole of it where that is no array, such as a sparse matrix. The
 * pending exception, if any, becomes the cause. */
static void
raise_entry(const Source *source, PyObject *result, PyArrayObject *entries, npy_intp flat)
{
    PyObject *cause = take_raised_exception();      /* owned until it is raised */
    PyObject *what = NULL;      /* likewise */
    PyObject *which = NULL;     /* owned */
    PyTypeObject *type = Py_TYPE(((PyObject **)PyArray_DATA(entries))[flat]);   /* borrowed */
    const char *hint = "";

    if (PyArray_NDIM(entries) > 0) {
        which = whose_entry(entries, flat);
        if (which != NULL)
            what = PyUnicode_FromFormat("a %s%U", Py_TYPE(result)->tp_name, which);
        Py_XDECREF(which);
    }
    else {
        hint = dense_hint(type);
        if (hint != NULL)
            what = PyUnicode_FromFormat("an object of type %s", type->tp_name);
    }
    raise_not_real(source, what, cause, hint);
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
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
        raise_entry(source, result, entries, i);
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

void
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
        raise_not_real(source, PyUnicode_FromString("None"), NULL,
                       strcmp(source->gave, "is") == 0 ? "" : " (is there a return statement?)");
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
