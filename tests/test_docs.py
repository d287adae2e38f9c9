"""The documentation: examples that run, and a docstring that says everything about every argument."""

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest
import scipy.optimize

import pyminpack

README = Path(__file__).parents[1] / "README.md"
PUBLIC = [getattr(pyminpack, name) for name in pyminpack.__all__]
FUNCTIONS = [entry for entry in PUBLIC if inspect.isfunction(entry)]


def examples_of(function):
    return doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs={})


def run(test):
    """The report of one doctest; empty if all its examples pass."""
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return "".join(report)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_examples_in_docstrings_run(function):
    (test,) = examples_of(function)
    assert test.examples
    assert run(test) == ""


def readme_blocks():
    return re.findall(r"^```(?:python|pycon)\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def test_python_in_the_README_runs():
    """One session: what a block defines, later ones have; a block without prompts is a program."""
    names = {}
    for number, block in enumerate(readme_blocks(), 1):
        if ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, names, f"README block {number}", str(README), 0)
            test.globs = names
            assert run(test) == ""
        else:
            exec(compile(block, f"README block {number}", "exec"), names)


def entries(docstring, section):
    """The names that a section of a numpydoc docstring describes, with what is said of each."""
    body = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    assert body, f"no section {section}"
    found = re.findall(r"^(\S[^\n]*)\n((?:(?: +[^\n]*)?\n)*)", body[1] + "\n", re.MULTILINE)
    return {head.partition(" : ")[0]: (head.partition(" : ")[2], text.strip()) for head, text in found}


def test_every_argument_is_documented_with_its_type_and_default():
    parameters = inspect.signature(pyminpack.leastsq).parameters
    documented = entries(inspect.getdoc(pyminpack.leastsq), "Parameters")
    assert list(documented) == list(parameters)
    for name, (kind, text) in documented.items():
        default = parameters[name].default
        assert text.endswith("."), name
        if default is None:
            assert kind.endswith("optional"), name
        elif default is not inspect.Parameter.empty:
            assert ast.literal_eval(kind.partition("default ")[2]) == default, name


def test_every_result_is_documented():
    documented = inspect.getdoc(pyminpack.leastsq)
    assert list(entries(documented, "Returns")) == ["x", "cov_x", "infodict", "mesg", "ier"]
    for key in pyminpack.InfoDict.__annotations__:
        assert f"``{key}`` : " in documented, key
    for section in ("Raises", "Warns"):
        assert all(text.endswith(".") for _, text in entries(documented, section).values())


@pytest.mark.parametrize("entry", PUBLIC, ids=lambda entry: entry.__name__)
def test_everything_public_has_a_docstring_of_one_line_and_more(entry):
    summary = inspect.getdoc(entry).split("\n\n")[0]
    assert "\n" not in summary
    assert summary.endswith(".")


def test_the_signature_is_that_of_scipy_and_keywords_that_do_nothing_by_default():
    ours, theirs = (
        [(name, parameter.kind, parameter.default, type(parameter.default))
         for name, parameter in inspect.signature(function).parameters.items()]
        for function in (pyminpack.leastsq, scipy.optimize.leastsq)
    )
    assert ours[:len(theirs)] == theirs
    more = {(kind, default) for _, kind, default, _ in ours[len(theirs):]}
    assert more == {(inspect.Parameter.KEYWORD_ONLY, None)}
