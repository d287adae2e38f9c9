"""`python -m pyminpack PROGRAM` is Python itself: what a program sees, prints and leaves behind is as without."""

import importlib.metadata
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import scipy

import pyminpack
from pyminpack import __main__

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

CHILDREN = Path(pyminpack.__file__).parent / "_children"
COMMAND = Path(sysconfig.get_path("scripts")) / "pyminpack"
BASE = sys._base_executable
PYTHONS = [BASE, *sorted(map(str, (Path.home() / ".pyenv/versions").glob("*/bin/python")))]  # of any version

STATE = """
import sys, traceback, warnings
print(__name__, globals().get("__file__"), type(__loader__).__name__, getattr(__spec__, "name", None), __doc__)
print(sys.argv, sys.orig_argv[1:], sys.path, sys.flags, sys._xoptions, sys.warnoptions, sys.dont_write_bytecode)
print(len(traceback.extract_stack()), sorted(sys.modules))
print(sys.modules["__main__"].__dict__ is globals(), warnings.filters, sys.stdin.encoding)
"""


@pytest.fixture
def run(tmp_path):
    """Run a command, in bash, in a folder of the test's own."""

    def run(line, stdin="", **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        process = subprocess.run(["bash", "-c", line], cwd=tmp_path, input=stdin, env=clean | environment, text=True,
                                 capture_output=True, timeout=120)
        return process.returncode, process.stdout, process.stderr

    return run


@pytest.fixture
def as_without(run):
    """Run a command whose PYTHON is plain, then ours: that says so, all else is the same; what both printed."""

    def as_without(line, plain="PYTHON", ours="PYTHON -m pyminpack"):
        python = shlex.quote(sys.executable)
        expected, (status, out, err) = (run(line.replace("PYTHON ", command.replace("PYTHON", python) + " "))
                                        for command in (plain, ours))
        first, *rest = err.splitlines(keepends=True)
        assert first.startswith(f"pyminpack {pyminpack.__version__}: leastsq, curve_fit, ")
        assert f" SciPy {scipy.__version__} run on solver " in first
        assert (status, out, "".join(rest)) == expected
        return expected

    return as_without


@pytest.fixture
def program(tmp_path):
    """Write a program."""

    def program(text, name="program.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return program


WAYS = {
    "a script": "PYTHON program.py -m -c a",
    "a script elsewhere": "PYTHON folder/../program.py --help",
    "a link to a script": "PYTHON folder/link",
    "a folder": "PYTHON folder a",
    "a zip": "PYTHON folder/app.pyz a",
    "a module": "PYTHON -m program a",
    "a module, glued": "PYTHON -mprogram a",
    "a package": "PYTHON -m folder a",
    "code": """PYTHON -c "$(cat program.py)" a""",
    "stdin": "PYTHON - a <program.py",
    "/dev/stdin": "cat program.py | PYTHON /dev/stdin",
    "a pipe": "PYTHON <(cat program.py) a",
    "no script": "PYTHON missing.py",
    "no name": "PYTHON ''",
    "no module": "PYTHON -m missing",
    "no module's name": "PYTHON -m",
    "a syntax error": "PYTHON -c '1 +'",
    "an error": "PYTHON -c '1 / 0'",
    "an exit status": "PYTHON -c 'raise SystemExit(3)'",
    "PYTHONSAFEPATH": "PYTHONSAFEPATH=1 PYTHON program.py",
    "PYTHONPATH": "PYTHONPATH=:folder PYTHON program.py",
}
OPTIONS = ["-P", "-B", "-Bu", "-bb", "-OO", "-s", "-W error", "-Werror", "-bWerror", "-X utf8=0", "-Xutf8=0",
           "-bX utf8=0", "-X dev", "--check-hash-based-pycs always", "-iq", "-W 'ignore:a b' -X a=b -u"]


@pytest.fixture
def folder(program, tmp_path):
    """Its files: the same program by itself, beside a link to it, and as a folder and a zip."""
    path = program(STATE)
    program(STATE, "folder/__main__.py")
    program("raise ImportError('beside a zip')", "folder/warnings.py")
    (tmp_path / "folder/link").symlink_to(path)
    with zipfile.ZipFile(tmp_path / "folder/app.pyz", "w") as archive:
        archive.writestr("__main__.py", STATE)
    (tmp_path / "folder/warnings.py").rename(tmp_path / "folder/colorsys.py")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("way", WAYS)
def test_a_program_sees_what_it_sees_without(way, as_without):
    as_without(WAYS[way])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", OPTIONS)
def test_it_has_pythons_options(options, as_without):
    as_without("PYTHON program.py", ours=f"PYTHON {options} -m pyminpack", plain=f"PYTHON {options}")


AFTER_THE_LAST_LINE = {
    "a thread": "threading.Thread(target=later, args=(0.3,)).start()",
    "atexit": "atexit.register(later)",
    "a temporary folder": "own = tempfile.TemporaryDirectory(); atexit.register(lambda: print(os.listdir(own.name)))",
    "a process that is spawned": "atexit.register(spawn)",
}
BEFORE = """
import atexit, multiprocessing, os, pickle, sys, tempfile, threading, time
class Point:
    def __call__(self): pass
def later(seconds=0):
    time.sleep(seconds)
    print(pickle.loads(pickle.dumps(Point())).__module__, sys.modules["__main__"].Point is Point)
def spawn():
    process = multiprocessing.get_context("spawn").Process(target=Point())
    process.start()
    process.join()
    print(process.exitcode)
if __name__ == "__main__":
    """
PROGRAMS = {
    "chdir": "import os; os.chdir('/'); print(open(os.path.join(os.path.dirname(__file__), 'program.py')).read())",
    "SIGINT": "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
    "SIGTERM": "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
    "_exit": "import os; os._exit(7)",
    "a thread's error": "import threading; threading.Thread(target=lambda: 1 / 0, name='t').start()",
    "exec": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'import sys; print(sys.path)'])",
    "another environment": "import subprocess, sys; "
                           "subprocess.run([sys.executable, '-c', 'import sys; print(sys.path)'], env={})",
    "signals": "import signal as s; print([s.getsignal(n) for n in (2, 13, 15, 25)], s.pthread_sigmask(0, []))",
    "files": "import os; print(sorted(os.listdir('/proc/self/fd')))",
    "what is set first": "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import numpy, scipy.optimize; "
                         "numpy.ones((600, 600)) @ numpy.ones((600, 600)); print(len(os.listdir('/proc/self/task')))",
    "find_spec": "from importlib.util import find_spec; s = find_spec('scipy.optimize'); print(s.origin, s.name, "
                 "s.parent, s.has_location, s.cached, s.submodule_search_locations, s.loader.get_filename(s.name))",
    "loaders": "import inspect, scipy.optimize as o; "
               "print(type(o.__loader__), o.__spec__.loader is o.__loader__, len(inspect.getsource(o)))",
    "sitecustomize": "import sitecustomize",
}



