"""What a user's function returned, as an array of real numbers: for `kernels` and `check_jacobian`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_array(values: Any, origin: str) -> NDArray[Any]:
    """Values of a user's as an array; `origin` says in an error whence they came. What their code raises passes."""
    try:
        return np.asarray(values)
    except ValueError as error:
        if type(error) is not ValueError or not str(error).startswith("setting an array element with a sequence"):
            raise
        raise ValueError(f"{origin} a {type(values).__name__} that makes no array: {error}") from error


def real_array(values: Any, role: str) -> NDArray[Any]:
    """What a user's function returned as an array that casts safely to float64; `role` names the function in errors."""
    array = as_array(values, f"{role} returned")
    if not np.can_cast(array.dtype, np.float64):
        raise TypeError(
            f"{role} returned an array of dtype {array.dtype}; expected real numbers that cast safely to float64"
        )
    return array


def real_vector(values: Any, role: str) -> NDArray[np.float64]:
    """As real_array, of one dimension at most: a float64 vector of its own."""
    array = real_array(values, role)
    if array.ndim > 1:
        raise TypeError(f"{role} returned an array of shape {array.shape}; expected one dimension (use .ravel())")
    return np.array(array, np.float64, ndmin=1)
