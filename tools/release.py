"""Go through the checklist of docs/releasing.md, without publishing.

usage: ./dev release [OPTIONS OF ./dev wheel]

Prints a line for each item, and exits with 1 if one fails.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from wheels import ROOT, Failure, run, tools

VERSIONS = {  # where to find the version
    "meson.build": r"^    version: '(.*)',$",
    "CHANGELOG.md": r"^## (\S+) \(",
}
WHEELS = {  # cibuildwheel's platform and architecture: its identifiers, without the Python
    ("linux", "x86_64"): ["manylinux_x86_64", "musllinux_x86_64"],
    ("linux", "aarch64"): ["manylinux_aarch64", "musllinux_aarch64"],
    ("macos", "x86_64"): ["macosx_x86_64"],
    ("macos", "arm64"): ["macosx_arm64"],
    ("windows", "AMD64"): ["win_amd64"],
    ("windows", "ARM64"): ["win_arm64"],
}
PYTHONS = ["cp311", "cp312", "cp313", "cp314t"]


def committed(root: Path = ROOT) -> str:
    """Nothing is uncommitted."""
    changed = run(["git", "status", "--porcelain"], cwd=root)
    if changed:
        raise Failure(f"not committed:\n{changed}")
    return f"committed: {run(['git', 'rev-parse', '--short', 'HEAD'], cwd=root).strip()}"


def versions(root: Path = ROOT) -> str:
    """The changelog begins with the version being built."""
    found = {}
    for name, pattern in VERSIONS.items():
        match = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        found[name] = match[1] if match else "none"
    if len({*found.values()}) > 1:
        raise Failure(f"versions differ: {', '.join(f'{name} has {version}' for name, version in found.items())}")
    return f"version {found['meson.build']} in {', '.join(found)}"


def changelog(root: Path = ROOT) -> str:
    """Each line of the first entry says that no bits change; there is at least one."""
    entry = (root / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    heading, *lines = entry.splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    if not rows:
        raise Failure(f"CHANGELOG.md: {heading} has no entry")
    for row in rows:
        if not row.endswith("| no |"):
            raise Failure(f"CHANGELOG.md: bits may never change: {row}")
    date = re.search(r"\((\d{4}-\d\d-\d\d)\)$", heading)
    return f"changelog: {len(rows)} lines for {heading.split()[0]}, " + (f"of {date[1]}" if date else "to be dated")


def repo_review() -> str:
    """sp-repo-review, including validate-pyproject and cibuildwheel's schema."""
    run([tools() / "sp-repo-review", "--show", "err", ROOT])
    return "sp-repo-review: clean, but for what pyproject.toml excepts"


def identifiers() -> str:
    """cibuildwheel makes the wheels of docs/releasing.md, and no others."""
    for (platform, architecture), endings in WHEELS.items():
        command = [tools() / "cibuildwheel", "--print-build-identifiers", "--platform", platform]
        found = run([*command, "--archs", architecture, ROOT]).split()
        expected = [f"{python}-{ending}" for ending in endings for python in PYTHONS]
        if sorted(found) != sorted(expected):
            raise Failure(f"cibuildwheel for {platform} {architecture} makes {found}, expected {expected}")
    return f"cibuildwheel: {len(PYTHONS) * sum(map(len, WHEELS.values()))} wheels on {len(WHEELS)} kinds of machine"


def wheels(*options: str) -> str:
    """Built, checked and tested."""
    return "./dev wheel: " + run(["./dev", "wheel", *options]).splitlines()[-1]


def docs() -> str:
    """Built without warnings."""
    run(["./dev", "docs"])
    return "./dev docs: built"


def main() -> int:
    points: list[Callable[[], str]] = [
        committed, versions, changelog, repo_review, identifiers, lambda: wheels(*sys.argv[1:]), docs,
    ]  # fmt: skip
    failed = 0
    for point in points:
        try:
            print(f"ok      {point()}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED  {failure}", flush=True)
    print(f"{len(points) - failed} of {len(points)} points hold; docs/releasing.md has what is left to do by hand")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
