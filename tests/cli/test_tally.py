# SPDX-License-Identifier: Apache-2.0
"""The closing line of ./check counts every case once and never hides a failure."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TALLY = pathlib.Path(__file__).resolve().parents[2] / "scripts/tally.py"


def tally(text):
    with tempfile.NamedTemporaryFile() as log:
        result = subprocess.run([sys.executable, TALLY, log.name], input=text, text=True,
                                capture_output=True, check=False)
    return result.returncode, result.stdout


def last_line(text):
    code, output = tally(text)
    return code, output.splitlines()[-1]


class Tally(unittest.TestCase):
    def test_cmocka_cases_are_summed(self):
        text = ("1: [==========] Running 5 test(s).\n1: [  PASSED  ] 5 test(s).\n"
                "1/2 Test #1: unit.a ......   Passed    0.01 sec\n"
                "2: [  PASSED  ] 2 test(s).\n2/2 Test #2: unit.b ...   Passed    0.01 sec\n")
        self.assertEqual(last_line(text), (0, "7 passed, 0 failed"))

    def test_cmocka_failures_count_and_their_output_is_shown(self):
        text = ("1: a.c:7: error: Failure!\n1: [  PASSED  ] 4 test(s).\n"
                "1: [  FAILED  ] 1 test(s), listed below:\n1: [  FAILED  ] the_claim\n"
                "1/1 Test #1: unit.a ......***Failed    0.01 sec\n")
        code, output = tally(text)
        self.assertIn("a.c:7: error: Failure!", output)
        self.assertEqual((code, output.splitlines()[-1]), (1, "4 passed, 1 failed"))

    def test_unittest_cases_are_sorted_by_their_end(self):
        text = ("1: Ran 9 tests in 0.1s\n1: \n1: FAILED (failures=1, errors=2, skipped=3)\n"
                "1/1 Test #1: cli.a ......***Failed    0.10 sec\n")
        self.assertEqual(last_line(text), (1, "3 passed, 3 failed, 3 skipped"))

    def test_a_crash_or_a_timeout_fails_whatever_was_printed(self):
        for status in ("***Exception: SegFault", "***Timeout", "***Not Run"):
            text = f"1: [  PASSED  ] 4 test(s).\n1/1 Test #1: unit.a ...{status}    0.01 sec\n"
            self.assertEqual(last_line(text), (1, "4 passed, 1 failed"), status)

    def test_a_silent_program_counts_as_one(self):
        text = ("1/2 Test #1: bench.a ......   Passed    0.01 sec\n"
                "2/2 Test #2: bench.b ......***Skipped   0.01 sec\n")
        self.assertEqual(last_line(text), (0, "1 passed, 0 failed, 1 skipped"))

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(last_line("No tests were found!!!\n"), (1, "0 passed, 0 failed"))

    def test_only_skips_are_a_failure(self):
        text = "1/1 Test #1: cli.a ......***Skipped   0.01 sec\n"
        self.assertEqual(last_line(text), (1, "0 passed, 0 failed, 1 skipped"))

    def test_the_ten_that_took_longest_are_named_before_the_last_line(self):
        text = "".join(f"{n}/12 Test #{n}: unit.a{n} ...   Passed    {n}.25 sec\n" for n in range(1, 13))
        code, output = tally(text)
        lines = output.splitlines()
        self.assertEqual((code, lines[-1]), (0, "12 passed, 0 failed"))
        self.assertEqual(lines[-12], "the 10 slowest of 12 programs, 81 s in all:")
        self.assertEqual([line.split() for line in lines[-11:-1]],
                         [[f"{n}.2", "s", f"unit.a{n}"] for n in range(12, 2, -1)])

    def test_lines_of_parallel_programs_are_told_apart(self):
        text = ("1: [  PASSED  ] 1 test(s).\n2: [  PASSED  ] 2 test(s).\n"
                "2/2 Test #2: unit.b ...***Failed    0.01 sec\n"
                "1/2 Test #1: unit.a ...   Passed    0.01 sec\n")
        code, output = tally(text)
        self.assertIn("ok   unit.a", output)
        self.assertEqual((code, output.splitlines()[-1]), (1, "3 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
