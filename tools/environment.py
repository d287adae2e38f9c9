"""Make a virtual environment or bring it up to date, for ./dev and everything else that needs one.

usage: python tools/environment.py FOLDER [--group NAME]... [REQUIREMENT]...

A group is one of pyproject.toml's. An environment keeps the groups that it has; where nothing has changed, nothing is
done.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def environment(
    folder: Path,
    *requirements: str,
    groups: Iterable[str] = (),
    interpreter: str | Path | None = None,
    anew: bool = False,
    run: Callable[[list[Any]], object] = subprocess.check_call,
) -> Path:
    """The folder of its programs.

    interpreter: by default the one that runs this, or that its environment was made by: an environment may be active.
    anew: where something has changed, all that was there goes first.
    """
    stamp, python = folder / "installed", folder / "bin" / "python"
    before = json.loads(stamp.read_text()) if stamp.exists() else {"groups": [], "python": None}
    with open(PROJECT, "rb") as file:
        known = tomllib.load(file)["dependency-groups"]
    wanted = {
        "python": str(interpreter or sys.version),
        "groups": sorted({*groups, *before["groups"]}),
        "requirements": [*requirements],
        "known": known,
    }
    if before != wanted:
        stamp.unlink(missing_ok=True)
        if anew or before["python"] != wanted["python"]:
            run([interpreter or sys._base_executable, "-m", "venv", "--clear", folder])
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        run([*pip, "pip>=25.1"])  # the first that knows groups
        if wanted["groups"] or requirements:
            run([*pip, *(f"--group={PROJECT}:{name}" for name in wanted["groups"]), *requirements])
        stamp.write_text(json.dumps(wanted))
    return python.parent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--group", action="append", default=[], help="of pyproject.toml")
    parser.add_argument("requirements", nargs="*", metavar="REQUIREMENT")
    options = parser.parse_args()
    try:
        environment(options.folder, *options.requirements, groups=options.group)
    except subprocess.CalledProcessError:  # pip has said what is wrong
        sys.exit(1)
