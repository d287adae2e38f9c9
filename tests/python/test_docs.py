"""The documentation: examples that run, and a docstring that says everything about every argument."""

import ast
import contextlib
import doctest
import inspect
import pydoc
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize

import pyminpack
from helpers.contract_page import CASES, tables

pytestmark = [
    pytest.mark.last_bits,
    pytest.mark.needs("matplotlib"),
    pytest.mark.needs("scipy==1.14.1"),
    pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one"),
]

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
REFERENCE = DOCS / "reference" / "index.md"
TABLE_OF_KERNELS = DOCS / "kernels.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]
IN_YOUR_STACK = DOCS / "in-your-stack.md"  # needs other libraries: ./dev clients runs its programs
WITH_PYTHON = [page for page in PAGES if "```python" in page.read_text() and page != IN_YOUR_STACK]
NAMES = sorted(name for name in vars(pyminpack) if not name.startswith("_"))
PUBLIC = [getattr(pyminpack, name) for name in NAMES]
KERNELS = [getattr(pyminpack.kernels, name) for name in pyminpack.kernels.__all__]
FUNCTIONS = [entry for entry in PUBLIC + KERNELS if inspect.isfunction(entry)]


def examples_of(function):
    return doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs={})


def run(test):
    """The report of one doctest; empty if all its examples pass."""
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    return "".join(report)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_examples_in_docstrings_run(function):
    (test,) = examples_of(function)
    assert test.examples
    assert run(test) == ""


def blocks_of(page):
    return re.findall(r"^```(?:python|pycon)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
@pytest.mark.usefixtures("builtin_solver")
def test_python_in_a_page_runs(page, monkeypatch, capsys, tmp_path):
    """One session: what a block defines, later ones have; a block without prompts is a program."""
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = blocks_of(page)
    assert blocks
    for number, block in enumerate(blocks, 1):
        if ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, names, f"{page.name} block {number}", str(page), 0)
            test.globs = names
            assert run(test) == ""
        else:
            exec(compile(block, f"{page.name} block {number}", "exec"), names)


