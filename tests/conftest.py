"""Failed asserts in shared helpers are explained as those in tests are; and a fixture for several modules."""

import pytest

from helpers.instruction_sets import INSTRUCTION_SETS, running_on

pytest.register_assert_rewrite("helpers.contract", "helpers.warned")


@pytest.fixture(scope="module", params=INSTRUCTION_SETS)
def every_instruction_set(request):
    """The solver runs for each instruction set of this machine, in the extension and in the tests' library."""
    with running_on(request.param):
        yield request.param
