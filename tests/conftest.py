"""Failed asserts in shared helpers are explained as those in tests are; and a fixture for several modules."""

import pytest

import kernels
from pyminpack import _minpack

pytest.register_assert_rewrite("contract")


@pytest.fixture(scope="module", params=_minpack.instruction_sets())
def every_instruction_set(request):
    """The inner loops run for each instruction set of this machine, in the extension and in the tests' library."""
    before = _minpack.instruction_set_in_use()
    for use in (_minpack.use_instruction_set, kernels.use_instruction_set):
        use(request.param)
    yield request.param
    for use in (_minpack.use_instruction_set, kernels.use_instruction_set):
        use(before)