def test_the_recipe_that_keeps_answers_makes_no_evaluation_twice(monkeypatch, tmp_path):
    """However often it is interrupted: here in each fourth evaluation, before it has an answer."""
    monkeypatch.chdir(tmp_path)
    (recipe,) = (block for block in blocks_of(DOCS / "iteration-recipes.md") if "def kept" in block)
    calls, x0, t = [], [1.0, 1.0, 0.0], np.linspace(0, 4, 30)

    def decay(x):
        return x[0] * np.exp(-x[1] * t) + x[2] - 5 * np.exp(-0.5 * t)

    def residuals(x):
        calls.append(x.tobytes())
        if len(calls) % 4 == 0:
            raise KeyboardInterrupt
        return decay(x)

    names = {"leastsq": pyminpack.leastsq, "residuals": residuals, "x0": x0}
    while "x" not in names:
        with contextlib.suppress(KeyboardInterrupt):
            exec(recipe, names)
    answered = [x for number, x in enumerate(calls, 1) if number % 4]
    alone = pyminpack.leastsq(decay, x0, full_output=True)
    assert names["x"].tobytes() == alone[0].tobytes()
    assert len(set(answered)) == len(answered) == alone[2]["nfev"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_file_that_a_page_names_exists(page):
    text = page.read_text()
    links = [page.parent / link for link in re.findall(r"\]\((?!https?:)([^)#]+)", text)]
    folders = "benchmarks|docs|examples|minpack|src|tests|tools"
    files = [REPOSITORY / name for name in re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*\w", text)]
    assert [str(path) for path in links + files if not path.exists()] == []


def test_every_page_is_in_the_list_of_pages_by_its_title():
    """Of which docs/conf.py makes the sections of the site."""
    listed = re.findall(r"^- \[(.*?)\]\(([\w-]+)\.md\)", (DOCS / "README.md").read_text(), re.MULTILINE)
    titles = {page.stem: page.read_text().partition("\n")[0] for page in DOCS.glob("*.md")}
    assert [f"# {title}" for title, _ in listed] == [titles[name] for _, name in listed]
    assert sorted([*(name for _, name in listed), "README", "index"]) == sorted(titles)


@pytest.mark.parametrize(("tag", "complaint"), [
    ('<a href="there.html#part">', ""),
    ('<a href="#">', ""),
    ('<img src="there.html">', ""),
    ('<a href="https://elsewhere.invalid/">', ""),
    ('<a href="away.html">', "here.html: away.html is not there\n"),
    ('<a href="there.html#whole">', "here.html: there.html#whole is not there\n"),
    ('<a href="#part">', "here.html: #part is not there\n"),
    ('<img src="no.png">', "here.html: no.png is not there\n"),
    ('<script src="//elsewhere.invalid/a.js">', "here.html: loads //elsewhere.invalid/a.js\n"),
])
def test_a_link_of_the_site_that_leads_nowhere_is_named(tag, complaint, tmp_path):
    (tmp_path / "here.html").write_text(tag)
    (tmp_path / "there.html").write_text('<p id="part">')
    command = [sys.executable, REPOSITORY / "tools" / "links.py", tmp_path]
    check = subprocess.run(command, capture_output=True, text=True)
    assert (check.stderr, check.returncode) == (complaint, bool(complaint))


def test_every_public_name_has_its_page_in_the_reference():
    lists = re.findall(r":toctree: generated\n   :nosignatures:\n\n(.*?)\n(?:\n|```)", REFERENCE.read_text(), re.DOTALL)
    listed = [name for block in lists for name in block.split()]
    assert sorted(listed) == sorted([name for name in NAMES if name != "kernels"] + [k.__name__ for k in KERNELS])


def test_every_row_of_the_contract_names_its_tests():
    functions = Counter(name for file in (REPOSITORY / "tests").rglob("test_*.py")
                        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    for case in CASES:
        assert case.tests, case.case
        assert [name for name in case.tests if name.startswith("test_") and functions[name] != 1] == [], case.case


def test_what_the_page_for_maintainers_names_is_in_its_file():
    """Each row: a question, a file, and names that are found in it."""
    ((_, rows),) = tables(DOCS / "house.md")
    for question, file, names in rows:
        text = (REPOSITORY / file).read_text()
        assert [name for name in re.findall("`([^`]+)`", names) if name not in text] == [], question


def test_the_architecture_in_the_readme_names_functions_that_are_in_their_files():
    picture = re.search(r"### Architecture\n.*?```text\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)[1]
    rows = [re.match(r" *(.+?)  +(\S+)", line).groups() for line in picture.splitlines()]
    missing = [(name, file) for names, file in rows for name in names.split(", ")
               if name not in (REPOSITORY / file).read_text()]
    assert missing == []
    assert len(rows) > 15


def test_the_table_of_kernels_has_every_routine_with_its_file():
    rows = re.findall(r"^\| (?:`(\w+)`)? ?\| [^|]+ \| ([^ ,|]+)[^|]*\| [^|]+ \|[^|]*\|$", TABLE_OF_KERNELS.read_text(),
                      re.MULTILINE)
    assert {name for name, file in rows if "/" in file} - {""} == {name for name in pyminpack.kernels.__all__
                                                                   if name.islower()}
    for name, file in rows:
        if "/" in file:
            text = (REPOSITORY / file).read_text()
            assert not name or re.search(rf"^ *(pure |recursive )?(subroutine|function) {name}\(", text, re.MULTILINE)


def entries(docstring, section):
    """The names that a section of a numpydoc docstring describes, with what is said of each."""
    body = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    assert body, f"no section {section}"
    found = re.findall(r"^(\S[^\n]*)\n((?:(?: +[^\n]*)?\n)*)", body[1] + "\n", re.MULTILINE)
    return {head.partition(" : ")[0]: (head.partition(" : ")[2], text.strip()) for head, text in found}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_argument_is_documented_with_its_type_and_default(function):
    parameters = inspect.signature(function).parameters
    documented = entries(inspect.getdoc(function), "Parameters") if parameters else {}
    assert [name.lstrip("*") for name in documented] == list(parameters)
    for name, (kind, text) in documented.items():
        default = parameters[name.lstrip("*")].default
        assert text.endswith("."), name
        if default is None:
            assert kind.endswith("optional"), name
        elif default is not inspect.Parameter.empty:
            assert eval(kind.partition("default ")[2], {"np": np}) == default, name


def test_every_result_is_documented():
    documented = inspect.getdoc(pyminpack.leastsq)
    assert list(entries(documented, "Returns")) == ["x", "cov_x", "infodict", "mesg", "ier"]
    for key in pyminpack.InfoDict.__annotations__:
        assert f"``{key}`` : " in documented, key
    for section in ("Raises", "Warns"):
        assert all(text.endswith(".") for _, text in entries(documented, section).values())


@pytest.mark.parametrize("entry", PUBLIC + KERNELS, ids=lambda entry: entry.__name__)
def test_everything_public_has_a_docstring_of_one_line_and_more(entry):
    summary = inspect.getdoc(entry).split("\n\n")[0]
    assert "\n" not in summary
    assert summary.endswith(".")


@pytest.mark.parametrize("entry", [entry for entry in PUBLIC if inspect.isclass(entry)],
                         ids=lambda entry: entry.__name__)
def test_every_method_and_attribute_of_a_public_class_has_a_docstring(entry):
    assert [name for name, value in vars(entry).items() if not name.startswith("_") and not inspect.getdoc(value)] == []


def test_every_module_has_a_docstring():
    modules = [*(REPOSITORY / "src" / "pyminpack").glob("*.py*"), *(REPOSITORY / "tools").glob("*.py")]
    sources = {module: module.read_text() for module in modules if module.suffix in (".py", ".pyi")}
    assert [str(module) for module, text in sources.items() if not ast.get_docstring(ast.parse(text))] == []


def test_all_has_every_public_name_but_types_that_are_only_named():
    """The results' types and exceptions, of which help() would list what they inherit."""
    unlisted = {*NAMES} - {*pyminpack.__all__}
    assert {*pyminpack.__all__} <= {*NAMES}
    assert [name for name in unlisted if not inspect.isclass(getattr(pyminpack, name))] == []
    own = {name for name, value in vars(pyminpack.kernels).items()
           if not name.startswith("_") and getattr(value, "__module__", None) == pyminpack.kernels.__name__}
    assert own == {*pyminpack.kernels.__all__}


def signature(function):
    return [(name, parameter.kind, parameter.default, type(parameter.default))
            for name, parameter in inspect.signature(function).parameters.items()]


def test_the_signature_of_curve_fit_is_that_of_scipy():
    assert signature(pyminpack.curve_fit) == signature(scipy.optimize.curve_fit)


def test_the_signature_is_that_of_scipy_and_keywords_that_do_nothing_by_default():
    ours, theirs = signature(pyminpack.leastsq), signature(scipy.optimize.leastsq)
    assert ours[:len(theirs)] == theirs
    more = {(kind, default) for _, kind, default, _ in ours[len(theirs):]}
    assert more == {(inspect.Parameter.KEYWORD_ONLY, default) for default in (None, False, "propagate")}


def test_help_of_the_package_begins_with_what_it_is_for_and_lists_no_methods_of_dict():
    text = pydoc.plain(pydoc.render_doc(pyminpack))
    assert "Levenberg-Marquardt" in text.splitlines()[3]
    assert "inherited from" not in text
