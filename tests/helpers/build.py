"""The tests' shared library of our solver: Meson's target minpack_kernels, rebuilt if its sources changed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MESON_ARGS = os.environ.get("MESON_ARGS", "").split()  # as for ./dev
BUILD = REPOSITORY / "build" / f"kernels-{Path(sys.prefix).name}"
WITH_CHECKS = REPOSITORY / "build" / f"checks-{Path(sys.prefix).name}"


def build() -> Path:
    """The shared library that PYMINPACK_KERNELS names, or the one built in BUILD."""
    if library := os.environ.get("PYMINPACK_KERNELS"):
        return Path(library)
    return build_in(BUILD, *MESON_ARGS)


def build_with_checks() -> Path:
    """The library that ends the process if a routine violates its contract."""
    return build_in(WITH_CHECKS, "-Dchecks=true")


def build_in(folder: Path, *options: str) -> Path:
    """The shared library with these options, rebuilt if its sources changed; a folder that fails is set up again."""
    setup = ("setup", "--wipe", str(folder), str(REPOSITORY), "-Dkernels=true", *options)
    compile_ = ("compile", "-C", str(folder), "minpack_kernels")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.ninja").exists() or meson(*compile_).returncode != 0:
            for command in (setup, compile_):
                result = meson(*command)
                if result.returncode != 0:
                    raise RuntimeError(f"meson {' '.join(command)} failed:\n{result.stdout}")
    return folder / "minpack" / "libminpack_kernels.so"


def meson(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Meson with this interpreter's tools first on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(["meson", *arguments], env={**os.environ, "PATH": path}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
