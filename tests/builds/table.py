"""The builds: what a builder may ask for, and what must come of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

# Each lets the compiler change results, or once made it. A flag without effect on x86-64 may have one elsewhere.
FORTRAN = [
    "-ffast-math",
    "-Ofast",
    "-funsafe-math-optimizations",
    "-ffinite-math-only",
    "-fno-signed-zeros",
    "-fassociative-math -fno-signed-zeros -fno-trapping-math",
    "-freciprocal-math",
    "-ffp-contract=fast -march=native",
    "-mfpmath=387",
    "-mfpmath=both -ffast-math",
    "-mno-ieee-fp",
    "-mno-sse2",
    "-mrecip=all -ffast-math",
    "-fno-protect-parens -ffast-math",
    "-fno-sign-zero",
    "-fno-automatic",
    "-fmax-stack-var-size=1",
    "-fdefault-real-8 -fdefault-double-8",
    "-freal-4-real-8",
    "-frounding-math -fsignaling-nans -fno-math-errno -fcx-limited-range -fno-fp-int-builtin-inexact -ffloat-store",
]
# With these the Fortran's sizes are no longer those of C, and no later flag takes them back.
REFUSED_FORTRAN = ["-freal-8-real-4", "-freal-8-real-10", "-freal-8-real-16", "-finteger-4-integer-8",
                   "-fdefault-integer-8", "-fdefault-real-8", "-fdefault-real-10"]
C = ["-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-fsingle-precision-constant"]
LINK = ["-ffast-math", "-Ofast", "-funsafe-math-optimizations"]
REFUSED_LINK = ["-mpc32", "-mpc64"]


@dataclass(frozen=True)
class Build:
    """Options of a build."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    refused: str | None = None  # the flag that the setup must name as it fails
    way: str = ""  # how the flags come; a name of its own if empty
    original: str = "same bits"  # what solver="original" gives: examine.py

    def environment(self) -> dict[str, str]:
        flags = dict.fromkeys(("CFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS"), "")
        return os.environ | flags | self.variables


def in_variable(variable: str, flags: str, refused: str | None = None) -> Build:
    return Build(f"{variable}={flags}", {variable: flags}, refused=refused, way=variable)


def in_option(option: str, flags: str, refused: str | None = None) -> Build:
    return Build(f"-D{option}={flags}", options=[f"-D{option}={flags}"], refused=refused, way=option)


BUILDS = [
    *[in_variable("FFLAGS", flags) for flags in FORTRAN],
    *[in_variable("FFLAGS", flag, refused=flag) for flag in REFUSED_FORTRAN],
    *[in_variable("CFLAGS", flags) for flags in C],
    *[in_variable("LDFLAGS", flags) for flags in LINK],
    *[in_variable("LDFLAGS", flag, refused=flag) for flag in REFUSED_LINK],
    in_variable("CFLAGS", "-mpc64", refused="-mpc64"),
    in_option("fortran_args", "-ffast-math"),
    in_option("fortran_args", "-freal-8-real-4", refused="-freal-8-real-4"),
    in_option("c_args", "-Ofast"),
    in_option("c_link_args", "-Ofast"),
    in_option("c_link_args", "-mpc32", refused="-mpc32"),
    Build("-Doriginal_minpack=none", options=["-Doriginal_minpack=none"], original="not in the build"),
    *[Build(f"--buildtype={kind}", options=[f"--buildtype={kind}"], way="buildtype") for kind in ("debug", "minsize")],
    Build("FC and CC with flags", {"FC": "gfortran -Ofast", "CC": "gcc -Ofast"}),
    Build("FC with a flag", {"FC": "gfortran -freal-8-real-4"}, refused="-freal-8-real-4"),
    Build("-Ofast everywhere, without an optimization of Meson's, and with link-time optimisation",
          {"FFLAGS": "-Ofast", "CFLAGS": "-Ofast", "LDFLAGS": "-Ofast"}, ["--buildtype=plain", "-Db_lto=true"]),
    Build("flang-19", {"FC": "flang-new-19"}),
    Build("flang-19 -Ofast", {"FC": "flang-new-19", "FFLAGS": "-Ofast -march=native"}),
    Build("flang-19 -ffast-math", {"FC": "flang-new-19 -ffast-math -ffp-contract=fast"}),
]  # fmt: skip

# The first of each way that flags come, of those to be built and of those to be refused: what .ci/run has time for.
OF_EACH_KIND = [*{(build.way or build.name, build.refused is None): build for build in reversed(BUILDS)}.values()][::-1]
