# SPDX-License-Identifier: Apache-2.0
"""The closing line of ./check counts every case once and never hides a failure; what a stopped run under sanitizers
goes on with."""

import contextlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
TALLY = SCRIPTS / "tally.py"
sys.path.append(str(SCRIPTS))
import tally as tally_module  # noqa: E402  pylint: disable=wrong-import-position
CASES = """
import sys, unittest
class A(unittest.TestCase):
    def test_passes(self):
        "A sentence of it."
    def test_is_skipped(self):
        "A sentence of it."
        self.skipTest("one")
    def test_is_skipped_after_a_line(self):
        print("skipped: by what it runs", file=sys.stderr)
        self.skipTest("two")
    def test_has_parts_that_are_skipped(self):
        for part in range(3):
            with self.subTest(part=part):
                self.skipTest("three")
    def test_has_one_part_that_is_skipped(self):
        "A sentence of it."
        for part in range(3):
            with self.subTest(part=part):
                if part == 1:
                    self.skipTest("four")
    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.fail()
class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("five")
    def test_never_begins(self):
        pass
    test_never_begins_either = test_never_begins
"""
FAILING_CASES = """
class C(unittest.TestCase):
    def test_has_parts_that_fail(self):
        for part in range(3):
            with self.subTest(part=part):
                self.fail()
    def test_has_a_part_that_fails_and_one_that_is_skipped(self):
        with self.subTest():
            self.skipTest("six")
        with self.subTest():
            self.fail()
    def test_fails_twice(self):
        self.addCleanup(self.fail)
        self.fail()
    @unittest.expectedFailure
    def test_passes_unexpectedly(self):
        pass
class D(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError
    def test_never_begins(self):
        pass
"""


def tally(text):
    with tempfile.NamedTemporaryFile() as log:
        result = subprocess.run([sys.executable, TALLY, log.name], input=text, text=True,
                                capture_output=True, check=False)
    return result.returncode, result.stdout


def of_unittest(cases, status):
    """The counts of a program with these cases, which ends so."""
    done = subprocess.run([sys.executable, "-c", cases + "unittest.main()", "-v"], capture_output=True, text=True,
                          check=False)
    lines = "".join(f"1: {line}\n" for line in done.stderr.splitlines())
    return last_line(f"{lines}1/1 Test #1: cli.a ......{status}    0.10 sec\n")


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

    def test_a_case_or_a_class_that_is_skipped_counts_once(self):
        self.assertEqual(of_unittest(CASES, "   Passed"), (0, "2 passed, 0 failed, 5 skipped"))

    def test_a_case_or_a_class_that_fails_counts_once(self):
        self.assertEqual(of_unittest(CASES + FAILING_CASES, "***Failed"), (1, "2 passed, 5 failed, 5 skipped"))

    def test_nothing_passed_where_all_classes_are_skipped(self):
        text = ("1: skipped 'no sshd'\n1: skipped 'no sshd'\n1: Ran 0 tests in 0.1s\n1: OK (skipped=2)\n"
                "1/1 Test #1: placement.a ...   Passed    0.10 sec\n")
        self.assertEqual(last_line(text), (1, "0 passed, 0 failed, 2 skipped"))

    def test_a_crash_or_a_timeout_fails_whatever_was_printed(self):
        for status in ("***Exception: SegFault", "***Timeout", "***Not Run"):
            text = f"1: [  PASSED  ] 4 test(s).\n1/1 Test #1: unit.a ...{status}    0.01 sec\n"
            self.assertEqual(last_line(text), (1, "4 passed, 1 failed"), status)

    def test_what_had_not_ended_when_ctest_did_has_failed(self):
        text = ("      Start  1: unit.a\n      Start 12: unit.b\n12: before the end\n1: [  PASSED  ] 5 test(s).\n"
                "1/4 Test  #1: unit.a ...   Passed    0.01 sec\n")
        code, output = tally(text)
        self.assertEqual((code, output.splitlines()[-1]), (1, "5 passed, 3 failed"))
        self.assertIn("---- unit.b: ctest ended before it did\nbefore the end\n", output)
        self.assertIn("FAIL 2 of 4 programs hadn't begun when ctest ended\n", output)

    def test_what_had_only_begun_when_ctest_ended_has_failed(self):
        self.assertEqual(last_line("    Start 1: unit.a\n    Start 2: unit.b\n"), (1, "0 passed, 2 failed"))

    def test_a_silent_program_counts_as_one(self):
        text = ("1/2 Test #1: bench.a ......   Passed    0.01 sec\n"
                "2/2 Test #2: bench.b ......***Skipped   0.01 sec\n")
        self.assertEqual(last_line(text), (0, "1 passed, 0 failed, 1 skipped"))

    def test_a_program_that_says_it_ran_no_case_has_failed(self):
        for said in ("Ran 0 tests in 0.000s\n1: \n1: OK", "[==========] 0 test(s) run.\n1: [  PASSED  ] 0 test(s)."):
            code, output = tally(f"1: {said}\n1/2 Test #1: short.a ...   Passed    0.10 sec\n"
                                 "2/2 Test #2: bench.b ...   Passed    0.10 sec\n")
            self.assertEqual((code, output.splitlines()[-1]), (1, "1 passed, 1 failed"))
            self.assertIn(said.partition("\n")[0], output)

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


