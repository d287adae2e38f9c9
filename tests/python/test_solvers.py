"""Two solvers in one build: how one is chosen, and that both give the same bits."""

from __future__ import annotations

import pytest

from helpers.bits import assert_same_bits
from problems import mgh
from pyminpack import _minpack, leastsq, show_config

SOLVERS = _minpack.solvers()
ORIGINAL = "original"


def residuals(x):
    return x - 1


def test_the_builtin_solver_is_in_every_build_and_show_config_tells_of_both():
    config = show_config(mode="dicts")
    assert config["solvers"] == list(SOLVERS)
    assert SOLVERS[0] == "builtin"
    assert (ORIGINAL in SOLVERS) == (config["original_sha256"] is not None)


@pytest.mark.needs_original
def test_the_suite_has_both_solvers():
    assert SOLVERS == ("builtin", ORIGINAL)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts overflow, and fits fail
@pytest.mark.parametrize("Dfun", [False, True], ids=["differences", "Dfun"])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
def test_both_solvers_give_the_same_bits(problem, Dfun):
    options = {"full_output": True, "Dfun": problem.jacobian if Dfun else None}
    fits = [leastsq(problem.residuals, problem.start(10), solver=solver, **options) for solver in SOLVERS]
    (x, cov_x, infodict, mesg, ier), *others = fits
    for other_x, other_cov_x, other_infodict, other_mesg, other_ier in others:
        assert (mesg, ier) == (other_mesg, other_ier)
        assert_same_bits(other_x, x, "x")
        assert (cov_x is None) == (other_cov_x is None)
        if cov_x is not None:
            assert_same_bits(other_cov_x, cov_x, "cov_x")
        assert list(infodict) == list(other_infodict)
        for name, value in infodict.items():
            if isinstance(value, int):
                assert value == other_infodict[name]
            else:
                assert_same_bits(other_infodict[name], value, name)


REFUSED = {
    "other": (ValueError, "leastsq: solver is 'other'; expected 'builtin' or 'original'"),
    "": (ValueError, "leastsq: solver is ''; expected 'builtin' or 'original'"),
    "builtin\0": (ValueError, r"leastsq: solver is 'builtin\x00'; expected 'builtin' or 'original'"),
    "\ud800": (ValueError, r"leastsq: solver is '\ud800'; expected 'builtin' or 'original'"),
    3: (TypeError, "leastsq: solver must be a string or None, not int"),
}


@pytest.mark.parametrize(("solver", "error"), REFUSED.items(), ids=map(repr, REFUSED))
def test_a_wrong_solver_is_refused_by_its_name_before_any_call(solver, error):
    with pytest.raises(error[0]) as caught:
        leastsq(pytest.fail, [0.0], solver=solver)
    assert caught.type is error[0]
    assert str(caught.value) == error[1]


def test_a_wrong_variable_is_named_as_the_cause(monkeypatch):
    monkeypatch.setenv("PYMINPACK_SOLVER", "other")
    with pytest.raises(ValueError, match=r"^leastsq: PYMINPACK_SOLVER is 'other'; expected 'builtin' or 'original'$"):
        leastsq(residuals, [0.0])


def test_a_solver_may_be_of_a_class_of_strings_whose_methods_do_not_run():
    class Name(str):
        __slots__ = ()

        def fails(self, *_):
            raise AssertionError

        __eq__ = __str__ = __repr__ = fails
        __hash__ = str.__hash__

    assert leastsq(residuals, [0.0], solver=Name("builtin"))[1] in (1, 2, 3, 4)
    with pytest.raises(ValueError, match="solver is 'other'; expected"):
        leastsq(residuals, [0.0], solver=Name("other"))


@pytest.mark.parametrize("value", ["other", "", ORIGINAL])
def test_an_explicit_keyword_wins_over_the_variable_which_counts_per_call(monkeypatch, value):
    monkeypatch.setenv("PYMINPACK_SOLVER", value)
    assert leastsq(residuals, [0.0], solver="builtin")[1] in (1, 2, 3, 4)
    monkeypatch.setenv("PYMINPACK_SOLVER", "builtin")
    assert leastsq(residuals, [0.0])[1] in (1, 2, 3, 4)


def test_show_config_without_printing_returns_what_it_prints(capsys):
    silent = show_config(mode="dicts")
    assert capsys.readouterr().out == ""
    assert show_config() == silent
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in printed] == list(silent)


def test_show_config_refuses_another_mode():
    with pytest.raises(ValueError, match="mode is 'json'; expected 'stdout' or 'dicts'"):
        show_config(mode="json")
