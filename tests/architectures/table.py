"""The architectures where the solver has to give the bits that it gives on x86-64, and how to get there from Debian."""

from __future__ import annotations

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """One that a cross compiler makes programs for and qemu runs them on; without emulator, this machine runs them."""

    name: str
    cc: str
    fortran: str
    cpu_family: str  # Meson's word
    emulator: tuple[str, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()  # a program and the package of Debian that has it
    endian: str = "little"
    flags: tuple[str, ...] = ()  # that its C compiler needs for doubles without extended precision
    refused: str | None = None  # what the error of the build must say

    def missing_packages(self) -> list[str]:
        return [package for program, package in self.packages if shutil.which(program) is None]

    def cross_file(self) -> str:
        """For Meson."""
        return f"""[binaries]
c = '{self.cc}'
fortran = '{self.fortran}'
ar = 'gcc-ar'
exe_wrapper = {list(self.emulator)}
[properties]
needs_exe_wrapper = {"true" if self.emulator else "false"}
[host_machine]
system = 'linux'
cpu_family = '{self.cpu_family}'
cpu = '{self.cpu_family}'
endian = '{self.endian}'
"""


def of_debian(name: str, triplet: str, cpu_family: str, qemu: str, endian: str = "little",
              flags: tuple[str, ...] = (), refused: str | None = None) -> Architecture:  # fmt: skip
    emulator = f"qemu-{qemu}-static"
    fortran = f"{triplet}-gfortran"
    packages = ((fortran, f"gfortran-{triplet}"), (emulator, "qemu-user-static"))
    return Architecture(name, f"{triplet}-gcc", fortran, cpu_family, (emulator, "-L", f"/usr/{triplet}"), packages,
                        endian, flags, refused)  # fmt: skip


ARCHITECTURES = [
    of_debian("aarch64", "aarch64-linux-gnu", "aarch64", "aarch64"),
    of_debian("riscv64", "riscv64-linux-gnu", "riscv64", "riscv64"),
    of_debian("ppc64el", "powerpc64le-linux-gnu", "ppc64", "ppc64le"),
    of_debian("s390x", "s390x-linux-gnu", "s390x", "s390x", endian="big"),
    of_debian("armhf", "arm-linux-gnueabihf", "arm", "arm"),
    # Whose compilers choose the 387 if nothing is said.
    of_debian("i386", "i686-linux-gnu", "x86", "i386", flags=("-msse2", "-mfpmath=sse")),
    Architecture("musl", "musl-gcc", "gfortran", "x86_64", packages=(("musl-gcc", "musl-tools"),)),
    # The 68881 is a 387 of its kind, and there is nothing beside it.
    of_debian("m68k", "m68k-linux-gnu", "m68k", "m68k", endian="big", refused="extended"),
]
QUICK = ["aarch64", "s390x"]
