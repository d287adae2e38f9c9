"""Failed asserts in shared helpers are explained as those in tests are; and a fixture for several modules."""

import pytest

from helpers.c_face import c_face
from pyminpack import _minpack

pytest.register_assert_rewrite("helpers.contract")


@pytest.fixture(scope="module", params=_minpack.instruction_sets())
def every_instruction_set(request):
    """The inner loops run for each instruction set of this machine, in the extension and in the tests' library."""
    before = _minpack.instruction_set_in_use()
    for use in (_minpack.use_instruction_set, c_face.use_instruction_set):
        use(request.param)
    yield request.param
    for use in (_minpack.use_instruction_set, c_face.use_instruction_set):
        use(before)