@pytest.mark.parametrize("what", AFTER_THE_LAST_LINE)
def test_its_module_is_main_after_its_last_line(what, program, as_without):
    program(BEFORE + AFTER_THE_LAST_LINE[what])
    assert as_without("PYTHON program.py")[1] != ""


@pytest.mark.parametrize("what", PROGRAMS)
def test_it_does_what_it_does_without(what, program, as_without):
    program(PROGRAMS[what])
    as_without("PYTHON program.py")


def test_the_command_has_not_the_current_folder_on_its_path(program, as_without):
    """Where a file that is named as a module of the standard library would be imported by NumPy."""
    program("raise SystemExit('random.py was imported')", "random.py")
    program(STATE, "folder/program.py")
    as_without("PYTHON folder/program.py", ours=shlex.quote(str(COMMAND)))
    as_without("PYTHON -m folder.program a", ours=shlex.quote(str(COMMAND)))


PARENT = """
import multiprocessing, os, subprocess, sys
def patched(_):
    import scipy.optimize, pyminpack
    return pyminpack.scipy_is_patched()
if __name__ == "__main__":
    print(patched(0), flush=True)
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, *pool.map(patched, [0]), flush=True)
    code = "import os, scipy.optimize, pyminpack\\n" \
           "print(pyminpack.scipy_is_patched(), os.environ['PYTHONPATH'].count('_children'))"
    replaced = ["-c", "import os, sys; os.execv(sys.executable, sys.argv[1:])", sys.executable]
    for before in ([], ["-m", "pyminpack"], replaced):
        subprocess.run([sys.executable, *before, "-c", code], stderr=subprocess.DEVNULL)
"""


