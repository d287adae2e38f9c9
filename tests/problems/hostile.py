"""Functions that misbehave, for func and Dfun alike, and what must hold nevertheless.

HARMLESS: each row makes a hostile function out of a well-behaved one; a solve with it must come to the same bits.
FAILING: each row fails at a call, any call; the contract's error must come, at once.
After both nothing is held, written or leaked, and the next solve works. `check` is meant for a process of its own
(`isolated`).
"""

import _thread
import gc
import itertools
import operator
import re
import signal
import sys
import traceback
import tracemalloc
import warnings
import weakref
from array import array
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from helpers.bits import assert_same_bits
from pyminpack import leastsq

ROLES = ("func", "Dfun")
T = np.linspace(0, 4, 40)
Y = 5 * np.exp(-T / 2) + 0.1 * np.sin(9 * T)


def bend(p, t=T, y=Y, spare=None):
    """Residuals of y = a (1 + b t)**2."""
    return p[0] * (1 + p[1] * t) * (1 + p[1] * t) - y


def bend_jacobian(p, t=T, y=Y, spare=None):
    jacobian = np.empty((t.size, 2), np.float64)    # without a dtype NumPy 2.2 leaks a reference to its own
    jacobian[:, 0] = (1 + p[1] * t) * (1 + p[1] * t)
    jacobian[:, 1] = 2 * p[0] * t * (1 + p[1] * t)
    return jacobian


def square(p):
    """One residual, x**2 - 2, for a compiler."""
    values = np.empty(1, np.float64)
    values[0] = p[0] * p[0] - 2
    return values


def square_jacobian(p):
    values = np.empty(1, np.float64)
    values[0] = 2 * p[0]
    return values


class Problem(NamedTuple):
    """What to solve."""

    func: Any
    Dfun: Any
    x0: list[float]


BEND = Problem(bend, bend_jacobian, [1.0, 1.0])
SINE = Problem(np.sin, np.cos, [0.9])       # x and both results have one shape
SQUARE = Problem(square, square_jacobian, [3.0])


class Harmless(NamedTuple):
    """What makes the hostile function, from (well-behaved function, trial)."""

    build: Any
    problem: Problem = BEND
    takes_args: bool = True     # else the function takes x alone


class Failing(NamedTuple):
    """What the function does at the call at which it fails, with (its array of values, trial)."""

    fail: Any
    errors: Any = None          # for each role the type of the error and a pattern of its text; None: trial.error
    first: int = 1              # the first call of func that may fail so; Dfun's may always

    def build(self, f, trial):
        return FailingFunction(f, trial, self.fail)

    problem = BEND
    takes_args = True


class Own(BaseException):
    """An exception that no `except Exception` catches."""


class Trial:
    """One solve in which func or Dfun is hostile, with its surroundings."""

    def __init__(self, row, role, expected=None, fails_at=0):
        self.row, self.role, self.expected, self.fails_at = row, role, expected, fails_at
        self.good = getattr(row.problem, role)
        self.x0 = np.array(row.problem.x0)
        self.n = self.x0.size
        self.diag = np.arange(1.0, 1 + self.n)
        self.spare = np.zeros_like(self.good(self.x0))
        self.args = (T.copy(), Y.copy(), self.spare) if row.takes_args else ()
        self.calls = 0
        self.error = None
        self.kept = []
        self.watched = {}
        self.name = lambda: "hostile"
        self.hostile = row.build(self.compute, self)
        self.references = self.count_references()

    def compute(self, x, *args):
        """The well-behaved function, after a look around."""
        self.calls += 1
        expect(type(x) is np.ndarray and x.dtype == float, "x is an array of float64")
        expect((x.shape, x.strides) == ((self.n,), (8,)), "x is a plain vector")
        expect(x.flags.writeable and x.flags.owndata and x.base is None, "x is the function's own")
        self.verify_memory()
        return self.good(x, *args)

    def watch(self, read, key=None):
        """From now on the array read() keeps its bytes, or until watch is called with the same key."""
        self.watched[key or len(self.watched)] = read, read().tobytes()

    def verify_memory(self):
        for read, before in self.watched.values():
            expect(read().tobytes() == before, "what the function keeps is never written")

    def solve(self, function=None):
        """All that leastsq answers; with another function in the place of the hostile one."""
        functions = {"func": well_behaved(self.row.problem.func), self.role: function or self.hostile}
        return leastsq(x0=self.x0, args=self.args, full_output=True, diag=self.diag, **functions)

    def twin(self):
        """What a well-behaved function leads to."""
        return Trial(self.row, self.role).solve(well_behaved(self.good))

    def count_references(self):
        things = [self.hostile, self.x0, self.diag, *self.args]
        return [sys.getrefcount(thing) for thing in things + ([self.args] if self.args else [])]

    def close(self):
        """After the solve: nothing was written, and nothing is held but by the function itself."""
        sys.settrace(None)
        sys.setprofile(None)
        gc.set_threshold(700)
        self.verify_memory()
        self.watched.clear()
        self.kept.clear()
        self.error = self.name = None
        gc.collect()
        references = self.count_references()
        expect(references == self.references, f"references {references} are those before, {self.references}")


