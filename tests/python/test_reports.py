"""What becomes of a fit's warning is what the filters make of any; no text is made that they ignore."""

import warnings
from unittest import mock

import numpy as np
import pytest

from pyminpack import LevenbergMarquardt, _reports, leastsq

pytestmark = pytest.mark.usefixtures("builtin_solver")  # ask and tell

CONSTANT = np.ones(5)


def fit():
    """A fit that there is one thing to say of."""
    return leastsq(lambda x: CONSTANT, [2.0, 3.0])


def told():
    fit = LevenbergMarquardt([2.0, 3.0])
    while not fit.done:
        fit.tell(np.ones((len(fit.ask()), 5)))
    return fit.result()


class Mine(RuntimeWarning):
    """Of somebody else."""


# The arguments of filterwarnings, the last one first in line.
FILTERS = {
    "ignore": [("ignore",)],
    "ignore its category": [("ignore", "", RuntimeWarning)],
    "ignore a broader one": [("error", "", Mine), ("ignore", "", Warning)],
    "ignore behind others for their texts": [("ignore",), ("ignore", "numpy.dtype size changed")],
    "error by text": [("ignore",), ("error", "leastsq")],
    "always by text": [("ignore",), ("always", "leastsq: in the last", RuntimeWarning)],
    "ignore by text": [("always",), ("ignore", "leastsq")],
    "ignore another text": [("always",), ("ignore", "curve_fit")],
    "ignore in this module": [("always",), ("ignore", "", Warning, "test_reports")],
    "ignore in another module": [("always",), ("ignore", "", Warning, "elsewhere")],
    "always in this module": [("ignore",), ("always", "", Warning, "test_reports")],
    "ignore at another line": [("always",), ("ignore", "", Warning, "", 1)],
    "ignore a subclass": [("always",), ("ignore", "", Mine)],
    "ignore behind always": [("ignore",), ("always", "", RuntimeWarning)],
    "error": [("error",)],
    "once": [("once",)],
    "default": [("default",)],
    "module": [("module",)],
    "none": [],
}
IGNORED = ["ignore", "ignore its category", "ignore a broader one", "ignore behind others for their texts"]


def seen(filters, warn):
    """The texts that come through of two warnings of one line, or what is raised."""
    with mock.patch.object(warnings, "onceregistry", {}), warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        for arguments in filters:
            warnings.filterwarnings(*arguments)
        try:
            warn()
            warn()
        except RuntimeWarning as error:
            return f"raised: {error}"
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_filters_do_with_it_what_they_do_with_any(filters):
    said = seen([("always",)], fit)[0]
    assert said.startswith("leastsq: in the last Jacobian")
    assert seen(filters, fit) == seen(filters, lambda: warnings.warn(said, RuntimeWarning, stacklevel=1))


@pytest.mark.parametrize("warn", [fit, told], ids=["leastsq", "told"])
@pytest.mark.parametrize("name", IGNORED)
def test_what_is_ignored_has_no_text(name, warn):
    with mock.patch.object(_reports, "_text", side_effect=AssertionError("a text")):
        assert seen(FILTERS[name], warn) == []


def test_the_same_report_has_one_text():
    seen([("always",)], fit)
    with mock.patch.object(_reports, "_text", side_effect=AssertionError("a text")):
        assert len(seen([("always",)], fit)) == 2
    assert seen([("always",)], told)[0].startswith("LevenbergMarquardt: ")


def test_what_replaces_warn_is_called_whatever_the_filters():
    with warnings.catch_warnings(), mock.patch("warnings.warn") as replaced:
        warnings.simplefilter("ignore")
        fit()
    replaced.assert_called_once()
