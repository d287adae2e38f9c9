/* Releasing the GIL, and what must not be touched meanwhile.
 *
 * Only this file releases the GIL. Between release_gil and take_gil, code may read and write only numbers that no other
 * code can reach: those of a fit (fit.h), or of an array that is_ours_alone. It must not touch a Python object, nor a
 * pointer into an array that a user holds: another thread may resize it. What functions return is copied before anything
 * else runs (answers.h). NumPy, too, releases the GIL while it copies or converts an array: it never gets one that another
 * thread can reach.
 */
#ifndef GIL_H
#define GIL_H

#include "numpy_api.h"

typedef enum {
    FACTORISE,          /* m n**2 multiplications */
    COPY,               /* entries of a Jacobian, some copied row by row */
    SEARCH,             /* entries searched for NaN or inf */
    TOUCH               /* entries of newly allocated memory */
} Work;

/* Whether this much work takes long, about 1 ms. If another thread then keeps the GIL for its 5 ms, a long fit loses
 * little and a small fit nothing. */
int takes_long(Work work, double size);

/* Release the GIL. Call take_gil next. */
PyThreadState *release_gil(void);

/* Reacquire the GIL. thread: from release_gil, or NULL if the GIL is held. */
void take_gil(PyThreadState *thread);

/* Whether only we can reach an array's memory: nobody else has a reference, not even a weak one, to the array or to its
 * base. references: how many references to the array we own; borrowed ones are somebody else's. */
int is_ours_alone(PyArrayObject *array, Py_ssize_t references);

/* An array that NumPy may copy or convert, releasing the GIL: the array itself if it is ours alone, else a copy of the
 * same type made with the GIL held. A new reference, or NULL with an exception. references: as for is_ours_alone. */
PyArrayObject *shielded(PyArrayObject *array, Py_ssize_t references);

/* Release the GIL for a moment during the reading of an array that other threads may reach. Returns 1 if its memory is
 * still there, 0 if it may be gone, or -1 without having released the GIL if we could not tell. */
int let_others_run(PyArrayObject *array);

#endif