def well_behaved(function):
    """The plainest function with the same values."""
    return lambda x, *args: np.array(function(x, *args))


def expect(condition, fact):
    if not condition:
        raise AssertionError(f"not so: {fact}")


def assert_same_result(actual, expected):
    """Two full outputs of leastsq are equal to the bit."""
    (x, cov_x, info, *rest), (expected_x, expected_cov_x, expected_info, *expected_rest) = actual, expected
    expect((list(info), rest) == (list(expected_info), expected_rest), f"{rest} is {expected_rest}")
    assert_same_bits(x, expected_x, "x")
    if cov_x is None or expected_cov_x is None:
        expect(cov_x is expected_cov_x, "both or neither have a cov_x")
    else:
        assert_same_bits(cov_x, expected_cov_x, "cov_x")
    for name, value in info.items():
        assert_same_bits(value, expected_info[name], name)


# Checks


def check(name):
    """All that must hold for a row."""
    sys.unraisablehook = lambda event: None if event.exc_type is Own else sys.__unraisablehook__(event)
    signal.signal(signal.SIGINT, signal.default_int_handler)    # which a process in the background has not
    gc.freeze()     # what is there already need not be searched for garbage
    for role in ROLES:
        if name in HARMLESS:
            check_harmless(HARMLESS[name], role)
        else:
            check_failing(FAILING[name], role)


def check_harmless(row, role):
    expected = Trial(row, role).twin()

    def solve():
        trial = Trial(row, role, expected)
        assert_same_result(trial.solve(), expected)
        trial.close()

    repeat_without_leak([solve] * 6)
    assert_same_result(Trial(row, role).twin(), expected)


def check_failing(row, role):
    trial = Trial(row, role)
    expected, last = trial.solve(), trial.calls

    def fail(k):
        trial = Trial(row, role, fails_at=k)
        try:
            trial.solve()
        except BaseException as error:
            verify_error(error, trial, row.errors and row.errors[role])
        else:
            raise AssertionError(f"no error in call {k} of {last}")
        expect(trial.calls == k, f"no call after the one that failed, {k}, but {trial.calls}")
        trial.close()

    repeat_without_leak([partial(fail, k) for k in range(row.first if role == "func" else 1, last + 1)])
    assert_same_result(Trial(row, role).solve(), expected)


def verify_error(error, trial, expected):
    """The error is the expected one, or just the object that the function raised, with its traceback."""
    if expected is not None:
        kind, pattern = expected
        fits = type(error) is kind and re.search(pattern, str(error))
    else:
        fits = error is trial.error and error.__cause__ is error.__context__ is None
        fits = fits and traceback.extract_tb(error.__traceback__)[-1].name == "raise_own"
    if not fits:
        raise AssertionError(f"expected {expected or trial.error!r}") from error


