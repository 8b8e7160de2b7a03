# SPDX-License-Identifier: Apache-2.0
"""Reads the output of `ctest --verbose` and says how it went:

- one line per test program as it ends, and the whole output of one that failed;
- the ten programs that took longest;
- last `N passed, N failed`, and how many were skipped.

The numbers are test cases: cmocka and unittest say how many they ran; a program that says nothing counts as
one, and so does each that hadn't ended, or begun, when ctest did. One that says that it ran none has failed, and so
has one of which a sanitizer has left a report, PROGRAM.PID, in the folder of --reports. Everything goes to the log
named as the first argument. A second one names a journal: a line of JSON is appended to it for each program as it ends
(scripts/sanitizers.py reads it). Exit 1 when a case failed or none ran.
"""

import argparse
import contextlib
import json
import pathlib
import re
import sys

ENTRY_LINE = re.compile(r"^(\d+): ?(.*)$")
START_LINE = re.compile(r"^ +Start +(\d+): (\S+)$")
RESULT_LINE = re.compile(r"^ *\d+/(\d+) Test +#(\d+): (\S+) [ .]*(?:\*{3})?(.*?) +([\d.]+) sec")
SLOWEST_SHOWN = 10
CMOCKA = re.compile(r"^\[ +(PASSED|FAILED|SKIPPED) +\] (?:tests: )?(\d+) test\(s\)")
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ")
UNITTEST_END = re.compile(r"^(?:OK|FAILED) \((.*)\)$")
# With -v: a case, whose outcome stands behind it, or begins a line where something was printed in between; below,
# a case or a class that failed.
UNITTEST_CASE = re.compile(r"^ *(\w+ \([\w.]+\))(?: |$)")
UNITTEST_OUTCOME = re.compile(r"(?:^|\.\.\. )(?:ok|FAIL|ERROR|expected failure|unexpected success)$")
UNITTEST_FAILED = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\w+ \([\w.]+\))")
# Why a case is skipped, as unittest and this project's cmocka tests say it.
REASON = re.compile(r"(?:^|\.\.\. )skipped:? (['\"]?)(.*)\1$")
# What a sanitizer's report begins with.
REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")


class Cases:
    """unittest's, a line each with -v. Its last line counts parts of cases (subTest) and whole classes, too: a case
    of which a part failed has failed; else, one of which a part was skipped was skipped."""

    FAILING = ("failures", "errors", "unexpected successes")
    NOT_CASES = ("setUp", "tearDown")  # which "Ran" doesn't count

    def __init__(self):
        self.case = None
        self.named = {"failed": [], "skipped": []}

    def read(self, line, skips):
        if match := UNITTEST_FAILED.match(line):
            self.named["failed"].append(match[1])
        elif match := UNITTEST_CASE.match(line):
            self.case = match[1]
        if skips:  # of a class that is skipped the name isn't told
            self.named["skipped"].append(self.case or f"setUpClass {len(self.named['skipped'])}")
        if skips or UNITTEST_OUTCOME.search(line):
            self.case = None

    def settle(self, words, counts):
        """Takes from those that passed what the last line's words say of others."""
        told = {word.strip(): int(number) for word, number in re.findall(r"([a-z ]+)=(\d+)", words)}
        told["failed"] = sum(told.get(word, 0) for word in self.FAILING)
        failed = set()
        for target in ("failed", "skipped"):
            number, named = told.get(target, 0), self.named[target]
            found = set(named) - failed if number else set()
            unnamed = max(0, number - len(named))
            counts[target] += len(found) + unnamed
            counts["passed"] -= sum(not case.startswith(self.NOT_CASES) for case in found) + unnamed
            failed |= found
        counts["passed"] = max(0, counts["passed"])


class Entry:
    """One test program: its output and the cases that it says it ran."""

    def __init__(self, name="?"):
        self.name = name
        self.output = []
        self.cases = Cases()
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.counted = False  # by itself
        self.reasons = []  # of those skipped
        self.reports = 0  # of sanitizers
        self.reported = False  # to a file

    def read(self, line):
        self.output.append(line)
        self.reports += bool(REPORT.search(line))
        reason = REASON.search(line)
        if reason:
            self.reasons.append(reason[2])
        self.cases.read(line, skips=bool(reason and reason[1]))
        if match := CMOCKA.match(line):
            self.counts[match[1].lower()] += int(match[2])
            self.counted = True
        elif match := UNITTEST_RAN.match(line):
            self.counts["passed"] += int(match[1])
            self.counted = True
        elif match := UNITTEST_END.match(line):
            self.cases.settle(match[1], self.counts)

    def take(self, path):
        self.output += [f"{path}:", *path.read_text(encoding="utf-8", errors="replace").splitlines()]
        self.reports += 1
        self.reported = True

    def close(self, status):
        """A program that crashed, hung or couldn't start has failed whatever it said before, as has one of whose
        processes a sanitizer had something to report."""
        if self.reported:
            self.counts["failed"] = max(1, self.counts["failed"])
        elif status == "Skipped":
            self.counts["skipped"] = max(1, self.counts["skipped"])
        elif status != "Passed":
            self.counts["failed"] = max(1, self.counts["failed"])
        elif not any(self.counts.values()):  # Python 3.11 exits 0 also when no case has a name that `-k` asks for
            self.counts["failed" if self.counted else "passed"] = 1


