"""docs/contract.md as data: CASES, its rows on what leastsq does, and MESG, its message for each ier."""

import re
from pathlib import Path
from typing import NamedTuple

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
PAGE = REPOSITORY / "docs" / "contract.md"


class ContractCase(NamedTuple):
    """One row; scipy is "" if SciPy has no counterpart."""

    case: str
    scipy: str
    pyminpack: str
    tests: list[str]    # functions of the test files, and keys of the rows of test_contract_different.py

    @property
    def differs(self):
        return self.scipy != "" and not self.pyminpack.startswith("=")


def tables(page):
    """The tables of a Markdown page: the cells of each header, and of each row under it."""
    for table in re.findall(r"(?:^\|.*\|\n)+", page.read_text(), re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
        yield head, rows


def rows_under(*head):
    return [row for found, rows in tables(PAGE) if found == [*head] for row in rows]


CASES = [ContractCase(*cells, re.findall("`([^`]+)`", tests))
         for *cells, tests in rows_under("Case", "SciPy", "pyminpack", "Tests")]
CASES += [ContractCase(case, "", pyminpack, re.findall("`([^`]+)`", tests))
          for case, pyminpack, tests in rows_under("Case", "pyminpack", "Tests")]
MESG = {int(ier): (text.strip("`").replace("\\n", "\n"), re.findall("`([^`]+)`", values))
        for ier, text, values in rows_under("ier", "mesg", "Values")}