def repeat_without_leak(steps):
    """Do all steps, and again, until nothing more stays allocated, or less than one thing for each step.

    Python's own caches grow at first; a leak goes on for ever.
    """
    after = allocated()
    for _ in range(8):
        before = after
        for step in steps:
            step()
        after = allocated()
        grown = [count - earlier for count, earlier in zip(after, before, strict=True)]
        if max(grown) < len(steps):
            return
    raise AssertionError(f"in {len(steps)} solves (blocks of memory, references to a dtype) leak: {grown}")


def allocated():
    sys._clear_type_cache()     # which keeps names that were looked up
    gc.collect()
    return sys.getallocatedblocks(), sys.getrefcount(np.dtype(float))


def check_interrupt(roles, signum, handler=signal.default_int_handler):
    """A signal at any call, where both functions are in C, is handled before the next call.

    handler: raises KeyboardInterrupt, or returns, and then the solve goes on to the same bits.
    """
    calls = []      # (role, values), in their order

    def record(role):
        function = getattr(BEND, role)
        return lambda x: calls.append((role, function(x))) or calls[-1][1]

    def solve(replace):
        return leastsq(x0=BEND.x0, full_output=True, **{role: replace(role) for role in roles})

    def interrupt(at):
        rests = []
        left = None

        def replay(role):
            before, rest = ([values for this, values in some if this == role] for some in (calls[:at], calls[at:]))
            rests.append(iter(rest))
            signals = filter(None, map(_thread.interrupt_main, [signum] * (calls[at][0] == role)))
            return partial(next, itertools.chain(before, signals, rests[-1]))

        def handle(*arguments):
            nonlocal left
            left = sum(map(operator.length_hint, rests))
            handler(*arguments)

        signal.signal(signum, handle)
        try:
            assert_same_result(solve(replay), expected)
            expect(handler is not signal.default_int_handler, "KeyboardInterrupt comes")
        except KeyboardInterrupt:
            expect(handler is signal.default_int_handler, "KeyboardInterrupt does not come")
        expect(left == len(calls) - at - 1, f"the signal of call {at} is handled before the next")

    expected = solve(record)
    repeat_without_leak([partial(interrupt, at) for at in range(len(calls))])


def check_recursion(role, depth):
    """Solves in the first call of functions of solves, and so on, all have the bits of one alone."""
    expected = Trial(Harmless(lambda f, trial: f), role).twin()

    def descend(depth):
        def build(f, trial):
            def hostile(x, *args):
                values = f(x, *args)
                if trial.calls == 1 and depth > 1:
                    descend(depth - 1)
                return values
            return hostile

        assert_same_result(Trial(Harmless(build), role).solve(), expected)

    descend(depth)


# What a function may do


def doing(act):
    """The right values, but act(x, trial) before they are returned."""
    def build(f, trial):
        def hostile(x, *args):
            values = f(x, *args)
            act(x, trial)
            return values
        return hostile
    return Harmless(build)


def keep_in_traceback(x, trial):
    try:
        raise Own
    except Own as error:
        caught = error
    trial.watch(lambda: caught.__traceback__.tb_frame.f_locals["x"])


def keep_in_generator(x, trial):
    def suspended():
        local = x
        yield
        yield local

    generator = suspended()
    next(generator)
    trial.watch(lambda: generator.gi_frame.f_locals["local"])


def leave_in_a_cycle(x, trial):
    cycle = [x]
    cycle.append(cycle)
    if trial.calls % 2:
        gc.collect()


def trace(x, trial):
    sys.settrace(lambda *event: None)
    sys.setprofile(lambda *event: None)


def measure(x, trial):
    if tracemalloc.is_tracing():
        tracemalloc.stop()
    else:
        tracemalloc.start()


def solve_another(x, trial):
    assert_same_result(trial.twin(), trial.expected)


