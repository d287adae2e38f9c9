"""The clients whose own tests run.py runs, and the failures that are expected of them."""

from typing import NamedTuple


class Client(NamedTuple):
    """A package that calls leastsq."""

    name: str  # on PyPI
    version: str
    needs: tuple[str, ...]  # what its tests import beyond its dependencies
    arguments: tuple[str, ...]  # pytest's
    sdist: bool = False  # are its tests in the sdist only?
    timed: tuple[str, ...] = ()  # tests that assert seconds and call no leastsq: a busy machine may fail them in a run
    doubted: int = 0  # fits whose success ours doubts by a warning; each was looked at
    swap: str = "leastsq"  # which function of scipy.optimize becomes ours, by the plugin swap_<function>.py

    @property
    def title(self) -> str:
        return self.name if self.swap == "leastsq" else f"{self.name}-{self.swap}"


class Expected(NamedTuple):
    """A test that passes with SciPy's leastsq and fails with ours."""

    client: str  # its title
    test: str
    failure: str  # what its report must contain
    reason: str


# SciPy 1.14.1 is the oracle: the last with the original Fortran inside. The others are the newest that go with it.
COMMON = ("numpy==2.2.6", "pytest==9.2.0", "scipy==1.14.1")

CLIENTS = (
    Client(
        "scipy",
        "1.14.1",
        ("hypothesis==6.170.15",),
        (
            "--pyargs",
            "scipy.optimize.tests.test_minpack",
            "scipy.optimize.tests.test_least_squares",
        ),
        doubted=2,  # test_pcov, test_indeterminate_covariance: a parameter that the model does not use
    ),
    Client(
        "scipy",
        "1.14.1",
        ("hypothesis==6.170.15",),
        ("--pyargs", "scipy.optimize.tests.test_minpack::TestCurveFit"),
        doubted=2,  # the same
        swap="curve_fit",
    ),
    Client(
        "lmfit",
        "1.3.4",
        ("emcee==3.1.6", "matplotlib==3.11.2", "numdifftools==0.11.2", "pandas==3.1.1"),
        ("tests",),
        sdist=True,
        timed=("tests.test_manypeaks_speed::test_manypeaks_speed",),
        # test_aic, test_bic (20): a parameter that the model does not use; test_BoxBOD: NIST's far start, where MINPACK
        # fails.
        doubted=21,
    ),
    Client(
        "astropy",
        "8.0.2",
        ("dask==2026.8.0",),
        (
            "-Werror",  # as astropy's own configuration, which its wheel lacks
            "--pyargs",
            "astropy.modeling.tests.test_fitters",
            "astropy.modeling.tests.test_constraints",
            "astropy.modeling.tests.test_quantities_fitting",
            "astropy.modeling.tests.test_fitting_parallel",
        ),
        doubted=3,  # the rows of EXPECTED
    ),
    Client(
        "xarray",
        "2026.9.0",
        ("dask==2026.8.0",),
        ("-kcurvefit", "--pyargs", "xarray.tests.test_dataarray"),
    ),
)

# The long run: the parts of these packages that fit by SciPy.
MORE = (
    Client("satlas2", "0.4.0", (), ("tests",), sdist=True),
    Client("phonopy", "4.10.0", (), ("-opythonpath=test/qha", "test/qha"), sdist=True),
    Client(
        "PyAbel",
        "0.9.1",
        (),
        ("--pyargs", "abel.tests.test_math", "abel.tests.test_tools_center", "abel.tests.test_tools_circularize",
         "abel.tests.test_tools_vmi"),
    ),
    Client("photutils", "3.0.0", (), ("--pyargs", "photutils.psf", "photutils.isophote.tests.test_harmonics")),
    Client("dipy", "1.12.1", (), ("--pyargs", "dipy.reconst.tests.test_dti", "dipy.reconst.tests.test_fwdti",
                                  "dipy.reconst.tests.test_ivim", "dipy.reconst.tests.test_forecast")),
    Client("hyperspy", "2.5.0", ("pytest-mpl==0.19.0",), ("--pyargs", "hyperspy.tests.model")),
)  # fmt: skip

EXPECTED = (
    Expected(
        "lmfit",
        "tests.test_parameters::test_parameters_usersyms",
        "assert (3 > 3)",
        "lmfit takes SciPy's two extra evaluations of the start off the calls that it counts; ours makes none. MINPACK "
        "needs 5 calls here: of SciPy's 7 lmfit reports 5, of our 5 it reports 3, and the test asserts more than 3.",
    ),
    *(
        Expected(
            "astropy",
            f"astropy.modeling.tests.test_constraints.TestNonLinearConstraints::test_tied_par[{fitter}]",
            "RuntimeWarning: leastsq: x never moved, but x0 is not a minimum by the Jacobian",
            "The warning is right, and -Werror makes it an error: astropy's Dfun leaves out that the mean is tied to "
            "the width. Its column for the width has the norm 67, that of differences 2718; the fit returns its start.",
        )
        for fitter in ("LevMarLSQFitter0", "LevMarLSQFitter1")
    ),
    Expected(
        "astropy",
        "astropy.modeling.tests.test_quantities_fitting::test_compound_without_units[LevMarLSQFitter-model0]",
        "RuntimeWarning: leastsq: in the last Jacobian all derivatives with respect to x[2], x[3], x[4], x[5], x[6],"
        " x[7] are exactly",
        "The warning is right, and -Werror makes it an error: both Gaussians have left the data, from -5 to 5, for "
        "-497 and 497. The test looks at units only.",
    ),
)
