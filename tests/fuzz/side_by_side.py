"""libminpack.so.1 and our solver on the same inputs, fast: the engine of the fuzz tests.

Where `minpack_calls` makes one readable call, `Library.run` makes many, from arrays with one more dimension in front:
the members of a batch. The user's functions are evaluated for the original only; what they answered is played back to
our solver for as long as it asks the same questions, to the bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from ctypes import CFUNCTYPE, c_double, c_int, c_void_p, memmove, string_at
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.bits import assert_same_bits, differences
from helpers.c_face import JACOBIAN, RESIDUALS, c_face
from helpers.swallowed import swallowed_raised
from oracles.libminpack import libminpack
from oracles.minpack_calls import Minpack

Arrays = dict[str, NDArray[Any]]
Answer = bytes | int  # doubles, a matrix by columns; an int is an iflag

OUTPUTS = {
    "enorm": ["norm"],
    "qrfac": ["ipvt", "rdiag", "acnorm", "a"],
    "qrsolv": ["x", "sdiag", "r"],
    "lmpar": ["par", "x", "sdiag", "r"],
    "fdjac2": ["iflag", "x", "fjac"],
    "chkder": ["xp", "err"],
    "lmdif": ["info", "nfev", "x", "fvec", "diag", "ipvt", "qtf", "fjac"],
    "lmder": ["info", "nfev", "njev", "x", "fvec", "diag", "ipvt", "qtf", "fjac"],
}
WORK = {"wa", "wa1", "wa2", "wa3", "wa4"}

RESIDUALS_BY_REFERENCE = CFUNCTYPE(None, *[c_void_p] * 5)
EITHER_BY_REFERENCE = CFUNCTYPE(None, *[c_void_p] * 7)


class Difference(AssertionError):
    """The two libraries differ in a member of a batch."""

    def __init__(self, message: str, member: int) -> None:
        super().__init__(message)
        self.member = member


class Dialogue:
    """The questions to the user's functions, and their answers."""

    def __init__(self, answer: Callable[[int, bytes, bool], Answer]) -> None:
        self.answer = answer  # to question number 0, 1, ...: x, and whether its Jacobian is wanted
        self.calls: list[tuple[bytes, Answer]] = []
        self.ask = self.record
        self.number = 0
        self.error: BaseException | None = None

    def record(self, x: bytes, jacobian: bool) -> Answer:
        """The answer to a new question; a stop if that fails."""
        number = self.number
        self.number += 1
        try:
            answer = self.answer(number, x, jacobian)
        except BaseException as error:
            self.error, answer = self.error or error, -1
        self.calls.append((x, answer))
        return answer

    def replay(self, x: bytes, jacobian: bool) -> Answer:
        """The recorded answer; a stop if the question is not the recorded one."""
        number = self.number
        self.number += 1
        try:
            assert number < len(self.calls), f"more than the {len(self.calls)} calls of the original"
            asked, answer = self.calls[number]
            if x != asked:
                assert_same_bits(np.frombuffer(x), np.frombuffer(asked), f"call {number}: x")
            return answer
        except BaseException as error:
            self.error = self.error or error
            return -1

    def rewind(self) -> None:
        """From record to replay."""
        if self.error is not None:
            raise self.error
        self.ask, self.number = self.replay, 0


def store(answer: Answer, address: int, size: int, stride: int, columns: int = 1) -> int:
    """Write an answer by columns of `size` bytes, `stride` bytes apart. Returns the iflag."""
    if isinstance(answer, int):
        return answer
    assert len(answer) == size * columns, "this answers another question"
    if size == stride:
        memmove(address, answer, len(answer))
    else:
        for j in range(columns):
            memmove(address + j * stride, answer[j * size : (j + 1) * size], size)
    return 0