ACTS = {
    "keeps x": lambda x, trial: trial.watch(lambda: x),
    "keeps x[1:]": lambda x, trial: trial.watch(x[1:].view),
    "keeps a memoryview of x": lambda x, trial: trial.watch(memoryview(x).toreadonly),
    "keeps x.flat": lambda x, trial: trial.watch(partial(x.flat.__getitem__, slice(None))),
    "keeps x in a traceback": keep_in_traceback,
    "keeps x in a generator": keep_in_generator,
    "leaves x in a cycle": leave_in_a_cycle,
    "keeps a weak reference to x": lambda x, trial: trial.kept.append(weakref.ref(x)),
    "changes x": lambda x, trial: x.fill(np.nan),
    "changes the shape of x": lambda x, trial: setattr(x, "shape", (1, 2, 1)),
    "changes the dtype of x": lambda x, trial: setattr(x, "dtype", np.int64),
    "changes the byte order of x": lambda x, trial: setattr(x, "dtype", ">f8"),
    "changes the dtype of x to bytes": lambda x, trial: setattr(x, "dtype", np.uint8),
    "changes the strides of x": lambda x, trial: setattr(x, "strides", (0,)),
    "changes the memory of x": lambda x, trial: x.__setstate__((1, (9,), np.dtype("f4"), False, bytes(36))),
    "write-protects x": lambda x, trial: x.setflags(write=False),
    "resizes x": lambda x, trial: x.resize(1000, refcheck=False),
    "resizes x to nothing": lambda x, trial: x.resize(0, refcheck=False),
    "resizes x and back": lambda x, trial: (x.resize(9999, refcheck=False), x.resize(2, refcheck=False)),
    "changes x0": lambda x, trial: trial.x0.fill(7),
    "resizes x0": lambda x, trial: trial.x0.resize(0, refcheck=False),
    "changes diag": lambda x, trial: trial.diag.fill(7),
    "changes the memory of diag": lambda x, trial: trial.diag.__setstate__((1, (1,), x.dtype, False, bytes(8))),
    "resizes an array of args": lambda x, trial: trial.args[2].resize(0, refcheck=False),
    "starts or stops tracemalloc": measure,
    "sets a trace function": trace,
    "makes NumPy raise": lambda x, trial: np.seterr(all="raise"),
    "calls leastsq": solve_another,
}


# What a function may return


def giving(give):
    """The right values, in the form of give(values, trial)."""
    return Harmless(lambda f, trial: lambda x, *args: give(f(x, *args), trial))


def keep(values, trial):
    trial.watch(lambda: values)
    return values


def lock(values, trial):
    values.setflags(write=False)
    return keep(values, trial)


def into(buffer, values, trial):
    """The values in a buffer of the user's, which nobody else writes."""
    np.copyto(buffer, values)
    trial.watch(lambda: buffer, "buffer")
    return buffer


def change_later(values, trial):
    for earlier in trial.kept:
        earlier.fill(np.nan)
    trial.kept[:] = [values]
    return values


class Evil(np.ndarray):
    """A view of which no method works."""

    armed = False

    @classmethod
    def of(cls, values, trial=None):
        cls.armed = False
        view = values.view(cls)
        cls.armed = True
        return view

    def __array_finalize__(self, parent):
        if Evil.armed:
            raise Own

    def fail(self, *arguments, **options):
        raise Own

    __getitem__ = __len__ = __iter__ = __float__ = __bool__ = __eq__ = __reduce__ = fail
    __array__ = __array_wrap__ = __array_ufunc__ = __array_function__ = fail
    __hash__ = None


class Convertible:
    """Values to be had through __array__ alone, which calls act() first. At its end they become NaN, and it raises."""

    def __init__(self, values, act):
        self.values, self.act = values, act

    def __array__(self, dtype=None, copy=None):
        self.act()
        return self.values

    def __del__(self):
        self.values.fill(np.nan)
        raise Own


class Number:
    """A number for float() alone, which calls act() first."""

    def __init__(self, act, value=0.0):
        self.act, self.value = act, value

    def __float__(self):
        self.act()
        return self.value


def shrinking(rows):
    """Nested lists of Numbers, each of which empties them all."""
    lists = [rows] if not isinstance(rows[0], list) else [rows, *rows]
    for values in lists:
        values[:] = [entry if isinstance(entry, list) else Number(lambda: [one.clear() for one in lists], entry)
                     for entry in values]
    return rows


