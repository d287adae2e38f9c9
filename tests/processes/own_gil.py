"""What an interpreter with a GIL of its own says to NumPy, to pyminpack, and to our extension by itself.

    python tests/processes/own_gil.py

Prints the errors, a line each; the main interpreter can fit afterwards. Before Python 3.12 there are none such.
"""

import os
import sys

import pyminpack

if sys.version_info < (3, 13):
    import _xxsubinterpreters as interpreters

    created, run = interpreters.create(isolated=True), interpreters.run_string
else:
    import _interpreters as interpreters

    created, run = interpreters.create("isolated"), interpreters.exec

BY_ITSELF = f"""
from importlib import util
spec = util.spec_from_file_location("_minpack", {pyminpack._minpack.__file__!r})
util.module_from_spec(spec)
"""
TOLD = """
import os
try:
    {program}
except ImportError as error:
    text = type(error).__name__ + ": " + str(error).strip().splitlines()[-1]
else:
    text = "no error"
os.write({write}, (text + "\\n").encode())
"""

read, write = os.pipe()
for program in "import numpy", "import pyminpack", BY_ITSELF:
    failure = run(created, TOLD.format(program=program.strip().replace("\n", "\n    "), write=write))
    assert failure is None, failure
os.close(write)
with open(read) as errors:
    print(errors.read(), end="")
interpreters.destroy(created)
print("ier", pyminpack.leastsq(lambda x: 2 * (x - 3) ** 2 + 1, 0)[1])
