"""A LevenbergMarquardt saved and read again, anywhere: the same bits; a damaged state is a ValueError and no crash."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.instruction_sets import running_on
from helpers.told import answer, moment, same, tell_all
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, _minpack, leastsq

pytestmark = pytest.mark.usefixtures("builtin_solver")

TESTS = Path(__file__).parents[1]
DAMPED = next(problem for problem in mgh.PROBLEMS if str(problem) == "osborne-1-33x5")
WAYS = {
    **{f"pickle, protocol {number}": lambda fit, number=number: pickle.loads(pickle.dumps(fit, number))
       for number in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
}  # fmt: skip
pickled = WAYS[f"pickle, protocol {pickle.DEFAULT_PROTOCOL}"]


def begun(jacobian=False, **options):
    return LevenbergMarquardt(DAMPED.start(), jacobian=jacobian, **options)


def told(fit, tells):
    for _ in range(tells):
        fit.tell(answer(fit, DAMPED.residuals, DAMPED.jacobian))
    return fit


def to_the_end(fit):
    return tell_all(fit, DAMPED.residuals, DAMPED.jacobian)


def expected(jacobian=False):
    return leastsq(DAMPED.residuals, DAMPED.start(), Dfun=DAMPED.jacobian if jacobian else None, full_output=True)


@pytest.mark.parametrize("with_jacobian", [False, True], ids=["differences", "jacobian"])
@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
def test_a_fit_pickled_before_every_tell_has_the_bits_of_leastsq(problem, factor, with_jacobian):
    Dfun = problem.jacobian if with_jacobian else None
    fit = LevenbergMarquardt(problem.start(factor), jacobian=with_jacobian)
    fit = tell_all(fit, problem.residuals, Dfun, between=pickled)
    assert_same_result(
        pickled(fit).result(), leastsq(problem.residuals, problem.start(factor), Dfun=Dfun, full_output=True)
    )


@pytest.mark.parametrize("options", [
    {"diag": [1, 2, 3, 4, 5.0]}, {"typical_x": 0.1}, {"epsfcn": 1e-10}, {"maxfev": 9}, {"factor": 1.0, "xtol": 1e-3},
    {"gtol": 0.1}, {"ftol": 0, "xtol": 0},
], ids=str)  # fmt: skip
def test_so_it_has_with_options(options):
    alone = leastsq(DAMPED.residuals, DAMPED.start(), full_output=True, **options)
    fit = tell_all(begun(**options), DAMPED.residuals, between=pickled)
    assert_same_result(fit.result(), alone)


@pytest.mark.parametrize("with_jacobian", [False, True], ids=["differences", "jacobian"])
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_as_the_fit_and_independent_of_it(way, with_jacobian):
    fit = begun(with_jacobian)
    while True:
        twin = WAYS[way](fit)
        assert type(twin) is LevenbergMarquardt
        assert same(moment(twin)) == same(moment(fit))
        assert same(twin.__getstate__()) == same(fit.__getstate__())
        if fit.done:
            break
        before = same(fit.__getstate__())
        assert_same_result(to_the_end(twin).result(), expected(with_jacobian))
        assert same(fit.__getstate__()) == before
        told(fit, 1)
    assert_same_result(twin.result(), fit.result())
    assert_same_result(fit.result(), expected(with_jacobian))


@pytest.mark.parametrize("tells", range(6))
def test_reading_and_asking_leave_no_trace_in_the_state(tells):
    fit = told(begun(), tells)
    before = same(fit.__getstate__())
    moment(fit), fit.ask(), fit.result(), repr(fit), copy.copy(fit)
    assert same(fit.__getstate__()) == before


def test_the_state_is_plain_numbers_and_arrays():
    for tells in (0, 1, 2, 3, 9):
        for name, value in told(begun(), tells).__getstate__().items():
            assert type(name) is str
            if type(value) is np.ndarray:
                assert value.dtype in (float, np.int32), name
                assert value.flags.owndata, name
            else:
                assert value is None or type(value) in (int, float, bool), name


def test_what_is_not_known_yet_is_0_in_a_state_and_not_what_the_memory_held():
    for _ in range(20):
        for size in range(100, 1000, 10):
            np.full(size, 7.0)  # comes and goes
        state = told(begun(), 1).__getstate__()
        for name in ("scaling", "step", "next_x", "trial_x", "qtf", "fjac"):
            assert not state[name].any(), name


def test_the_state_is_the_callers_own():
    fit = told(begun(), 5)
    state = fit.__getstate__()
    again = restored(state)
    for value in state.values():
        if isinstance(value, np.ndarray):
            value.fill(1)
    assert_same_result(to_the_end(fit).result(), expected())
    assert_same_result(to_the_end(again).result(), expected())


def restored(state):
    fit = LevenbergMarquardt.__new__(LevenbergMarquardt)
    fit.__setstate__(state)
    return fit


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("form", [
    lambda array: array.astype(array.dtype.newbyteorder(">")), np.asfortranarray,
    lambda array: np.array(array[::-1])[::-1], lambda array: array.view(np.recarray), read_only,
], ids=["big-endian", "column-major", "backwards in memory", "a subclass", "read-only"])  # fmt: skip
def test_arrays_of_another_machine_or_layout_are_as_good(form):
    for tells in range(7):
        state = told(begun(), tells).__getstate__()
        other = {name: form(value) if isinstance(value, np.ndarray) else value for name, value in state.items()}
        assert_same_result(to_the_end(restored(other)).result(), expected())


def test_it_can_be_kept_without_pickle(tmp_path):
    """As .npz, which holds numbers as arrays without dimension."""
    fit = told(begun(), 6)
    state = {name: value for name, value in fit.__getstate__().items() if value is not None}
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        read = {name: array if array.ndim else array.item() for name, array in file.items()}
    assert_same_result(to_the_end(restored({"diag": None, "typical_x": None, **read})).result(), expected())


TELL = """
import pickle, sys
from problems import mgh
problem = next(problem for problem in mgh.PROBLEMS if str(problem) == {name!r})
fit = pickle.load(sys.stdin.buffer)
for _ in range(3):
    if not fit.done:
        fit.tell([problem.residuals(x) for x in fit.ask()])
