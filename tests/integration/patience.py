# SPDX-License-Identifier: Apache-2.0
"""How long a test waits for what must come. It is a guard against a hang and says nothing of speed: a
loaded machine may be a hundred times slower than a quick one, so it is the same, generous one
everywhere, but for sanitized programs. CTest's own guard, in cmake/tests.cmake, is longer.
(tests/cli and tests/placement have links to this file.)"""

import os
import time

# How many times slower the programs are than those of an ordinary build: cmake/tests.cmake says it.
PATIENCE_S = 600 * int(os.environ.get("SOAK_SLOWDOWN", "1"))
# The deadlines of a program under test that must pass while something else is done in time: what was
# too slow for one of them tries the next.
LIMITS = ("300ms", "3s", "30s", "300s")
# And where the test sees to it that what the program waits for never comes.
IN_VAIN = "5s"


def until(condition, what="it"):
    """Returns the condition's value once it is true."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.01)
    return value


def until_said(stream, text):
    """Reads up to the line that has it, and fails where the stream ends without one. What came before."""
    said = []
    while text not in (line := stream.readline()):
        assert line, f"'{text}' never came, but: {''.join(said)}"
        said.append(line)
    return said


def within_limits(attempt, was_in_time, limits=LIMITS):
    """What `attempt(limit)` returns under the first limit that left it time enough, or the last one."""
    for limit in limits:
        done = attempt(limit)
        if was_in_time(done):
            break
    return done
