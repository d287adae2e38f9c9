"""Every path through the extension many times; at the end AddressSanitizer counts what is lost."""

import contextlib

from problems.memory_paths import PATHS

CALLS = 20

for path in PATHS.values():
    for _ in range(CALLS):
        with contextlib.suppress(Exception):
            path()
print(f"{len(PATHS)} paths, {CALLS} calls of each")
