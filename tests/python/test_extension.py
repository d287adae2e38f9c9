"""What the built extension needs and shows, and what importing the package brings along."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from helpers.isolated import run_isolated
from pyminpack import _minpack

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

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


# What lies where it could be written to, and why threads may share it.
STATE = {
    "in_use": "atomic: the instruction set",
    "running": "each thread has its own",
    "pyminpack_ARRAY_API": "set by the import",
    "pyminpack_ARRAY_APIPyArray_RUNTIME_VERSION": "likewise",
    "__cpu_model": "libgcc's, set when the library is loaded",
    "__cpu_features2": "likewise",
    "completed.0": "the C start-up file's",
    **dict.fromkeys(["__dso_handle", "__TMC_END__"], "likewise"),
    "module_definition": "CPython's, which it numbers once",
    **dict.fromkeys(["methods", "slots", "names.0", "iteration_getset", "kernels_methods", "intermediate_result_spec",
                     "levenberg_marquardt_spec"], "CPython's tables, which nobody changes"),
}  # fmt: skip
FORTRAN = re.compile(r"_MOD___(vtab|def_init)_|^(p1|zero)[.]\d+$")  # its types' tables; MINPACK's DATA


def test_it_has_no_state_but_what_threads_may_share(extension):
    """As its table of symbols says."""
    sections = [section.name for section in extension.iter_sections()]
    places = {number for number, name in enumerate(sections) if name in (".data", ".bss", ".tdata", ".tbss")}
    found = {
        symbol.name for symbol in extension.get_section_by_name(".symtab").iter_symbols()
        if symbol["st_shndx"] in places and symbol["st_info"]["type"] in ("STT_OBJECT", "STT_TLS")
    }  # fmt: skip
    assert "in_use" in found
    assert {name for name in found if name not in STATE and not FORTRAN.search(name)} == set()


if sys.version_info >= (3, 12):  # before, no interpreter had a GIL of its own

    def test_an_interpreter_with_a_gil_of_its_own_gets_an_import_error():
        """As for NumPy, without which there is nothing to support."""
        program = Path(__file__).parents[1] / "processes" / "own_gil.py"
        process = subprocess.run([sys.executable, "-I", program], capture_output=True, text=True, check=False)
        assert (process.returncode, process.stderr) == (0, "")
        numpy, package, by_itself, ier = process.stdout.splitlines()
        refusal = "ImportError: module {} does not support loading in subinterpreters"
        assert numpy.startswith("ImportError: ")
        assert package == refusal.format("pyminpack._minpack")
        assert by_itself == refusal.format("_minpack")
        assert ier == "ier 1"
