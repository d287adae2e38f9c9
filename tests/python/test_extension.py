"""What the built extension needs and shows, and what importing the package brings along."""

import subprocess
import sys

import pytest
from elftools.elf.elffile import ELFFile

from helpers.isolated import run_isolated
from pyminpack import _minpack

EXECUTABLE = 1  # PF_X


@pytest.fixture(scope="module")
def extension():
    """The shared library, parsed."""
    with open(_minpack.__file__, "rb") as file:
        yield ELFFile(file)


def test_it_needs_no_library_but_libc_and_libm(extension):
    tags = extension.get_section_by_name(".dynamic").iter_tags()
    needed = {tag.needed.split(".so")[0] for tag in tags if tag.entry.d_tag == "DT_NEEDED"}
    loader = {name for name in needed if name.startswith("ld-linux")}
    assert needed - loader <= {"libc", "libm"}


def test_its_stack_is_not_executable(extension):
    stacks = [segment for segment in extension.iter_segments() if segment["p_type"] == "PT_GNU_STACK"]
    assert len(stacks) == 1
    assert not stacks[0]["p_flags"] & EXECUTABLE


def test_it_exports_its_init_function_alone(extension):
    symbols = extension.get_section_by_name(".dynsym").iter_symbols()
    exported = {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"}
    assert exported == {"PyInit__minpack"}


def test_it_has_no_run_path_and_no_text_relocations(extension):
    tags = {tag.entry.d_tag for tag in extension.get_section_by_name(".dynamic").iter_tags()}
    assert tags.isdisjoint({"DT_RPATH", "DT_RUNPATH", "DT_TEXTREL"})


IMPORTED = """
import sys
before = set(sys.modules)
import pyminpack
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""


def test_the_package_imports_numpy_and_the_standard_library_alone():
    process = subprocess.run([sys.executable, "-I", "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert set(process.stdout.split()) == {"numpy", "pyminpack"}


def test_importing_and_fitting_leave_the_floating_point_state_as_it_is():
    run_isolated("from builds.examine import changes_of_state\nassert changes_of_state() == []")
