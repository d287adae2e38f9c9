"""The environment variable and show_config: for which instruction set the solver runs."""

import os
import subprocess
import sys

import pytest

from pyminpack import _minpack, show_config

VARIABLE = "PYMINPACK_INSTRUCTION_SET"
RUNNABLE = _minpack.instruction_sets()
IN_USE = "import pyminpack; print(pyminpack._minpack.instruction_set_in_use())"


def python(code, value):
    """A process whose environment has the variable, unless it is None."""
    environment = {name: text for name, text in os.environ.items() if name != VARIABLE}
    if value is not None:
        environment[VARIABLE] = value
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_variable_chooses_the_instruction_set(name):
    assert python(IN_USE, name).stdout == name + "\n"


@pytest.mark.parametrize("value", [None, ""], ids=["not set", "empty"])
def test_the_best_is_chosen_without_the_variable(value):
    assert python(IN_USE, value).stdout == RUNNABLE[0] + "\n"


def test_another_name_is_an_import_error_that_tells_what_is_expected():
    process = python("import pyminpack", "avx1024")
    error = process.stderr.splitlines()[-1]
    assert process.returncode == 1
    assert error.startswith(f"ImportError: {VARIABLE} is 'avx1024'; expected one of {', '.join(map(repr, RUNNABLE))}")


def test_baseline_is_always_there_and_the_last():
    assert RUNNABLE[-1] == "baseline"


def test_show_config_tells_which_are_compiled_and_which_is_in_use(capsys):
    config = show_config()
    assert config["instruction_set"] == _minpack.instruction_set_in_use()
    assert set(RUNNABLE) <= set(config["instruction_sets"])
    assert f"instruction_set: {config['instruction_set']}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "error"), [("avx1024", ValueError), (3, TypeError), ("\0", ValueError)])
def test_the_extension_refuses_what_is_not_the_name_of_one(name, error):
    before = _minpack.instruction_set_in_use()
    with pytest.raises(error):
        _minpack.use_instruction_set(name)
    assert _minpack.instruction_set_in_use() == before


FIT_WITH_TRAPS = """
import ctypes, numpy as np, pyminpack
rng = np.random.default_rng(0)
matrix, y = rng.standard_normal((130, 30)), rng.standard_normal(130)
assert ctypes.CDLL(None).feenableexcept(FE_INVALID | FE_DIVBYZERO) != -1
for n in (1, 6, 8, 17, 30):
    print(pyminpack.leastsq(lambda x: matrix[:, :n] @ x + 0.1 * x[0] ** 2 - y, np.ones(n))[1])
"""


@pytest.mark.parametrize("name", RUNNABLE)
def test_no_lane_without_a_column_divides_by_zero(name):
    """Where a program lets the processor trap, a fit of finite numbers does not."""
    process = python("FE_INVALID, FE_DIVBYZERO = 1, 4\n" + FIT_WITH_TRAPS, name)
    assert (process.returncode, process.stderr) == (0, "")
