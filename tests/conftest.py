"""Failed asserts in shared helpers are explained as those in tests are."""

import pytest

pytest.register_assert_rewrite("contract")