def note(journal, seconds, entry):
    line = {"program": entry.name, **entry.counts, "reasons": sorted(set(entry.reasons)), "reports": entry.reports,
            "seconds": seconds}
    print(json.dumps(line), file=journal, flush=True)


def report(entry, status):
    counts = entry.counts
    shown = [f"{number} {word}" for word, number in counts.items() if number or word == "passed"]
    print(f"{'ok  ' if not counts['failed'] else 'FAIL'} {entry.name:<32} {', '.join(shown)}", flush=True)
    if counts["failed"]:
        print(f"---- {entry.name}: {status}", *entry.output, "----", sep="\n", flush=True)


def report_slowest(seconds):
    """Of all, so that their shares can be seen."""
    if len(seconds) < 2:
        return
    slowest = sorted(seconds.items(), key=lambda item: -item[1])[:SLOWEST_SHOWN]
    print(f"the {len(slowest)} slowest of {len(seconds)} programs, {sum(seconds.values()):.0f} s in all:")
    for name, took in slowest:
        print(f"{took:8.1f} s  {name}")


class Tally:
    """What becomes of the programs, by ctest's lines."""

    def __init__(self, journal=None, reports=None):
        self.begun, self.seconds, self.most, self.journal, self.reports = {}, {}, 0, journal, reports
        self.taken = set()  # files of reports
        self.totals = {"passed": 0, "failed": 0, "skipped": 0}

    def read(self, line):
        if match := ENTRY_LINE.match(line):
            self.begun.setdefault(match[1], Entry()).read(match[2])
        elif match := START_LINE.match(line):
            self.begun.setdefault(match[1], Entry()).name = match[2]
        elif match := RESULT_LINE.match(line):
            self.most = int(match[1])
            entry = self.begun.pop(match[2], Entry())
            entry.name = match[3]
            self.seconds[entry.name] = float(match[5])
            self.end(entry, match[4].strip())

    def new_reports(self):
        """[(program, file)]: sanitizers write them to PROGRAM.PID."""
        files = sorted(set(self.reports.iterdir()) - self.taken) if self.reports else []
        return [(path.name.rpartition(".")[0], path) for path in files]

    def end(self, entry, status):
        for name, path in self.new_reports():
            if name == entry.name:
                entry.take(path)
                self.taken.add(path)
        entry.close(status)
        if self.journal and entry.name in self.seconds:
            note(self.journal, self.seconds[entry.name], entry)
        report(entry, status)
        for word, number in entry.counts.items():
            self.totals[word] += number

    def finish(self):
        """ctest may have been killed: what it hasn't told the end of has failed."""
        never = self.most - len(self.seconds) - len(self.begun)
        for entry in self.begun.values():
            self.end(entry, "ctest ended before it did")
        if never > 0:
            print(f"FAIL {never} of {self.most} programs hadn't begun when ctest ended")
            self.totals["failed"] += never
        for name in dict(self.new_reports()):
            self.end(Entry(name), "a process of it ended later")
        report_slowest(self.seconds)
        return self.totals


def main():
    parser = argparse.ArgumentParser(description="counts the test cases of ctest --verbose")
    parser.add_argument("log")
    parser.add_argument("journal", nargs="?")
    parser.add_argument("--reports", type=pathlib.Path, metavar="FOLDER", help="where sanitizers write PROGRAM.PID")
    options = parser.parse_args()
    sys.stdin.reconfigure(errors="replace")
    with contextlib.ExitStack() as opened:
        log = opened.enter_context(open(options.log, "w", encoding="utf-8"))
        journal = opened.enter_context(open(options.journal, "a", encoding="utf-8")) if options.journal else None
        course = Tally(journal, options.reports)
        for line in sys.stdin:
            log.write(line)
            course.read(line.rstrip("\r\n"))
        totals = course.finish()
    if not any(totals.values()):
        print("no test ran")
    skipped = f", {totals['skipped']} skipped" if totals["skipped"] else ""
    print(f"{totals['passed']} passed, {totals['failed']} failed{skipped}")
    return 1 if totals["failed"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
