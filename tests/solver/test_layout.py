"""The structs of minpack.h and the derived types that Fortran reads them by have the same layout and constants."""

import re
import subprocess

import pytest

from helpers.build import REPOSITORY, build

MINPACK = REPOSITORY / "minpack"
HEADER = (MINPACK / "minpack.h").read_text()

# struct: its module, the derived type, and the public constants that go with it, by their names in C
LAYOUTS = {
    "MinpackState": ("lm", "lm_state", {
        "WANT_FVEC": "want_fvec", "WANT_FJAC": "want_fjac", "GO_ON": "go_on", "WANT_TRIAL": "want_trial",
        "DONE": "done", "KNOWN_FVEC": "known_fvec", "KNOWN_FJAC": "known_fjac", "KNOWN_TRIAL": "known_trial",
    }),
    "MinpackAnswerer": ("loop", "answerer", {}),
    "MinpackDeparture": ("departure", "departure", {}),
}  # fmt: skip

PRINTED_BY_C = """
#include <stddef.h>
#include <stdio.h>
#include "minpack.h"
int main(void) {{ printf("size %d\\n{formats}", (int)sizeof({struct}), {values}); return 0; }}
"""

PRINTED_BY_FORTRAN = """
program printed
    use, intrinsic :: iso_c_binding
    use {module}_module
    type({type}), target :: s
    print '(a, 1x, i0)', 'size', c_sizeof(s)
{lines}
contains
    integer(c_intptr_t) function place(p)
        type(c_ptr), intent(in) :: p
        place = transfer(p, place)
    end function place
end program printed
"""


def members(struct):
    """The names in a struct of minpack.h, in order."""
    body = next(b for b in re.findall(r"typedef struct \{(.*?)\} (\w+);", HEADER, re.DOTALL) if b[1] == struct)[0]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return re.findall(r"(\w+)\s*[,;]", body)


def output(source, *options):
    """What a program prints, line by line."""
    program = source.with_suffix("")
    subprocess.run(["gcc" if source.suffix == ".c" else "gfortran", *options, source, "-o", program], check=True,
                   cwd=source.parent)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("struct", LAYOUTS)
def test_C_and_Fortran_agree_on_it(struct, tmp_path):
    module, type_, constants = LAYOUTS[struct]
    names = members(struct)
    values = [f"(int)offsetof({struct}, {name})" for name in names] + [f"(int)MINPACK_{name}" for name in constants]
    c, fortran = tmp_path / "by_c.c", tmp_path / "by_fortran.f90"
    c.write_text(PRINTED_BY_C.format(
        struct=struct, formats="".join(f"{name} %d\\n" for name in [*names, *constants]), values=", ".join(values),
    ))  # fmt: skip
    lines = [f"print '(a, 1x, i0)', '{name}', place(c_loc(s%{name})) - place(c_loc(s))" for name in names]
    lines += [f"print '(a, 1x, i0)', '{name}', {constants[name]}" for name in constants]
    fortran.write_text(PRINTED_BY_FORTRAN.format(module=module, type=type_, lines="\n".join(lines)))
    modules = [f"-I{folder}" for folder in build().parent.glob("*.p")]
    assert len(names) > 4
    assert output(c, f"-I{MINPACK}") == output(fortran, *modules)
