"""`python -m pyminpack`: what this installation is, and whether it is right."""

import sys

USAGE = """\
usage: python -m pyminpack --info       what this build is and what it runs on: for a bug report
       python -m pyminpack --selftest   whether it has MINPACK's bits: seconds; exit status 0 if so, 1 if not
       python -m pyminpack --help       this text
"""


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for, and return the exit status."""
    match arguments:
        case ["--info"]:
            from pyminpack import show_config

            show_config()
        case ["--selftest"]:
            from pyminpack import _selftest

            return _selftest.run()
        case ["--help" | "-h"]:
            print(USAGE, end="")
        case _:
            print(USAGE, end="", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
