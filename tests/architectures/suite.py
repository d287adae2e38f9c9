"""The suite itself on aarch64: CPython of Debian's arm64 and wheels for it in a folder, run by qemu.

    python tests/architectures/suite.py ARGUMENTS-OF-PYTEST ...

Nothing is installed: apt-get downloads into a state of its own, and dpkg-deb unpacks. The CPython is that of this
interpreter's version, with whose headers the extension is compiled. Debian's libminpack1 for arm64 has fused
multiply-adds, which round once where MINPACK rounds twice; in its place stands MINPACK's own Fortran from our build.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from run import WORK
from table import ARCHITECTURES

from helpers.build import REPOSITORY, build_in

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = [PYTHON, "libstdc++6"]
FOLDER = WORK / "suite"
ROOT, SITE, INSTALLED, BUILD = (FOLDER / name for name in ("root", "site", "installed", "build"))
ORACLE = ROOT / "usr" / "lib" / "aarch64-linux-gnu" / "libminpack.so.1"
(AARCH64,) = (architecture for architecture in ARCHITECTURES if architecture.name == "aarch64")
# What wheels that run on Debian 12 say of themselves.
PLATFORMS = [f"--platform=manylinux{glibc}_aarch64" for glibc in ("2014", "_2_17", "_2_24", "_2_27", "_2_28")]


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def unpack_debian() -> None:
    """Packages of arm64 and what they depend on, into ROOT."""
    state, cache = FOLDER / "state", FOLDER / "cache"
    for folder in (state / "lists" / "partial", cache / "archives" / "partial", ROOT):
        folder.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    settings = {"APT::Architecture": "arm64", "APT::Architectures": "arm64", "Debug::NoLocking": 1, "Dir::State": state,
                "Dir::State::status": state / "status", "Dir::Cache": cache}  # fmt: skip
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    run(*apt, "update")
    run(*apt, "install", "-y", "--no-install-recommends", "--download-only", *PACKAGES)
    for package in sorted((cache / "archives").glob("*.deb")):
        run("dpkg-deb", "-x", package, ROOT)


def install_package() -> Path:
    """The package, into INSTALLED; returns the tests' library."""
    cross_file = FOLDER / "aarch64.ini"
    cross_file.write_text(AARCH64.cross_file())
    places = [f"-D{place}={INSTALLED}" for place in ("prefix", "python.platlibdir", "python.purelibdir")]
    library = build_in(BUILD, f"--cross-file={cross_file}", *places)
    run("meson", "install", "--quiet", "-C", BUILD)
    original = BUILD / "minpack" / "original" / "liboriginal_minpack.a"
    run(AARCH64.cc, "-shared", "-Wl,--whole-archive", original, "-Wl,--no-whole-archive", "-lm", "-o", ORACLE)
    for extension in (INSTALLED / "pyminpack").glob("*.cpython-*.so"):
        extension.rename(extension.with_name(f"{extension.name.partition('.')[0]}.so"))  # x86-64's suffix
    metadata = INSTALLED / "pyminpack.dist-info" / "METADATA"
    metadata.parent.mkdir(exist_ok=True)
    metadata.write_text("Metadata-Version: 2.4\nName: pyminpack\nVersion: 0\n")
    return library


def interpreter() -> Path:
    """A command that is the arm64 Python, for its children, too."""
    wrapper = FOLDER / "python"
    emulator = f"{AARCH64.emulator[0]} -L '{ROOT}'"
    wrapper.write_text(f"#!/bin/sh\nexec {emulator} '{ROOT}/usr/bin/{PYTHON}' \"$@\"\n")
    wrapper.chmod(0o755)
    (SITE / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(wrapper)!r}\n")
    return wrapper


def main() -> int:
    if not (SITE / "pytest").exists():
        unpack_debian()
        run(sys.executable, "-m", "pip", "install", "-q", "--upgrade", f"--target={SITE}", *PLATFORMS,
            "--only-binary=:all:", f"--group={REPOSITORY / 'pyproject.toml'}:test")  # fmt: skip
    environment = os.environ | {
        "PYMINPACK_KERNELS": str(install_package()),
        "PYTHONPATH": os.pathsep.join(map(str, [INSTALLED, SITE])),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [interpreter(), "-m", "pytest", "-p", "no:cacheprovider", *sys.argv[1:]]
    return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
