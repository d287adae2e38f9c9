"""examples/gallery: each draws, and fits to Bates and Watts' data are those that they published."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

pytestmark = [pytest.mark.last_bits, pytest.mark.needs("matplotlib")]

EXAMPLES = Path(__file__).parents[2] / "examples"
GALLERY = sorted(path.stem for path in (EXAMPLES / "gallery").glob("plot_*.py"))
PUBLISHED = {entry["name"]: entry for entry in json.loads((EXAMPLES / "bates_watts.json").read_text())}


@pytest.fixture
def run(monkeypatch):
    """Run an example as a program; the names that it defines."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("agg")

    def run(name):
        path = str(EXAMPLES / "gallery" / f"{name}.py")
        monkeypatch.setattr(sys, "argv", [path])
        return runpy.run_path(path, run_name="__main__")

    monkeypatch.setattr(pyplot, "show", lambda: None)
    pyplot.close("all")  # what other tests' pages have left
    yield run
    pyplot.close("all")


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.usefixtures("builtin_solver")
def test_an_example_draws_a_picture(name, run):
    from matplotlib import pyplot

    run(name)
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize(("entry", "example", "found"), [
    ("Puromycin, treated", "plot_puromycin", {"estimates": lambda names: names["fits"]["own K"][0][:2]}),
    ("Puromycin, untreated", "plot_puromycin", {"estimates": lambda names: names["fits"]["own K"][0][2:]}),
    ("Biochemical oxygen demand", "plot_oxygen_demand",
     {"estimates": lambda names: names["p"], "standard_errors": lambda names: names["result"].standard_errors}),
    ("Isomerization", "plot_isomerization", {"estimates": lambda names: names["p"]}),
])  # fmt: skip
def test_estimates_are_those_of_Bates_and_Watts(entry, example, found, run):
    """To the digits that are published."""
    names = run(example)
    for what, value in found.items():
        assert_allclose(value(names), PUBLISHED[entry][what], rtol=1e-3)
