"""The fuzz tests' cases: one solve, or a batch of calls of one kernel routine. Their repr makes them again.

`check` is the test: it raises a Mismatch unless every output of our solver has the bits of libminpack.so.1's. Else it
counts what the case was. Call it under `np.errstate(all="ignore")`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fuzz.families import DATA, Problem, Random, matrices
from fuzz.side_by_side import Answer, Arrays, Dialogue, Difference, compare, original
from oracles.minpack_calls import LEASTSQ_TOL, UNTOUCHED, Array

MEMBERS = 64  # of a batch
AGAIN = """again, in tests/:
import numpy as np; from math import inf, nan
from fuzz.cases import Batch, Case; from helpers.c_face import c_face; from oracles.libminpack import libminpack"""

# The calls of `minpack_calls` that repeat one member of a batch.
CALLS = {
    "enorm": "enorm({x})",
    "qrfac": "qrfac({a}, pivot={pivot}, padding={padding})",
    "qrsolv": "qrsolv({r}, {ipvt}, {diag}, {qtb}, padding={padding})",
    "lmpar": "lmpar({r}, {ipvt}, {diag}, {qtb}, {delta}, {par}, padding={padding})",
    "fdjac2": "fdjac2(lambda x, answers=iter({answers}): next(answers), {x}, {fvec}, {epsfcn}, padding={padding})",
    "chkder": "chkder({x}, {fvec}, {fjac}, {fvecp}, {mode}, padding={padding})",
}
KERNELS = list(CALLS)
EXTREME = [np.inf, -np.inf, np.nan, 0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.0]
PRECISIONS = [0.0, -1.0, 2.22044604926e-16, 2.220446049252e-16, 2.0**-52, 1e-300]  # about MINPACK's precision


class Mismatch(AssertionError):
    """The two libraries differ."""


def blank(*shape: int, dtype: Any = np.float64) -> NDArray[Any]:
    """An array for output."""
    return np.full(shape, UNTOUCHED, dtype)


def constant(value: int) -> NDArray[np.int32]:
    """An integer for each member."""
    return np.full(MEMBERS, value, np.int32)


class Described:
    """The repr of a dataclass, without what has its default."""

    __dataclass_fields__: ClassVar[dict[str, Any]]  # every heir is one

    def __repr__(self) -> str:
        values = {f.name: (repr(getattr(self, f.name)), repr(f.default)) for f in fields(self)}
        stated = [f"{name}={value}" for name, (value, default) in values.items() if value != default]
        return f"{type(self).__name__}({', '.join(stated)})"


@dataclass(frozen=True, repr=False)
class Case(Described):
    """A call of lmdif or lmder for a problem of `families`."""

    driver: str = "lmdif"
    family: str = "linear"
    data: str = "integers"
    structure: str = "dense"
    start: str = "ones"
    n: int = 1
    more: int = 0  # m - n
    seed: int = 0
    noise: float = 0.0
    x_scale: float = 1.0
    f_scale: float = 1.0
    slope: float = 1.0  # the user's Jacobian is the derivative times this
    poison: tuple[tuple[int, int, float], ...] = ()  # (call from 0, or -1: all; entry of the answer; its value)
    stop: tuple[int, int] = (0, 0)  # (call from 0; its iflag, 0: none)
    ftol: float = LEASTSQ_TOL
    xtol: float = LEASTSQ_TOL
    gtol: float = 0.0
    maxfev: int = 30
    epsfcn: float = 0.0
    factor: float = 100.0
    mode: int = 1
    diag: tuple[float, ...] = (1.0,)  # repeated to length n
    padding: int = 0  # ldfjac - m

    def check(self) -> Counter[tuple[str, Any]]:
        try:
            outputs, finite = self.compare()
        except Difference as error:
            raise Mismatch(f"{self.driver}: {error}\n{AGAIN}\n{self!r}.check()") from None
        kind = "finite" if finite else "NaN or inf"
        labels = {"driver": self.driver, "family": self.family, "info": int(outputs["info"][0, 0]), "values": kind}
        return Counter(labels.items())

    def compare(self) -> tuple[Arrays, bool]:
        """The outputs, the same from both; and whether all numbers seen are finite."""
        problem = Problem(self.family, self.data, self.structure, self.start, self.n + self.more, self.n, self.seed,
                          self.noise, self.x_scale, self.f_scale)  # fmt: skip

        def answer(number: int, x: bytes, jacobian: bool) -> Answer:
            if number == self.stop[0] and self.stop[1] != 0:
                return self.stop[1]
            point = np.frombuffer(x)
            values = problem.jacobian(point).T * self.slope if jacobian else problem.residuals(point)
            for call, entry, value in self.poison:
                if call in (number, -1):
                    values.flat[entry % values.size] = value
            return values.tobytes()

        dialogue = Dialogue(answer)
        outputs = compare(self.driver, self.arguments(problem.start), dialogue)
        numbers = np.frombuffer(b"".join(text for _, text in dialogue.calls if isinstance(text, bytes)))
        return outputs, bool(np.isfinite(numbers).all() and np.isfinite(outputs["x"]).all())

    def arguments(self, x: Array) -> Arrays:
        m, n = self.n + self.more, self.n
        integers = {"m": m, "n": n, "ldfjac": m + self.padding, "maxfev": self.maxfev, "mode": self.mode, "nprint": 0}
        floats = {name: getattr(self, name) for name in ("ftol", "xtol", "gtol", "epsfcn", "factor")}
        scalars = {name: np.array([value], np.int32) for name, value in integers.items()}
        scalars |= {name: np.array([value]) for name, value in floats.items()}
        scalars |= {name: blank(1, 1, dtype=np.int32) for name in ("info", "nfev", "njev")}
        return scalars | {
            "x": x[np.newaxis],
            "fvec": blank(1, m),
            "fjac": blank(1, n, m + max(self.padding, 0)),
            "diag": np.resize(np.array(self.diag), (1, n)),
            "ipvt": blank(1, n, dtype=np.int32),
            "qtf": blank(1, n),
        }


@dataclass(frozen=True, repr=False)
class Batch(Described):
    """MEMBERS calls of a kernel routine, alike in all that is said here but for the recipe, which goes round."""

    routine: str = "enorm"
    n: int = 1
    more: int = 0  # m - n
    seed: int = 0
    recipes: tuple[tuple[str, str, float], ...] = (("integers", "dense", 1.0),)  # (data, structure, scale)
    specials: tuple[float, ...] = ()  # each somewhere in each member
    extreme: bool = False  # delta, par and epsfcn of any magnitude and sign
    factored: bool = False  # R and the permutation are qrfac's
    pivot: bool = True
    padding: int = 0

    def check(self) -> Counter[tuple[str, Any]]:
        """Also counts the members whose outputs are not all finite."""
        arguments, answers = getattr(self, self.routine)(np.random.default_rng(self.seed))
        calls = [answer for member in answers for answer in member]
        dialogue = Dialogue(lambda number, x, jacobian: calls[number]) if answers else None
        try:
            outputs = compare(self.routine, arguments, dialogue)
        except Difference as error:
            call = self.call(arguments, answers, error.member)
            raise Mismatch(
                f"{self.routine}: {error}\n{AGAIN}\n{self!r}.check(), in member {error.member}:\n"
                f"for minpack in (libminpack, c_face): print(minpack.{call})"
            ) from None
        finite = np.all([np.isfinite(a).reshape(MEMBERS, -1).all(axis=1) for a in outputs.values()], axis=0).sum()
        values = {("values", "finite"): int(finite), ("values", "NaN or inf"): MEMBERS - int(finite)}
        return Counter({("routine", self.routine): MEMBERS} | values)

    def call(self, arguments: Arrays, answers: list[list[Answer]], member: int) -> str:
        """One member as a call of `minpack_calls`."""
        values: dict[str, Any] = {name: value[member].T.tolist() for name, value in arguments.items()}
        values |= {"pivot": self.pivot, "padding": self.padding, "n": self.n, "m": self.n + self.more}
        for name, rows in (("a", "m"), ("r", "n"), ("fjac", "m")):
            if name in values:
                values[name] = values[name][: values[rows]]
        if answers:
            values["answers"] = [a if isinstance(a, int) else np.frombuffer(a).tolist() for a in answers[member]]
        if "par" in values:
            values["par"] = values["par"][0]
        return CALLS[self.routine].format(**values)

    def numbers(self, rng: Random, *shape: int) -> Array:
        return self.mixed([DATA[data](rng, (MEMBERS, *shape)) * scale for data, _, scale in self.recipes])

    def matrices(self, rng: Random, m: int, n: int) -> Array:
        shape = (MEMBERS, n, m)
        return self.mixed([matrices(rng, data, how, shape) * scale for data, how, scale in self.recipes])

    def mixed(self, stacks: list[Array]) -> Array:
        """Members from each recipe's stack in turn."""
        for i, stack in enumerate(stacks[1:], 1):
            stacks[0][i :: len(stacks)] = stack[i :: len(stacks)]
        return stacks[0]

    def scales(self) -> Array:
        return np.resize([scale for _, _, scale in self.recipes], MEMBERS)

    def sprinkle(self, rng: Random, *arrays: Array) -> None:
        """Put the special values into arrays, each into one of them."""
        for value in self.specials:
            array = arrays[rng.integers(len(arrays))].reshape(MEMBERS, -1)
            if array.size:
                array[np.arange(MEMBERS), rng.integers(array.shape[1], size=MEMBERS)] = value

    def padded(self, a: Array) -> Array:
        """With a leading dimension larger by `padding`."""
        return np.concatenate([a, blank(*a.shape[:2], self.padding)], axis=2) if self.padding else a

    def moderate(self, rng: Random, low: int, high: int, *others: float) -> Array:
        """A positive number for each member, or one of the others; if `extreme`, any."""
        if self.extreme:
            return np.where(rng.random(MEMBERS) < 0.5, rng.choice(EXTREME, MEMBERS), DATA["extreme"](rng, (MEMBERS,)))
        numbers = 10.0 ** rng.uniform(low, high, MEMBERS)
        return np.where(rng.random(MEMBERS) < 0.3, rng.choice(others, MEMBERS), numbers) if others else numbers

    # The arguments of the routines, and the answers of the user's function for each member.

    def enorm(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        x = self.numbers(rng, self.n + self.more)
        self.sprinkle(rng, x)
        return {"n": constant(x.shape[1]), "x": x}, []

    def qrfac(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        m, n = self.n + self.more, self.n
        a = self.matrices(rng, m, n)
        self.sprinkle(rng, a)
        return {"m": constant(m), "n": constant(n), "a": self.padded(a), "lda": constant(m + self.padding),
                "pivot": constant(self.pivot), "ipvt": blank(MEMBERS, n, dtype=np.int32), "lipvt": constant(n),
                "rdiag": blank(MEMBERS, n), "acnorm": blank(MEMBERS, n)}, []  # fmt: skip

    def triangle(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        """What qrsolv and lmpar have in common. The original's qrfac gives R its usual shape."""
        n = self.n
        if self.factored:
            factors = original.run("qrfac", self.qrfac(rng)[0])
            r, ipvt = factors["a"][:, :, :n].copy(), factors["ipvt"]
            r[:, range(n), range(n)] = factors["rdiag"]
        else:
            r = self.matrices(rng, n, n)
            ipvt = rng.permuted(np.tile(np.arange(1, n + 1, dtype=np.int32), (MEMBERS, 1)), axis=1)
        diag, qtb = self.numbers(rng, n), self.numbers(rng, n)
        if not self.extreme:
            diag = np.abs(diag) / self.scales()[:, np.newaxis]
            if self.routine == "lmpar":
                diag[diag == 0] = 1
        self.sprinkle(rng, r, diag, qtb)
        return {"n": constant(n), "r": self.padded(r), "ldr": constant(n + self.padding), "ipvt": ipvt, "diag": diag,
                "qtb": qtb, "x": blank(MEMBERS, n), "sdiag": blank(MEMBERS, n)}, []  # fmt: skip

    def qrsolv(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        return self.triangle(rng)

    def lmpar(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        arguments, answers = self.triangle(rng)
        par = (self.moderate(rng, -6, 6, 0.0) * self.scales())[:, np.newaxis]
        return arguments | {"delta": self.moderate(rng, -4, 3), "par": par}, answers

    def fdjac2(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        m, n = self.n + self.more, self.n
        x, fvec, values = self.numbers(rng, n), self.numbers(rng, m), self.numbers(rng, n, m)
        self.sprinkle(rng, x, fvec, values)
        answers: list[list[Answer]] = [[row.tobytes() for row in member] for member in values]
        for member in np.flatnonzero(rng.random(MEMBERS) < 0.1):
            call = int(rng.integers(n))
            answers[member][call:] = [-1 - call]
        return {"m": constant(m), "n": constant(n), "x": x, "fvec": fvec, "fjac": blank(MEMBERS, n, m + self.padding),
                "ldfjac": constant(m + self.padding), "iflag": np.zeros((MEMBERS, 1), np.int32),
                "epsfcn": self.moderate(rng, -20, -1, *PRECISIONS)}, answers  # fmt: skip

    def chkder(self, rng: Random) -> tuple[Arrays, list[list[Answer]]]:
        """In mode 2 the change of the functions is the Jacobian's, but for an error of any relative size."""
        m, n = self.n + self.more, self.n
        x, fvec, fjac = self.numbers(rng, n), self.numbers(rng, m), self.matrices(rng, m, n)
        step = np.sqrt(2.0**-52) * np.where(x == 0, 1, np.abs(x))
        errors = rng.choice([0.0, 1.0], (MEMBERS, m)) * 10.0 ** rng.uniform(-12, 1, (MEMBERS, m))
        fvecp = fvec + np.einsum("kj,kji->ki", step, fjac) * (1 + errors)
        self.sprinkle(rng, x, fvec, fjac, fvecp)
        return {"m": constant(m), "n": constant(n), "x": x, "fvec": fvec, "fjac": self.padded(fjac),
                "ldfjac": constant(m + self.padding), "xp": blank(MEMBERS, n), "fvecp": fvecp, "err": blank(MEMBERS, m),
                "mode": rng.choice(np.array([1, 2, 2, 0], np.int32), MEMBERS)}, []  # fmt: skip