class Reports(unittest.TestCase):
    """What sanitizers wrote, whatever became of the test."""

    PASSED = "1: [  PASSED  ] 4 test(s).\n1/1 Test #1: cli.a ...   Passed    0.01 sec\n"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.reports, self.journal = pathlib.Path(folder.name) / "reports", pathlib.Path(folder.name) / "journal.jsonl"
        self.reports.mkdir()

    def tally(self, text):
        done = subprocess.run([sys.executable, TALLY, "--reports", self.reports, "/dev/null", self.journal], input=text,
                              text=True, capture_output=True, check=False)
        noted = [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]
        return done.returncode, done.stdout, {line["program"]: (line["failed"], line["reports"]) for line in noted}

    def write(self, name):
        (self.reports / name).write_text("==7==ERROR: LeakSanitizer: detected memory leaks\n", encoding="utf-8")

    def test_one_of_a_process_fails_its_test_and_is_shown(self):
        for names, end in ((("cli.a.7", "cli.a.8"), "4 passed, 1 failed"), (("cli.a.b.7",), "4 passed, 1 failed"),
                           ((), "4 passed, 0 failed")):
            for path in self.reports.iterdir():
                path.unlink()
            for name in names:
                self.write(name)
            code, said, _ = self.tally(self.PASSED)
            self.assertEqual((code, said.splitlines()[-1]), (1 if names else 0, end))
            self.assertEqual(said.count("LeakSanitizer: detected"), len(names))

    def test_it_is_noted_so_that_the_test_is_run_again(self):
        self.write("cli.a.7")
        self.assertEqual(self.tally(self.PASSED)[2], {"cli.a": (1, 1)})

    def test_a_process_that_outlives_its_test_fails_it_too(self):
        """The report comes while another test is under way."""
        course = tally_module.Tally(open(self.journal, "a", encoding="utf-8"), self.reports)  # pylint: disable=R1732
        self.addCleanup(course.journal.close)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for line in self.PASSED.splitlines():
                course.read(line)
            self.write("cli.a.7")
            self.assertEqual(course.finish(), {"passed": 4, "failed": 1, "skipped": 0})
        self.assertIn("---- cli.a: a process of it ended later", said.getvalue())
        noted = [json.loads(line)["failed"] for line in self.journal.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(noted, [0, 1])


class Journal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.journal = pathlib.Path(folder.name) / "journal.jsonl"

    def run_once(self, *text):
        subprocess.run([sys.executable, TALLY, "/dev/null", self.journal], input="".join(f"{line}\n" for line in text),
                       text=True, capture_output=True, check=False)

    def read(self, what, *more):
        return subprocess.run([sys.executable, SCRIPTS / "sanitizers.py", what, self.journal, *more], text=True,
                              capture_output=True, check=False)

    def test_a_line_for_each_program_that_ended(self):
        self.run_once("1: test_a (__main__.A) ... skipped 'no jemalloc'", "1: Ran 3 tests in 1s", "1: OK (skipped=1)",
                      "1/2 Test #1: cli.a ......   Passed    1.50 sec", "2: [  PASSED  ] 2 test(s).")
        self.assertEqual([json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()],
                         [{"program": "cli.a", "passed": 2, "failed": 0, "skipped": 1, "reasons": ["no jemalloc"],
                           "reports": 0, "seconds": 1.5}])

    def test_only_what_has_passed_is_not_run_again(self):
        self.run_once("1/3 Test #1: unit.a ...   Passed    0.01 sec", "2/3 Test #2: unit.b ...***Failed    0.01 sec")
        with open(self.journal, "a", encoding="utf-8") as torn:
            torn.write('{"program": "unit.c", "pas\n')
        done = re.compile(self.read("passed").stdout.strip())
        self.assertEqual([bool(done.search(f"unit.{name}")) for name in ("a", "b", "c", "aa")],
                         [True, False, False, False])

    def test_nothing_passed_leaves_nothing_out(self):
        self.assertEqual(self.read("passed").stdout, "^$\n")

    def test_the_last_time_counts(self):
        self.run_once("1/1 Test #1: unit.a ...***Failed    0.01 sec")
        self.assertEqual((self.read("sum").returncode, self.read("sum").stdout), (1, "0 passed, 1 failed\n"))
        self.run_once("1: [  PASSED  ] 4 test(s).", "1/1 Test #1: unit.a ...   Passed    0.01 sec")
        self.assertEqual((self.read("sum").returncode, self.read("sum").stdout), (0, "4 passed, 0 failed\n"))

    def test_what_has_not_ended_has_failed(self):
        self.run_once("1: [  PASSED  ] 4 test(s).", "1/3 Test #1: unit.a ...   Passed    0.01 sec", "2: begun")
        self.journal.with_name("programs.txt").write_text("unit.a\nunit.b\nunit.c\n", encoding="utf-8")
        done = self.read("sum")
        self.assertEqual((done.returncode, done.stdout),
                         (1, "Not run, or not to their end (2): unit.b, unit.c.\n4 passed, 2 failed\n"))

    def test_the_page_counts_reports_and_says_why_a_case_is_skipped(self):
        self.run_once("1: skipped: no jemalloc", "1: WARNING: ThreadSanitizer: data race", "1: [  PASSED  ] 4 test(s).",
                      "1: [  SKIPPED ] 1 test(s)", "1/1 Test #1: unit.a ...***Failed   12.00 sec")
        self.journal.with_name("programs.txt").write_text("unit.a\nunit.b\n", encoding="utf-8")
        page = self.read("page", self.journal).stdout
        self.assertEqual(page.count("Not run, or not to their end (1): unit.b."), 2)
        self.assertEqual(page.count("| unit.a | 6 | 4 | 1 | 1 | 1 | 12 | no jemalloc |"), 2)


if __name__ == "__main__":
    unittest.main()