class Library(ABC):
    """MINPACK's routines in one shared library."""

    def __init__(self, minpack: Minpack, name: str) -> None:
        self.minpack, self.name = minpack, name

    @abstractmethod
    def number(self, values: NDArray[Any]) -> tuple[Any, Any]:
        """The type and the values of an argument that is one number."""

    @abstractmethod
    def functions(self, dialogue: Dialogue, size: int, length: int, jacobian: bool) -> list[Any]:
        """The user's functions as arguments; fvec and x have `size` and `length` bytes."""

    def run(self, routine: str, arguments: Arrays, dialogue: Dialogue | None = None) -> Arrays:
        """Call a routine for each member. Returns its outputs, and leaves the arguments as they are.

        arguments: by MINPACK's names. One dimension: a number for each member, for input. More: an array for each.
        """
        outputs = {name: arguments[name].copy() for name in OUTPUTS[routine] if name in arguments}
        arguments = arguments | outputs
        types, columns = [], []
        for name in self.minpack.sequences[routine]:
            if name == "fcn":
                size, length = (8 * int(arguments[name][0]) for name in "mn")
                assert dialogue is not None, f"{routine} calls functions, and none are given"
                functions = self.functions(dialogue, size, length, routine == "lmder")
                types += [type(function) for function in functions]
                columns += [repeat(function) for function in functions]
                continue
            if name == "typical_x":  # ours alone, and NULL for MINPACK's steps
                types.append(c_void_p)
                columns.append(repeat(None))
                continue
            if name in WORK:
                sizes = [arguments[size] for size in "mn" if size in arguments]
                arguments[name] = np.full((len(sizes[0]), max(int(size[0]) for size in sizes)), np.nan)
            if name == "work":
                n = arguments["n"]
                lwork = self.minpack.lwork(int(arguments.get("m", n)[0]), int(n[0]))
                arguments |= {name: np.full((len(n), lwork), np.nan), "lwork": np.full(len(n), lwork, np.int32)}
            value = arguments[name]
            kind, column = addresses(value) if value.ndim > 1 else self.number(value)
            types.append(kind)
            columns.append(column)
        function = self.minpack.library[self.name.format(routine)]
        function.argtypes, function.restype = types, c_double if routine == "enorm" else None
        with swallowed_raised() if dialogue else nullcontext():
            results = [function(*member) for member in zip(*columns, strict=False)]
        return {"norm": np.array(results)} if routine == "enorm" else outputs


def addresses(values: NDArray[Any]) -> tuple[Any, Any]:
    """The type and the values of an argument that is an array."""
    start = values.ctypes.data
    return c_void_p, range(start, start + values.nbytes, values.strides[0]) if values.nbytes else repeat(start)


class Original(Library):
    """Debian's: all by reference, one function for both residuals and Jacobian."""

    def number(self, values: NDArray[Any]) -> tuple[Any, Any]:
        return addresses(values)

    def functions(self, dialogue: Dialogue, size: int, length: int, jacobian: bool) -> list[Any]:
        ask, integer = dialogue.ask, c_int.from_address

        def residuals(m: int, n: int, x: int, fvec: int, iflag: int) -> None:
            integer(iflag).value = store(ask(string_at(x, length), False), fvec, size, size)

        def either(m: int, n: int, x: int, fvec: int, fjac: int, ldfjac: int, iflag: int) -> None:
            if integer(iflag).value == 1:
                residuals(m, n, x, fvec, iflag)
            else:
                integer(iflag).value = store(ask(string_at(x, length), True), fjac, size, 8 * integer(ldfjac).value,
                                              length // 8)

        return [EITHER_BY_REFERENCE(either) if jacobian else RESIDUALS_BY_REFERENCE(residuals)]


class Ours(Library):
    """Our own: numbers for input by value, a function each, with a context."""

    def number(self, values: NDArray[Any]) -> tuple[Any, Any]:
        return (c_int if values.dtype == np.int32 else c_double), values.tolist()

    def functions(self, dialogue: Dialogue, size: int, length: int, jacobian: bool) -> list[Any]:
        ask = dialogue.ask

        def residuals(context: None, m: int, n: int, x: int, fvec: int, purpose: int) -> int:
            return store(ask(string_at(x, length), False), fvec, size, size)

        def derivatives(context: None, m: int, n: int, x: int, fjac: int, ldfjac: int) -> int:
            return store(ask(string_at(x, length), True), fjac, size, 8 * ldfjac, length // 8)

        return [RESIDUALS(residuals), *([JACOBIAN(derivatives)] if jacobian else []), c_void_p(None)]


original = Original(libminpack, "{}_")
ours = Ours(c_face, "minpack_{}")


def compare(routine: str, arguments: Arrays, dialogue: Dialogue | None = None) -> Arrays:
    """The outputs of both libraries. Raises a Difference if they differ, or the questions to the user's functions."""
    expected = original.run(routine, arguments, dialogue)
    if dialogue is not None:
        dialogue.rewind()
    actual = ours.run(routine, arguments, dialogue)
    if dialogue is not None and dialogue.error is not None and not isinstance(dialogue.error, AssertionError):
        raise dialogue.error
    for name, output in expected.items():
        if output.tobytes() == actual[name].tobytes():
            continue
        different = differences(actual[name], output).reshape(len(output), -1).any(axis=1)
        if different.any():
            member = int(different.argmax())
            try:
                if dialogue is not None and dialogue.error is not None:
                    raise dialogue.error
                assert_same_bits(actual[name][member].T, output[member].T, name)
            except AssertionError as error:
                raise Difference(str(error), member) from None
    if dialogue is not None and (dialogue.error is not None or dialogue.number != len(dialogue.calls)):
        raise Difference(f"{dialogue.number} calls, not {len(dialogue.calls)}; {dialogue.error}", 0)
    return actual
