"""The programs of docs/in-your-stack.md: each must print what the page says, and put a call or more to our extension.

Calls are counted in child processes, too: each process that has made some leaves a file.
"""

import os
import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "in-your-stack.md"
REQUIREMENTS = ("bumps==1.0.5", "joblib==1.6.0")  # what the page uses and no client needs

COUNT = """\
import os

try:
    from pyminpack import _minpack
except ImportError:
    pass
else:
    solve = _minpack.leastsq

    def leave_a_file(*args):
        open(os.path.join(os.environ["CALLS"], str(os.getpid())), "a").close()
        return solve(*args)

    _minpack.leastsq = leave_a_file
"""


def programs():
    """(heading, source, what it prints) of each program on the page."""
    program = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
    for section in re.split(r"^#+ ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        yield from ((heading, source, printed) for source, printed in program.findall(section))


def complaints(python, folder):
    """Run each program; what is wrong, one line each."""
    counter = folder / "counter"
    counter.mkdir(parents=True, exist_ok=True)
    (counter / "sitecustomize.py").write_text(COUNT)
    for number, (heading, source, printed) in enumerate(programs()):
        calls = folder / f"calls-{number}"
        calls.mkdir(exist_ok=True)
        for left in calls.iterdir():
            left.unlink()
        program = folder / f"program_{number}.py"
        program.write_text(source)
        process = subprocess.run(
            [python, program], cwd=folder, capture_output=True, text=True, timeout=300,
            env=os.environ | {"PYTHONPATH": str(counter), "CALLS": str(calls), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        reached = len(list(calls.iterdir()))
        print(f"{heading:<18}{'program':<11}{'as told' if process.stdout == printed else 'differs':>7}"
              f"{reached:>5} processes reached ours", flush=True)
        if process.returncode or process.stdout != printed:
            yield (f"{heading}: {program} ended with status {process.returncode} and printed\n"
                   f"{process.stdout}{process.stderr}")
        elif not reached:
            yield f"{heading}: {program} never called ours"