pickle.dump(fit, sys.stdout.buffer)
"""


def test_it_goes_from_process_to_process():
    fit = begun()
    for _ in range(3):
        command = [sys.executable, "-c", TELL.format(name=str(DAMPED))]
        process = subprocess.run(command, input=pickle.dumps(fit), cwd=TESTS, capture_output=True, check=True)
        fit = pickle.loads(process.stdout)
    assert fit.nfev > 9
    assert_same_result(to_the_end(fit).result(), expected())


@pytest.mark.parametrize("problem", mgh.PROBLEMS[::3], ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_tell_may_have_another_instruction_set(problem):
    sets = _minpack.instruction_sets()
    fit = LevenbergMarquardt(problem.start(10))
    tells = 0
    while not fit.done:
        with running_on(sets[tells % len(sets)]):
            fit = pickled(fit)
            fit.tell(answer(fit, problem.residuals))
        tells += 1
    assert_same_result(fit.result(), leastsq(problem.residuals, problem.start(10), full_output=True))


def test_a_fit_read_where_the_environment_asks_for_the_original_goes_on(monkeypatch):
    state = pickle.dumps(told(begun(), 4))
    alone = expected()
    monkeypatch.setenv("PYMINPACK_SOLVER", "original")
    assert_same_result(to_the_end(pickle.loads(state)).result(), alone)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("func", [
    lambda x: x * np.nan, lambda x: np.ma.masked_array([*x, 1.0], [False, True]), lambda x: [x[0] * 0 + 1],
], ids=["NaN", "masked", "a zero column"])  # fmt: skip
def test_the_warnings_of_its_end_are_saved_too(func):
    def warned(between):
        fit = LevenbergMarquardt([0.5])
        while not fit.done:
            fit = between(fit)
            fit.tell(func(fit.ask()[0]))
        with pytest.warns(RuntimeWarning) as caught:
            between(fit).result()
        return [str(entry.message) for entry in caught]

    assert warned(pickled) == warned(lambda fit: fit)


def test_a_fit_that_has_been_saved_does_not_warn_of_a_NaN_that_was_not_told():
    """x overflows by a huge step; all that was told is finite."""

    def warned(between):
        fit = between(LevenbergMarquardt([1.0], jacobian=True, factor=np.inf))
        while not fit.done:
            fit.tell([[1e-310]] if fit.request == "jacobian" else [-1.0 if fit.nfev == 0 else -0.5])
            fit = between(fit)
        with pytest.warns(RuntimeWarning, match="x is not finite, though tell was given finite numbers only$"):
            fit.result()

    warned(lambda fit: fit)
    warned(pickled)


def version_1(fit):
    """The state as the first version had it, without single points."""
    new = {"points_told", "answers", "answers_masked_index", "answers_masked_count"}
    return {**{name: value for name, value in fit.__getstate__().items() if name not in new}, "version": 1}


@pytest.mark.parametrize("with_jacobian", [False, True], ids=["differences", "jacobian"])
def test_a_state_of_version_1_is_read(with_jacobian):
    fit = begun(with_jacobian)
    while not fit.done:
        fit = restored(version_1(fit))
        told(fit, 1)
    assert_same_result(fit.result(), expected(with_jacobian))


@pytest.mark.parametrize("code", [code for code in "bhilq" if np.dtype(code).itemsize == np.dtype("i").itemsize])
def test_indices_of_any_integer_type_of_the_right_size_are_read(code):
    """On i386 and on Windows int32 may be C's long."""
    state = told(begun(), 6).__getstate__()
    assert_same_result(to_the_end(restored({**state, "ipvt": state["ipvt"].astype(code)})).result(), expected())