class Masked(np.ma.MaskedArray):
    """A masked array whose mask cannot be had."""

    trial = None

    @classmethod
    def of(cls, values, trial):
        cls.trial = None
        array = values.view(cls)
        cls.trial = trial
        return array

    @property
    def _mask(self):
        if Masked.trial is not None:
            raise_own(Masked.trial)
        return np.ma.nomask

    @_mask.setter
    def _mask(self, mask):
        pass


class Interface:
    """Values to be had through __array_interface__ alone."""

    def __init__(self, values):
        self.values, self.__array_interface__ = values, values.__array_interface__


def unaligned(values):
    memory = np.zeros(values.nbytes + 1, np.uint8)
    moved = memory[1:].view(float).reshape(values.shape)
    moved[...] = values
    return moved


FORMS = itertools.cycle([
    np.ndarray.tolist,
    lambda values: values.astype(">f8"),
    unaligned,
    np.asfortranarray,
    lambda values: values[::-1].copy()[::-1],
    lambda values: np.repeat(values, 3, axis=-1)[..., ::3],
    lambda values: np.lib.stride_tricks.as_strided(values, writeable=False),
    memoryview,
    lambda values: array("d", values) if values.ndim == 1 else [array("d", row) for row in values],
    np.ma.masked_array,
    Interface,
])  # fmt: skip

GIVES = {
    "returns arrays that it keeps": keep,
    "returns read-only arrays that it keeps": lock,
    "returns arrays that it changes later": change_later,
    "returns the same buffer": lambda values, trial: into(trial.kept[0] if trial.kept else values, values, trial),
    "returns an array of args": lambda values, trial: into(trial.spare, values, trial),
    "returns a view of an array of args": lambda values, trial: into(trial.spare, values, trial)[:],
    "returns another form every time": lambda values, trial: next(FORMS)(values),
    "returns a subclass whose methods raise": Evil.of,
    "returns lists of numbers that change the list": lambda values, trial: shrinking(values.tolist()),
    "returns an object with __array__": lambda values, trial: Convertible(values, bool),
    "returns an object whose __array__ calls leastsq": lambda values, trial: Convertible(
        values, partial(solve_another, None, trial)
    ),
}

HARMLESS = {name: doing(act) for name, act in ACTS.items()} | {name: giving(give) for name, give in GIVES.items()}


def harmless(problem=BEND, takes_args=True):
    """The decorator of a build whose name is the fact."""
    def enter(build):
        HARMLESS[build.__name__.replace("_", " ")] = Harmless(build, problem, takes_args)
        return build
    return enter


@harmless(Problem(lambda x: x * np.nan, lambda x: x * np.nan, [1.0]), takes_args=False)
def returns_NaN(f, trial):
    warnings.filterwarnings("ignore", "leastsq: fvec is not finite")
    return f


@harmless()
def returns_cached_arrays(f, trial):
    cache = {}

    def hostile(x, *args):
        key = x.tobytes()
        if key not in cache:
            cache[key] = keep(f(x, *args), trial)
        return cache[key]
    return hostile


@harmless()
def returns_what_it_cached_while_x_is_the_same_object(f, trial):
    seen = cached = None

    def hostile(x, *args):
        nonlocal seen, cached
        if seen is None or seen() is not x:
            seen, cached = weakref.ref(x), f(x, *args)
        return cached
    return hostile


@harmless(SINE, takes_args=False)
def returns_x_itself(f, trial):
    def hostile(x):
        x[:] = f(x)
        return x
    return hostile


@harmless(SINE, takes_args=False)
def returns_a_view_of_x(f, trial):
    def hostile(x):
        x[:] = f(x)
        return x[::-1]
    return hostile


@harmless(SINE, takes_args=False)
def changes_the_strides_of_one_element(f, trial):
    def hostile(x):
        values = f(x)
        x.strides = (800,)
        return values
    return hostile


# What a function may be


@harmless(SINE, takes_args=False)
def is_a_C_function(f, trial):
    return trial.good


@harmless()
def is_a_partial(f, trial):
    return partial(f)


