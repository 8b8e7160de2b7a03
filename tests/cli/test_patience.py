# SPDX-License-Identifier: Apache-2.0
"""No test has a deadline of its own: all have the one of tests/integration/patience.py, and CTest's is the
one of cmake/tests.cmake. A number that is enough on one machine fails by chance on a slower one."""

import io
import pathlib
import re
import unittest

from patience import until_said

TESTS = pathlib.Path(__file__).resolve().parents[1]
OWN = {"patience.py", "test_patience.py"}
# How long a test waits for what must come; settimeout(0.3) and the like wait for what must not.
DEADLINES = [re.compile(text) for text in (
    r"(?<![-\w])(?:timeout|wait)\s*(?:=|\()\s*[1-9]", r"\bsettimeout\(\s*[1-9]", r"monotonic\(\)\s*\+\s*[\d.]",
    r"^(?:PATIENCE|WAIT)\w*\s*=\s*\d", r'"--(?:agents-wait|ready-timeout)", "\d+m?s"')]
# In C, too: a loop that sleeps so many times, or a limit.
IN_C = [re.compile(text, re.MULTILINE) for text in (
    r"^( *)for \([^;]*;[^;]*<[^;]*;.*\n(?:\1 .*\n|\n)*?\1 .*\b(?:u|nano)?sleep\(", r"\balarm\(\s*[1-9].*",
    r"\blimit_ms\s*=\s*[1-9].*", r"\bpoll\([^;]*,\s*[1-9]\d*\)")]
CTEST = re.compile(r"\bTIMEOUT\s+\d")


def deadlines(text, patterns):
    return [line.strip() for line in text.splitlines() if any(p.search(line) for p in patterns)]


def deadlines_in_c(text):
    return [match[0].splitlines()[0].strip() for pattern in IN_C for match in pattern.finditer(text)]


class Patience(unittest.TestCase):
    def test_no_test_has_a_deadline_of_its_own(self):
        found = [f"{path.name}: {line}" for path in sorted(TESTS.glob("*/*.py")) if path.name not in OWN
                 for line in deadlines(path.read_text(encoding="utf-8"), DEADLINES)]
        self.assertEqual(found, [])

    def test_no_unit_test_has_one(self):
        found = [f"{path.name}: {line}" for path in sorted(TESTS.glob("unit/**/*.[ch]"))
                 for line in deadlines_in_c(path.read_text(encoding="utf-8"))]
        self.assertEqual(found, [])

    def test_ctest_has_one_too(self):
        lists = [*TESTS.glob("*/CMakeLists.txt"), TESTS.parent / "bench/CMakeLists.txt"]
        found = [line for path in lists
                 for line in deadlines(path.read_text(encoding="utf-8"), [CTEST])]
        self.assertEqual(found, [])

    def test_deadlines_are_seen(self):
        for line in ("run(x, timeout=60, check=False)", "process.wait(10)", "WAIT_S = 30",
                     "end = time.monotonic() + 60", "sock.settimeout(5)", 'soak("--agents-wait", "2s")'):
            self.assertEqual(deadlines(line, DEADLINES), [line])
        for line in ("run(x, timeout=PATIENCE_S)", "process.wait()", "sock.settimeout(0.3)",
                     '"--timeout=1s"', 'soak("--ready-timeout", "5m")', "end = time.monotonic() + PATIENCE_S"):
            self.assertEqual(deadlines(line, DEADLINES), [])

    def test_deadlines_in_c_are_seen(self):
        counted = ("    for (int i = 0; i < 500; i++) {\n        if (gone())\n            return;\n\n"
                   "        usleep(10);\n    }\n")
        for text in (counted, "alarm(10);", ".limit_ms = 200};", "poll(&fd, 1, 5000)"):
            self.assertEqual(len(deadlines_in_c(text)), 1, text)
        for text in (counted.replace("for (int i = 0; i < 500; i++)", "while (true)"), ".limit_ms = limits_ms[i]};",
                     "poll(&fd, 1, -1)", "    for (int i = 0; i < 5; i++)\n        add(i);\n    usleep(10);\n"):
            self.assertEqual(deadlines_in_c(text), [], text)

    def test_a_line_that_never_comes_ends_the_wait_where_the_stream_ends(self):
        self.assertEqual(until_said(io.StringIO("one\ntwo\nthree\n"), "wo"), ["one\n"])
        with self.assertRaisesRegex(AssertionError, "'four' never came, but: one\ntwo\n"):
            until_said(io.StringIO("one\ntwo\n"), "four")


if __name__ == "__main__":
    unittest.main()