# Subclasses


class Named(LevenbergMarquardt):
    """With attributes, and arguments of its own that unpickling does without."""

    def __init__(self, x0, name):
        super().__init__(x0)
        self.name, self.history = name, []


class Slotted(LevenbergMarquardt):
    __slots__ = ("more", "unset")


class SlottedAndNamed(Slotted):
    pass


class Numbered(LevenbergMarquardt):
    """Whose __new__ has an argument of its own."""

    def __new__(cls, x0, number):
        self = super().__new__(cls)
        self.made_of = number
        return self

    def __init__(self, x0, number):
        super().__init__(x0)

    def __getnewargs__(self):
        return [1.0], self.made_of


class NumberedByKeyword(LevenbergMarquardt):
    def __new__(cls, x0, *, number):
        self = super().__new__(cls)
        self.made_of = number
        return self

    def __init__(self, x0, *, number):
        super().__init__(x0)

    def __getnewargs_ex__(self):
        return ([1.0],), {"number": self.made_of}


class OwnState(LevenbergMarquardt):
    """With a state of its own around that of the fit."""

    def __getstate__(self):
        return {"fit": super().__getstate__(), "more": 3}

    def __setstate__(self, state):
        super().__setstate__(state["fit"])
        self.more = state["more"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tells", [0, 5])
def test_subclasses(way, tells):
    named = told(Named(DAMPED.start(), "a"), tells)
    twin = WAYS[way](named)
    assert (type(twin), twin.name, twin.history) == (Named, "a", [])
    assert (twin.history is named.history) == (way == "copy.copy")
    slotted = told(Slotted(DAMPED.start()), tells)
    slotted.more = [1]
    both = told(SlottedAndNamed(DAMPED.start()), tells)
    both.more, both.name = [2], "b"
    twins = WAYS[way](slotted), WAYS[way](both)
    assert [(type(twin), twin.more) for twin in twins] == [(Slotted, [1]), (SlottedAndNamed, [2])]
    assert not any(hasattr(twin, "unset") for twin in twins)
    assert twins[1].name == "b"
    own = WAYS[way](told(OwnState(DAMPED.start()), tells))
    assert (type(own), own.more) == (OwnState, 3)
    for fit in (twin, *twins, own):
        assert_same_result(to_the_end(fit).result(), expected())


@pytest.mark.parametrize("way", [way for way in WAYS if way[-1] not in "01"])  # protocols without such arguments
@pytest.mark.parametrize("kind", [Numbered, NumberedByKeyword])
def test_the_arguments_of___new___are_kept(kind, way):
    fit = told(kind(DAMPED.start(), number=3), 5)
    twin = WAYS[way](fit)
    assert (type(twin), twin.made_of) == (kind, 3)
    assert_same_result(to_the_end(twin).result(), expected())


@pytest.mark.parametrize("kind", [partial(Named, name="a"), SlottedAndNamed], ids=["attributes", "slots"])
def test_a_fit_that_holds_itself(kind):
    fit = kind(DAMPED.start())
    fit.more = {"fit": fit}
    for way in (pickled, copy.deepcopy):
        twin = way(fit)
        assert twin.more["fit"] is twin
        assert_same_result(to_the_end(twin).result(), expected())


# Damaged states

STAGES = {  # whether a Jacobian is told, and the number of tells
    "begun": (False, 0), "with residuals": (False, 1), "with a Jacobian": (False, 2), "later": (False, 8),
    "within a Jacobian": (False, 3), "ended": (False, 1000), "a Jacobian is wanted": (True, 1),
    "later, with Jacobians": (True, 9),
}  # fmt: skip


def stage(name):
    """The state of a fit at that stage, without subclass and diag."""
    with_jacobian, tells = STAGES[name]
    fit = begun(with_jacobian)
    for _ in range(tells):
        if not fit.done:
            told(fit, 1)
    if name == "within a Jacobian":
        for j in (3, 1):
            fit.tell(DAMPED.residuals(fit.ask()[j]), point=j)
    return fit.__getstate__()


every_stage = pytest.mark.parametrize("name", STAGES)
M, N = DAMPED.m, DAMPED.n

WRONG = [
    None, "text", b"", 1j, [], {}, (), object(), True, False, *range(-1, 7), 2**31 - 1, 2**31, 2**63, -(2**70),
    *map(float, ("nan", "inf", "-inf", 1e308, 5e-324, -1, 0)), np.float64(1), np.int64(3), np.float32(2), np.array(3.0),
    *map(np.zeros, (0, N - 1, N, N + 1, M, (N, M), (M, N), (N, M + 1), (1, N), (N, 1))),
    *(np.full(shape, value) for shape in (N, M, (N, M)) for value in (np.nan, -np.inf, -1.0, 1e308)),
    *(np.zeros(N, dtype) for dtype in (complex, object, np.float32, int, np.int32)), np.arange(1, N, dtype=np.int32),
    *(np.array([1, 2, 3, 4, last], np.int32) for last in (4, 6, 0, -1, 2**31 - 1, -(2**31))),
]  # fmt: skip


def survives(state):
    """Read a state: a ValueError of ours, or a fit that can be read, saved, and told what fits; which of the two."""
    fit = LevenbergMarquardt([7.0])
    try:
        fit.__setstate__(state)
    except ValueError as error:
        assert str(error).startswith("LevenbergMarquardt: the saved state")  # noqa: PT017
        assert fit.x == 7
        return False
    rng = np.random.default_rng(0)
    for _ in range(8):
        moment(fit), repr(fit), fit.result()
        fit = pickled(fit)
        if fit.done:
            break
        k, n = fit.ask().shape
        m = n + 2 if fit.fvec is None else fit.fvec.size
        if fit.request != "jacobian":
            fit.tell(rng.standard_normal((k, m)))
        else:
            fit.tell(rng.standard_normal((n, m) if state["col_deriv"] else (m, n)))
    return True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@every_stage
def test_a_state_as_it_was_is_read(name):
    assert survives(stage(name))


@every_stage
def test_a_missing_entry_is_named(name):
    for key in stage(name):
        state = stage(name)
        del state[key]
        with pytest.raises(ValueError, match=f"^LevenbergMarquardt: the saved state's {key} is missing$"):
            restored(state)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@every_stage
@pytest.mark.thread_unsafe(reason="takes 20 s, and shares nothing")
def test_a_wrong_entry_is_an_error_or_harmless(name):
    refused = {key: sum(not survives({**stage(name), key: value}) for value in WRONG) for key in stage(name)}
    assert min(refused.values()) > len(WRONG) // 2, refused


@pytest.mark.parametrize(("name", "key", "value", "text"), [
    ("later", "version", 3, "the saved state has version 3; expected 1 or 2"),
    ("later", "version", "1", "version is not an integer"),
    ("later", "request", 1, "request is out of range"),
    ("later", "request", 3, "request is inconsistent"),
    ("with residuals", "request", 4, "request is inconsistent"),
    ("with residuals", "request", 5, "request is inconsistent"),
    ("later", "request", 5, "info is not a reason to stop"),
    ("ended", "info", 9, "info is out of range"),
    ("later", "ipvt", np.array([1, 2, 3, 4, 4], np.int32), "ipvt is not a permutation of 1 to n"),
    ("later", "ipvt", np.array([0, 1, 2, 3, 4], np.int32), "ipvt is not a permutation of 1 to n"),
    ("later", "ipvt", np.arange(1, N, dtype=np.int32), "ipvt does not have the shape"),
    ("later", "fjac", np.zeros((M, N)), "fjac does not have the shape"),
    ("later", "fvec", np.zeros(N - 1), "fvec"),
    ("later", "x", np.zeros(N + 1), "x"),
    ("begun", "x0", np.zeros(0), "options are improper"),
    ("begun", "ftol", -1.0, "options are improper"),
    ("begun", "diag", np.zeros(N), "options are improper"),
    ("later", "diag", np.ones(N + 1), "diag does not have the length of x0"),
    ("later", "typical_x", np.ones(N - 1), "typical_x does not have the length of x0"),
    ("later", "fnorm", 3, "fnorm is not a float"),
    ("later", "nfev", 3.0, "nfev is not an integer"),
    ("later", "nfev", -1, "nfev is out of range"),
    ("later", "tells", 2**31 - 2, "tells is out of range"),
    *(("within a Jacobian", "points_told", np.array(points, np.int32), "points_told does not list some")
      for points in ([1, 1], [3, 1], [-1, 1], [1, 5], [0, 1, 2, 3, 4])),
    ("later", "points_told", np.array([0], np.int32), "points_told does not list"),
    ("within a Jacobian", "points_told", np.array([1, 3]), "points_told is not an array of the expected type"),
    ("within a Jacobian", "points_told", np.array([1], np.int32), "answers does not have the shape"),
    ("within a Jacobian", "answers", np.zeros((2, M + 1)), "answers does not have the shape"),
], ids=str)  # fmt: skip
def test_it_says_what_is_wrong(name, key, value, text):
    with pytest.raises(ValueError, match=text):
        restored({**stage(name), key: value})


@pytest.mark.parametrize("value", [None, 3, "state", [], (), {}, np.zeros(3), {1: 2}, {"version": 1}], ids=str)
def test_what_is_no_state_at_all(value):
    with pytest.raises(ValueError, match=r"^LevenbergMarquardt: the saved state"):
        restored(value)


POSSIBLE = {
    LevenbergMarquardt: (None,),
    Slotted: (None, (None, {"more": 1})),
    Named: (None, {"a": 1}, {1: 2}, (None, {"more": 1}), ({}, {"more": 1})),
}


@pytest.mark.parametrize("attributes", [
    3, None, "text", [1], {"a": 1}, {1: 2}, ({}, 3), (None, {"more": 1}), ({}, {"more": 1}),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("kind", POSSIBLE)
def test_attributes_that_the_class_cannot_have_are_an_error(kind, attributes):
    fit = kind.__new__(kind)
    fit.__init__(DAMPED.start(), *["name"] * (kind is Named))
    state = {**stage("later"), "attributes": attributes}
    before = same(fit.__getstate__())
    try:
        fit.__setstate__(state)
    except ValueError as error:
        assert str(error).startswith("LevenbergMarquardt: the saved state's attributes")  # noqa: PT017
        assert same(fit.__getstate__()) == before
    else:
        assert attributes in POSSIBLE[kind]
        assert_same_result(to_the_end(fit).result(), expected())


def test_a_state_that_is_refused_leaves_the_fit_as_it_was():
    fit = told(begun(), 5)
    before = same(fit.__getstate__())
    for key in stage("later"):
        state = stage("later")
        del state[key]
        with pytest.raises(ValueError, match="is missing"):
            fit.__setstate__(state)
        assert same(fit.__getstate__()) == before
    fit.__setstate__(stage("begun"))
    assert_same_result(to_the_end(fit).result(), expected())


def damage(draw, value):
    """Another value, most often of the same type and shape."""
    if not isinstance(value, np.ndarray) or value.size == 0 or draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(st.integers(), st.integers(-2, 9), st.floats(), st.sampled_from(WRONG)))
    array = np.frombuffer(bytearray(value.tobytes()), np.uint8)
    for place in draw(st.lists(st.integers(0, array.size - 1), min_size=1, max_size=8)):
        array[place] = draw(st.integers(0, 255))
    return array.view(value.dtype).reshape(value.shape)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=400, deadline=None)
@given(data=st.data())
@pytest.mark.thread_unsafe(reason="takes 20 s, and shares nothing")
def test_random_damage(data):
    state = stage(data.draw(st.sampled_from([*STAGES])))
    for key in data.draw(st.lists(st.sampled_from([*state]), min_size=1, max_size=4, unique=True)):
        state[key] = damage(data.draw, state[key])
    survives(state)