@harmless()
def is_a_bound_method(f, trial):
    return trial.compute


@harmless()
def is_a_class(f, trial):
    class Values:
        def __new__(cls, *arguments):
            return f(*arguments)
    return Values


@harmless()
def is_a_false_instance_without_a_name(f, trial):
    class Instance:
        def __call__(self, *arguments):
            return f(*arguments)

        def fail(self):
            raise Own

        __bool__, __name__ = fail, property(fail)
    return Instance()


@harmless()
def is_an_instance_whose_call_is_replaced(f, trial):
    class Instance:
        def first(self, *arguments):
            Instance.__call__ = Instance.second
            return f(*arguments)

        def second(self, *arguments):
            del Instance.__call__
            Instance.__call__ = Instance.first
            return f(*arguments)

        __call__ = first
    return Instance()


@harmless(takes_args=False)
def is_the_send_of_a_generator(f, trial):
    def generator():
        x = yield
        while True:
            x = yield f(x)

    started = generator()
    next(started)
    return started.send


@harmless()
def replaces_its_own_code(f, trial):
    def hostile(x, *args):
        exchange()
        return f(x, *args)

    def other(x, *args):
        exchange()
        return f(x, *args)

    def exchange():
        hostile.__code__, other.__code__ = other.__code__, hostile.__code__
        hostile.__defaults__ = hostile.__kwdefaults__ = None
    return hostile


@harmless()
def deletes_itself(f, trial):
    def hostile(x, *args):
        nonlocal itself
        itself = trial.hostile = None
        gc.collect()
        return f(x, *args)

    def close():
        gc.collect()
        expect(alive() is None, "the function is gone")

    itself, alive, trial.close = hostile, weakref.ref(hostile), close
    return hostile


@cache
def compiled(function):
    import numba

    return numba.njit(function)


@harmless(SQUARE, takes_args=False)
def is_compiled_by_numba(f, trial):
    return compiled(trial.good)


# How a function may fail


class FailingFunction:
    """Returns the same array every time, until it fails."""

    def __init__(self, f, trial, fail):
        self.f, self.trial, self.fail = f, trial, fail

    def __call__(self, x, *args):
        values = into(self.trial.spare, self.f(x, *args), self.trial)
        if self.trial.calls != self.trial.fails_at:
            return values
        self.trial.watched.clear()
        return self.fail(values, self.trial)

    @property
    def __name__(self):
        return self.trial.name()


def raise_own(trial, error=Own):
    trial.error = error()
    raise trial.error


class Item:
    """A list of 40 items none of which can be had."""

    def __init__(self, trial):
        self.trial = trial

    def __len__(self):
        return 40

    def __getitem__(self, index):
        raise_own(self.trial)


def shrink(values, trial):
    values.resize(39, *values.shape[1:], refcheck=False)
    return values


def grow(values, trial):
    values.resize(4000, *values.shape[1:], refcheck=False)
    return values


def reinterpret(values, trial):
    values.dtype = complex
    return values


def lose_name(values, trial):
    trial.name = partial(raise_own, trial)
    return values.astype(complex)


def reshape_at_garbage_collection(values, trial):
    """An array of too many dimensions gets more of them while the error's text is made."""
    class Garbage:
        def __del__(self):
            array.shape = (1,) * 60 + values.shape

    def name():
        gc.collect()
        garbage = Garbage()
        garbage.itself = garbage
        gc.set_threshold(1)
        return "hostile"

    array = values[(None,) * 24].copy()
    trial.name = name
    return array


def both(error, pattern=""):
    return {role: (error, pattern.replace("ROLE", role)) for role in ROLES}


def refused(dtype):
    return both(TypeError, rf"^leastsq: ROLE 'hostile' returned an array of dtype {dtype}; expected .* float64$")


MISMATCH = (TypeError, r"^leastsq: there is a mismatch .* 'hostile'. Shape should be \(40, 2\) but it is \(.*\)\.")
SIZE = {"func": (ValueError, "^The array returned by a function changed size between calls: .* 40 "), "Dfun": MISMATCH}
SHAPE = {"func": (TypeError, r"^leastsq: func 'hostile' returned an array of shape .*\.ravel\(\)"), "Dfun": MISMATCH}