def test_scipy_is_patched_in_a_program_and_in_all_its_children(program, run):
    program(PARENT)
    status, out, err = run(f"{sys.executable} -m pyminpack program.py")
    assert (status, err.count("\n")) == (0, 1), err
    assert out.splitlines() == ["True", "fork True", "spawn True", "forkserver True", *3 * ["True 1"]]


IMPORTS = {  # and whether SciPy is patched then
    "scipy.optimize": ("import scipy.optimize", True),
    "a module inside": ("from scipy.optimize._lsq.least_squares import call_minpack", True),
    "scipy's own lazy import": ("import scipy; scipy.optimize", True),
    "a lazy loader": (
        "import importlib.util as util, sys; spec = util.find_spec('scipy.optimize')\n"
        "spec.loader = util.LazyLoader(spec.loader); sys.modules[spec.name] = util.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules[spec.name])", True),
    "find_spec before": ("import importlib.util; importlib.util.find_spec('scipy.optimize')", True),
    "reload": ("import importlib, scipy.optimize; importlib.reload(scipy.optimize)", True),
    "reload of what is inside": (
        "import importlib, scipy.optimize; importlib.reload(scipy.optimize._minpack_py)\n"
        "importlib.reload(scipy.optimize)", True),
    "once more": (
        "import sys, scipy.optimize\n"
        "for name in [*sys.modules]:\n    if name.startswith('scipy.optimize'): del sys.modules[name]", True),
    "unpatch_scipy before": ("import pyminpack; pyminpack.unpatch_scipy()", False),
    "unpatch_scipy, then reload": (
        "import importlib, pyminpack, scipy.optimize; pyminpack.unpatch_scipy()\n"
        "importlib.reload(scipy.optimize._minpack_py); importlib.reload(scipy.optimize)", False),
}  # fmt: skip
FITS = """
import sys, pyminpack
calls, solve = [], pyminpack._minpack.leastsq
pyminpack._minpack.leastsq = lambda *args: (calls.append(args[0].caller), solve(*args))[1]
from scipy.optimize import curve_fit, least_squares, leastsq, root
def func(p): return [p[0] - 1, p[1] - 2]
leastsq(func, [3, 3]); root(func, [3, 3], method="lm"); least_squares(func, [3, 3], method="lm")
curve_fit(lambda t, a, b: a * t + b, [0, 1, 2], [0, 1, 3])
print(pyminpack.scipy_is_patched(), calls)
"""


@pytest.mark.parametrize("way", IMPORTS)
def test_scipy_is_patched_behind_its_import(way, program, run):
    imports, patched = IMPORTS[way]
    program(imports + FITS)
    calls = ["leastsq", "root", "least_squares", "curve_fit"] if patched else []
    status, out, err = run(f"{sys.executable} -m pyminpack program.py")
    assert (status, out, err.count("\n")) == (0, f"{patched} {calls}\n", 1), err


def test_until_its_import_scipy_is_not_patched(run):
    code = "import sys, pyminpack; print(pyminpack.scipy_is_patched(), 'scipy' in sys.modules)"
    assert run(f'{sys.executable} -m pyminpack -c "{code}"')[:2] == (0, "False False\n")


