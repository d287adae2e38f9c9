"""Run Meson, but print its error last, after the path of its log, so that it ends pip's output of a build.

meson-python runs this in place of `meson` (pyproject.toml).
"""

import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "mesonbuild.mesonmain", *sys.argv[1:]]
    error: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as meson:
        assert meson.stdout is not None
        for line in meson.stdout:
            if (error or "ERROR: " in line) and not line.startswith("A full log can be found at"):
                error.append(line)
            else:
                print(line, end="", flush=True)
    if error:
        print("\n" + "".join(error).strip(), flush=True)
    return meson.returncode


if __name__ == "__main__":
    sys.exit(main())