FAILING = {
    **{f"raises {error.__name__}": Failing(lambda values, trial, error=error: raise_own(trial, error))
       for error in (Own, ValueError, StopIteration, GeneratorExit, KeyboardInterrupt, SystemExit, MemoryError)},
    **{f"returns an object whose __array__ raises {error.__name__}":
       Failing(lambda values, trial, error=error: Convertible(values, partial(raise_own, trial, error)))
       for error in (Own, ValueError, TypeError, AttributeError, KeyboardInterrupt, SystemExit)},
    "returns a list whose items raise": Failing(lambda values, trial: Item(trial)),
    "raises StopIteration in a generator": Failing(
        lambda values, trial: next(raise_own(trial, StopIteration) for _ in "."),
        both(RuntimeError, "generator raised StopIteration")),
    "is interrupted": Failing(lambda values, trial: signal.raise_signal(signal.SIGINT), both(KeyboardInterrupt)),
    "calls a leastsq that fails": Failing(lambda values, trial: leastsq(lambda p: raise_own(trial), 1.0)),
    "calls leastsq without end": Failing(lambda values, trial: dive(), both(RecursionError)),
    "returns None": Failing(lambda values, trial: None, both(TypeError, "^leastsq: ROLE 'hostile' returned None; ")),
    "returns an iterator": Failing(
        lambda values, trial: iter(values), both(TypeError, "^leastsq: ROLE 'hostile' returned an object of type ")),
    "returns a list that ends in None": Failing(
        lambda values, trial: [*values.ravel().tolist(), None],
        both(TypeError, r"^leastsq: ROLE 'hostile' returned a list whose entry \[[0-9]+\] is None; ")),
    **{f"returns a list with a number whose __float__ raises {error.__name__}":
       Failing(lambda values, trial, error=error: [Number(partial(raise_own, trial, error)), *values.ravel()[1:]])
       for error in (Own, ValueError, OverflowError, KeyboardInterrupt, SystemExit)},
    "returns a list with a number whose __float__ raises TypeError": Failing(
        lambda values, trial: [*values.ravel()[1:], Number(partial(raise_own, trial, TypeError))],
        both(TypeError, r"^leastsq: ROLE 'hostile' returned a list whose entry \[[0-9]+\] is of type Number; ")),
    "returns a masked array whose mask raises": Failing(lambda values, trial: Masked.of(values, trial)),
    "returns complex numbers": Failing(lambda values, trial: values + 0j, refused("complex128")),
    "returns objects": Failing(lambda values, trial: values.astype(object), refused("object")),
    "returns text": Failing(lambda values, trial: values.astype(str), refused("<U[0-9]+")),
    "changes the dtype of its buffer": Failing(reinterpret, refused("complex128")),
    "returns a wrong dtype and has a name that raises": Failing(lose_name),
    "shrinks its buffer": Failing(shrink, SIZE, first=2),
    "grows its buffer": Failing(grow, SIZE, first=2),
    "returns a scalar": Failing(lambda values, trial: 1.0, SIZE, first=2),
    "returns nothing": Failing(lambda values, trial: [], SIZE, first=2),
    "returns 2**40 numbers": Failing(lambda values, trial: np.broadcast_to(1.0, 2**40), SIZE, first=2),
    "returns 2**40 numbers of float32": Failing(lambda values, trial: np.broadcast_to(np.float32(1), 2**40), SIZE, 2),
    "returns 2**40 numbers in two dimensions": Failing(
        lambda values, trial: np.broadcast_to(np.float32(1), (2**20, 2**20)), SHAPE),
    "returns the transpose": Failing(lambda values, trial: np.atleast_2d(values.T), SHAPE),
    "returns one dimension more": Failing(lambda values, trial: values[..., None, None], SHAPE),
    "reshapes its result at a garbage collection": Failing(reshape_at_garbage_collection, SHAPE),
}


def dive():
    leastsq(lambda x: dive(), 1.0)