def test_what_another_file_loads_before_it_is_patched_and_usercustomize_counts(tmp_path, run):
    """By the base interpreter, for an environment has no user site."""
    user = tmp_path / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    user.mkdir(parents=True)
    (user / "first.pth").write_text("import scipy.optimize\n")
    (user / "usercustomize.py").write_text("import builtins; builtins.USER = True")
    line = f'{BASE} -m pyminpack -c "import pyminpack; print(pyminpack.scipy_is_patched(), USER)"'
    environment = {"PYTHONUSERBASE": str(tmp_path), "PYTHONPATH": sysconfig.get_path("platlib")}
    assert run(line, **environment)[:2] == (0, "True True\n")


SITECUSTOMIZES = {
    "none": None,
    "its own": "import sys; sys.OWN = __name__, __file__, sys.modules[__name__].__dict__ is globals()",
    "one that fails": "import nothing_of_this_name",
    "one that fails otherwise": "1 / 0",
}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("own", SITECUSTOMIZES)
def test_a_child_by_any_python_keeps_its_own_sitecustomize(own, python, tmp_path, run):
    if SITECUSTOMIZES[own]:
        (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZES[own])
    code = "import sys; print(getattr(sys, 'OWN', None), sys.path, 'sitecustomize' in sys.modules)"
    line = f'{python} -c "{code}"'
    plain = run(line, PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert run(line, PYTHONPATH=f"{CHILDREN}:{tmp_path}", PYTHONDONTWRITEBYTECODE="1") == plain
    assert plain[0] == 0


SCIPY = "__version__ = '1.10.1'\n"


def test_a_process_that_imports_an_unknown_scipy_runs_on_it_and_says_so(program, run):
    program(SCIPY, "scipy/__init__.py")
    program("leastsq = 'its own'", "scipy/optimize/__init__.py")
    program("import importlib, scipy.optimize; importlib.reload(scipy.optimize); print(scipy.optimize.leastsq)")
    status, out, err = run(f"{sys.executable} -m pyminpack program.py")
    assert (status, out) == (0, "its own\n")
    assert err.splitlines()[1:] == ["pyminpack: patch_scipy: SciPy 1.10.1 is not supported; expected 1.11 to 1.18; "
                                    "this process runs SciPy's own"]


@pytest.mark.parametrize("python", [python for python in PYTHONS if "/2." not in python])
def test_a_child_that_has_scipy_and_no_pyminpack_says_so(python, program, run):
    program(SCIPY, "scipy/__init__.py")
    program("", "scipy/optimize/__init__.py")
    status, out, err = run(f"{python} -c 'import scipy.optimize'", PYTHONPATH=str(CHILDREN))
    assert (status, out) == (0, "")
    assert err == "pyminpack: No module named 'pyminpack'; this process runs SciPy's own\n"


def test_an_unknown_scipy_is_an_error_of_one_line(program, run):
    program("Metadata-Version: 2.1\nName: scipy\nVersion: 1.10.1\n", "scipy-1.10.1.dist-info/METADATA")
    assert run(f"{sys.executable} -m pyminpack -c 1") == (
        1, "", "python -m pyminpack: patch_scipy: SciPy 1.10.1 is not supported; expected 1.11 to 1.18\n")


class Replaced(Exception):
    """By what the process would be replaced."""


@pytest.fixture
def start(monkeypatch):
    """Start the launcher by a command line, of which the program is the last words; the line it is replaced by."""

    def start(*words, program=("program.py",)):
        def execv(path, line):
            assert path == line[0] == sys.executable
            raise Replaced(*line[1:])

        monkeypatch.setattr(os, "execv", execv)
        monkeypatch.setattr(sys, "orig_argv", ["python", *words, *program])
        monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        with pytest.raises(Replaced) as replaced:
            __main__.main([*program])
        return replaced.value.args

    return start


@pytest.mark.parametrize(("words", "options"), [
    (["-m", "pyminpack"], []),
    (["-mpyminpack"], []),
    (["-Bum", "pyminpack"], ["-Bu"]),
    (["-Bumpyminpack"], ["-Bu"]),
    (["-W", "error", "-X", "dev", "-m", "pyminpack"], ["-W", "error", "-X", "dev"]),
    (["-bWerror", "-bX", "m", "-im", "pyminpack"], ["-bWerror", "-bX", "m", "-i"]),
    (["-W", "-m", "-m", "pyminpack"], ["-W", "-m"]),
    (["--check-hash-based-pycs", "never", "-m", "pyminpack"], ["--check-hash-based-pycs", "never"]),
    (["bin/pyminpack"], []),
    (["-P", "-X", "dev", "bin/pyminpack"], ["-P", "-X", "dev"]),
])  # fmt: skip
def test_the_options_are_what_python_has_before_the_launcher(words, options, start):
    for program in (["program.py", "-m", "pyminpack", "x"], ["-m", "pyminpack"], ["-c", "1"], ["-"], ["-mtool"]):
        assert list(start(*words, program=program)) == [*options, *program]


@pytest.mark.parametrize("words", [
    ["-m", "coverage", "run", "-m", "pyminpack"], ["tool.py", "-m", "pyminpack"], ["tool.py", "bin/pyminpack"],
    ["-m", "tool"], ["-c", "code"], ["-m", "pyminpack", "x"], ["-m"], [],
])  # fmt: skip
def test_within_a_tool_it_says_how_the_tool_runs_within_it(words, start, capsys):
    with pytest.raises(SystemExit) as stopped:
        start(*words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == ("python -m pyminpack: cannot run inside another tool, since it restarts Python;"
                                       " use python -m pyminpack -m TOOL ...\n")


@pytest.mark.parametrize(("before", "after"), [
    (None, CHILDREN), ("", CHILDREN), ("a:b", f"{CHILDREN}:a:b"), (":a", f"{CHILDREN}::a"),
    (f"{CHILDREN}", CHILDREN), (f"a:{CHILDREN}:b", f"{CHILDREN}:a:b"),
])  # fmt: skip
def test_its_folder_is_in_pythonpath_once_and_in_front(before, after, start, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    if before is None:
        monkeypatch.delenv("PYTHONPATH")
    else:
        monkeypatch.setenv("PYTHONPATH", before)
    start("-m", "pyminpack")
    assert os.environ["PYTHONPATH"] == str(after)


def test_without_scipy_it_says_so(start, monkeypatch, capsys):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(SystemExit) as stopped:
        start("-m", "pyminpack")
    assert stopped.value.code == 1
    assert capsys.readouterr().err == f"python -m pyminpack: SciPy is not installed for {sys.executable}\n"


@pytest.mark.parametrize(("options", "letter"), [("-E", "E"), ("-I", "I"), ("-sEm", "E"), ("-S", "S")])
def test_options_by_which_scipy_would_not_be_patched_are_refused(options, letter, run):
    line = f"{sys.executable} {options} {'' if options.endswith('m') else '-m'} pyminpack program.py"
    places = f"{sysconfig.get_path('platlib')}" if letter == "S" else ""
    status, out, err = run(line, PYTHONPATH=places)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"python -m pyminpack: Python's option -{letter} is not supported: SciPy is patched by ")


def test_nothing_is_lost_where_stderr_is_closed(program, run):
    program("import sys; print(sys.stderr)")
    assert run(f"{sys.executable} -m pyminpack program.py 2>&-") == (0, "None\n", "")
    assert run(f"{sys.executable} -m pyminpack program.py 2>/dev/full")[0] == 0


@pytest.mark.parametrize(("status", "passed"), [(0, 0), (3, 3), (0xC0000005, 0xC0000005 - 2**32)])
def test_where_a_process_is_not_replaced_the_status_of_a_child_passes(status, passed, monkeypatch):
    """On Windows, where nobody has run it."""
    monkeypatch.setattr(signal, "signal", lambda *args: None)
    monkeypatch.setattr(subprocess, "call", lambda line: status if line == ["python"] else None)
    assert __main__._in_child(["python"]) == passed
