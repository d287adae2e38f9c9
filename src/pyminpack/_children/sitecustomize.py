"""How Python starts in a child of ``python -m pyminpack``, which has this folder in PYTHONPATH.

Python imports this module before anything else. SciPy is patched as soon as the child has imported scipy.optimize; a
child that never does loads nothing of this package.
"""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _PatchSciPy:
    """A finder that patches behind the import of scipy.optimize, and is gone then."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "scipy.optimize":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_patch(module: ModuleType) -> None:
            execute(module)
            try:
                from pyminpack import patch_scipy
            except ImportError:  # in an environment that has a SciPy of its own
                return
            patch_scipy()

        spec.loader.exec_module = execute_and_patch  # type: ignore[method-assign]
        return spec


def _start() -> None:
    sys.meta_path.insert(0, _PatchSciPy())
    # The environment's own sitecustomize, which this one hides.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    spec = PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules["sitecustomize"])


_start()
