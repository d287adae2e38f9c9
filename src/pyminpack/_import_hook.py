"""Patch SciPy when it is imported or reloaded, by a finder in front of Python's own.

`patch_scipy` installs it, and so does ``_children/sitecustomize.py``, which runs this file before anything else, in any
CPython from 3.6 on. Hence the old syntax, and no imports before SciPy's.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

# The first imports the second; reloading the second makes a new leastsq.
_NAMES = "scipy.optimize", "scipy.optimize._minpack_py"


class _Finder:
    """Finds what the finders after it find, and wraps its loader in a `_Loader`."""

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
        finders: list[Any] = list(sys.meta_path)
        if name not in _NAMES or self not in finders:
            return None
        for finder in finders[finders.index(self) + 1 :]:
            spec: ModuleSpec | None = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # a Loader by __getattr__ alone
                return spec
        return None


class _Loader:
    """Runs a module's own loader, then the patch; the module sees only its own loader."""

    def __init__(self, own: "Any") -> None:
        self._own = own

    def __getattr__(self, name: str) -> "Any":
        return getattr(object.__getattribute__(self, "_own"), name)  # AttributeError in a copy that has none yet

    def exec_module(self, module: "ModuleType") -> None:
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        patch()


_finder: "Any" = _Finder()
_told: "list[str]" = []


def install() -> None:
    """Put the finder in front, if it is not there; it stays until the process ends."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def patch() -> None:
    """Patch SciPy, unless `unpatch_scipy` was called; if that fails, leave SciPy as it is and print one line."""
    try:
        from pyminpack._patch import patch_unless_unpatched

        patch_unless_unpatched()
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if not _told:
            _tell(f"pyminpack: {text}; this process runs SciPy's own\n")


def _tell(line: str) -> None:
    _told.append(line)
    try:  # noqa: SIM105  # contextlib would be an import before the program's
        sys.stderr.write(line)
    except Exception:  # closed, or None
        pass
