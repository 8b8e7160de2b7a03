# SPDX-License-Identifier: Apache-2.0
"""No test has a deadline of its own: all have the one of tests/integration/patience.py, and CTest's is the
one of cmake/tests.cmake. A number that is enough on one machine fails by chance on a slower one."""

import pathlib
import re
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
OWN = {"patience.py", "test_patience.py"}
# How long a test waits for what must come; settimeout(0.3) and the like wait for what must not.
DEADLINES = [re.compile(text) for text in (
    r"(?<![-\w])(?:timeout|wait)\s*(?:=|\()\s*[1-9]", r"\bsettimeout\(\s*[1-9]", r"monotonic\(\)\s*\+\s*[\d.]",
    r"^(?:PATIENCE|WAIT)\w*\s*=\s*\d")]
CTEST = re.compile(r"\bTIMEOUT\s+\d")


def deadlines(text, patterns):
    return [line.strip() for line in text.splitlines() if any(p.search(line) for p in patterns)]


class Patience(unittest.TestCase):
    def test_no_test_has_a_deadline_of_its_own(self):
        found = [f"{path.name}: {line}" for path in sorted(TESTS.glob("*/*.py")) if path.name not in OWN
                 for line in deadlines(path.read_text(encoding="utf-8"), DEADLINES)]
        self.assertEqual(found, [])

    def test_ctest_has_one_too(self):
        lists = [*TESTS.glob("*/CMakeLists.txt"), TESTS.parent / "bench/CMakeLists.txt"]
        found = [line for path in lists
                 for line in deadlines(path.read_text(encoding="utf-8"), [CTEST])]
        self.assertEqual(found, [])

    def test_deadlines_are_seen(self):
        for line in ("run(x, timeout=60, check=False)", "process.wait(10)", "WAIT_S = 30",
                     "end = time.monotonic() + 60", "sock.settimeout(5)"):
            self.assertEqual(deadlines(line, DEADLINES), [line])
        for line in ("run(x, timeout=PATIENCE_S)", "process.wait()", "sock.settimeout(0.3)",
                     '"--timeout=1s"', "end = time.monotonic() + PATIENCE_S"):
            self.assertEqual(deadlines(line, DEADLINES), [])


if __name__ == "__main__":
    unittest.main()
