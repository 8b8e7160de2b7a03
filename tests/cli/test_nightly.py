# SPDX-License-Identifier: Apache-2.0
"""The nightly job: scripts/nightly.sh, whose steps are all that the workflow runs, over a tiny suite;
the workflow; and that scenarios/nightly can run, within its time."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from patience import PATIENCE_S

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))
from soak_run import NO_QUARANTINE, sanitizers_told  # noqa: E402

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SCRIPT = SOURCE / "scripts/nightly.sh"
WORKFLOW = SOURCE / ".github/workflows/nightly.yml"
SMALL = "[load]\nconns = 2\nchurn = max\nclosed = 64\n"
MINUTES = 45
SHARDS = 2
FAMILIES_MINUTES = 10  # those bounded by connections took 5m26s at some 1,000 connections per second
ENDS_S = 6  # what a run takes beside its load: 5.3 s were measured
PROGRAM_MINUTES = 1.5  # a scenario of scenarios/servers and scenarios/clients: a minute of load


class Nightly(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-nightly-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "s").mkdir()
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("GITHUB_")}
        self.environment |= {"SOAK": str(BUILD / "bin/suite-stub"), "SOAK_ROOT": str(SOURCE),
                             "SCENARIOS": str(self.folder / "s"),
                             "RESULTS": str(self.folder / "r"), "NIGHT": "tonight"}

    def step(self, *words, code=0, script=SCRIPT):
        process = subprocess.run(["bash", script, *words], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, env=self.environment)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process.stdout + process.stderr

    def write(self, *names):
        for name in names:
            (self.folder / f"s/{name}.soak").write_text(SMALL, encoding="utf-8")

    def test_its_steps_run_two_shards_and_join_them(self):
        self.write("pass-1", "pass-2", "pass-3")
        self.step("shard", "1/2")
        self.step("shard", "2/2")
        self.step("merge")
        merged = json.loads((self.folder / "r-merged/suite.json").read_text(encoding="utf-8"))
        self.assertEqual(merged["totals"]["outcomes"]["as expected"], 3)
        self.assertTrue((self.folder / "r-merged/junit.xml").exists())
        self.assertTrue((self.folder / "r/tonight/junit-1-of-2.xml").exists())
        self.step("merge")

    def today(self, date):
        """The next steps run on that day, in the words of `date`."""
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "date").write_text(f"#!/bin/sh\necho {date}\n", encoding="utf-8")
        (tools / "date").chmod(0o700)
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"

    def test_each_night_has_its_own_verdict_where_those_before_are_kept(self):
        del self.environment["NIGHT"]
        self.write("pass-1", "pass-2")
        for date in ("20261129", "20261130"):
            self.today(date)
            self.step("shard", "1/2")
            self.step("shard", "2/2")
            self.step("merge")
        self.today("20261201")
        self.step("shard", "2/2")
        self.assertIn("missing: shard 1 of 2", self.step("merge", code=3))
        self.assertEqual(sorted(path.name for path in (self.folder / "r").iterdir()),
                         ["20261129", "20261130", "20261201"])

    def test_a_night_on_github_may_go_past_midnight(self):
        del self.environment["NIGHT"]
        self.environment["GITHUB_RUN_ID"] = "1234567"
        self.write("pass-1", "pass-2")
        for shard, date in ((1, "20261129"), (2, "20261130")):
            self.today(date)
            self.step("shard", f"{shard}/2")
        self.step("merge")

    def test_a_failure_is_the_exit_code_and_keeps_the_results(self):
        self.write("inconclusive-1", "leak-2")
        self.step("shard", "2/2", code=1)
        self.assertIn("missing: shard 1 of 2", self.step("merge", code=1))
        self.step("shard", "1/2", code=3)
        self.step("merge", code=1)
        merged = json.loads((self.folder / "r-merged/suite.json").read_text(encoding="utf-8"))
        self.assertEqual([s["outcome"] for s in merged["scenarios"]],
                         ["inconclusive", "not as expected"])

    def test_a_shard_that_never_ran_is_no_green_night(self):
        self.write("pass-1", "pass-2")
        self.step("shard", "2/2")
        self.step("merge", code=3)

    def test_it_refuses_what_it_does_not_know(self):
        for words in ((), ("shard",), ("shard", "1/2", "x"), ("merge", "x"), ("all",),
                      ("torture", "1/7", "x"), ("hour", "x"), ("campaigns", "x"), ("lint", "x"), ("instructions", "x")):
            self.assertIn("usage: nightly.sh shard K/N | merge | history | torture [K/N] | hour | "
                          "campaigns | lint | instructions | package",
                          self.step(*words, code=2))
        self.write("pass-1")
        self.assertIn("--shard 2: not of the form K/N", self.step("shard", "2", code=2))

    def test_the_history_is_added_to_and_a_step_fails_the_night(self):
        """The stub is a soak whose check finds something."""
        summary = self.folder / "summary.md"
        summary.write_text("before\n", encoding="utf-8")
        stub = self.folder / "soak"
        stub.write_text('#!/bin/sh\n[ "$2" = add ] && exit 0\n'
                        'for word; do file=${word#--markdown=}; done; echo "| table |" >"$file"\nexit 1\n',
                        encoding="utf-8")
        stub.chmod(0o700)
        self.environment |= {"SOAK": str(stub), "GITHUB_STEP_SUMMARY": str(summary)}
        self.step("history", code=1)
        self.assertEqual(summary.read_text(encoding="utf-8"), "before\n| table |\n")
        self.assertTrue((self.folder / "r-merged/history.md").exists())

    def test_two_nights_have_one_history(self):
        self.environment |= {"SOAK": str(BUILD / "bin/soak"), "SOAK_HISTORY": str(self.folder / "history.db"),
                             "GITHUB_ACTIONS": "true", "ImageOS": "ubuntu24"} | sanitizers_told(NO_QUARANTINE)
        self.write("a")
        for night in (1, 2):
            self.step("shard", "1/1")
            said = self.step("history")
            self.assertIn(f"{night} run{'s' if night > 1 else ''} added to ", said)
            self.assertIn(f"no step in 1 history, the longest of {night} run", said)

    def test_a_night_fails_a_seventh_of_the_allocations(self):
        told = self.folder / "told"
        stub = self.folder / "soak"
        stub.write_text(f'#!/bin/sh\necho "$@" >"{told}"\nexit 1\n', encoding="utf-8")
        stub.chmod(0o700)
        self.environment |= {"SOAK": str(stub)}
        self.step("torture", code=1)
        words = told.read_text(encoding="utf-8").split()
        self.assertEqual(words[:3], ["run", "default", "--fail-alloc"])
        day = words[words.index("--slice") + 1]
        self.assertRegex(day, r"^[1-7]/7$")
        self.assertTrue(words[-1].endswith(f"/r/torture-{day.replace('/', '-of-')}.json"))
        self.step("torture", "1/1", code=1)
        self.assertIn("--slice 1/1 ", told.read_text(encoding="utf-8"))

    def test_the_slice_really_runs(self):
        self.environment |= {"SOAK": str(BUILD / "bin/soak")}
        self.step("torture", "1000/1000")
        document = json.loads((self.folder / "r/torture-1000-of-1000.json").read_text("utf-8"))
        self.assertEqual(document["schema"], "soak-torture/1")

    def test_an_hour_and_the_harness_are_looked_at_and_either_fails_the_week(self):
        told = self.folder / "told"
        stub = self.folder / "soak"
        self.environment |= {"SOAK": str(stub), "ENDURANCE": "2k"}
        for suite, selftest, code in ((0, 0, 0), (3, 0, 3), (0, 1, 1), (1, 4, 1)):
            stub.write_text(f'#!/bin/sh\necho "$@" >>"{told}"\n'
                            f'[ "$1" = suite ] && exit {suite}\nexit {selftest}\n', encoding="utf-8")
            stub.chmod(0o700)
            told.unlink(missing_ok=True)
            self.step("hour", code=code)
            first, second = told.read_text(encoding="utf-8").splitlines()
            self.assertEqual(first, f"suite {self.folder}/s --results {self.folder}/r "
                             f"--junit={self.folder}/r/junit-hour.xml")
            self.assertEqual(second, "selftest --endurance 2k")

    def test_campaigns_by_the_date_are_all_made_and_any_fails_the_week(self):
        told, summary, stub = self.folder / "told", self.folder / "summary.md", self.folder / "soak"
        self.environment |= {"SOAK": str(stub), "RUNS": "7", "GITHUB_STEP_SUMMARY": str(summary)}
        for fails, code in (("none", 0), ("clean", 1), ("sensitivity", 1)):
            stub.write_text(f'#!/bin/sh\necho "$@" >>"{told}"\n'
                            'for word; do file=${word#--markdown=}; done; echo "## $3" >>"$file"\n'
                            f'[ "$3" != {fails} ]\n', encoding="utf-8")
            stub.chmod(0o700)
            for path in (told, summary, self.folder / "r/campaigns.md"):
                path.unlink(missing_ok=True)
            self.step("campaigns", code=code)
            self.assertEqual(summary.read_text(encoding="utf-8"), "## clean\n## leaks\n## sensitivity\n")
            lines = told.read_text(encoding="utf-8").splitlines()
            for line, which in zip(lines, ("clean --runs 7", "leaks --runs 7", "sensitivity --simulated --runs 10000")):
                self.assertRegex(line, rf"^selftest --campaign {which} --seed 20\d{{6}} .*"
                                 rf"--results {self.folder}/r/campaigns/20\d{{6}}/{which.split()[0]} ")
            self.assertEqual(len(lines), 3)

    def test_campaigns_of_two_weeks_lie_side_by_side(self):
        """Only the simulated one is made, and a small one."""
        stub = self.folder / "soak"
        stub.write_text('#!/bin/sh\n[ "$3" = sensitivity ] || exit 0\nshift 6\n'
                        f'exec "{BUILD}/bin/soak" selftest --campaign sensitivity --simulated --runs 20 "$@"\n',
                        encoding="utf-8")
        stub.chmod(0o700)
        self.environment |= {"SOAK": str(stub)}
        for week in ("20261123", "20261130", "20261130"):  # the second once more: it is over, and says so again
            self.today(week)
            self.step("campaigns")
        self.assertEqual(sorted(path.name for path in (self.folder / "r/campaigns").iterdir()), ["20261123", "20261130"])

    def test_instructions_without_figures_to_compare_with_are_no_green_night(self):
        """In a tree of stubs: 77 is a skip in ctest."""
        for name in ("scripts", "bench"):
            (self.folder / name).mkdir()
        shutil.copy(SCRIPT, self.folder / "scripts")
        told = self.folder / "told"
        (self.folder / "scripts/setup.sh").write_text(f'echo "$1" >>"{told}"\n', encoding="utf-8")
        for code in (0, 1, 77):
            (self.folder / "bench/instructions.py").write_text(f"raise SystemExit({code})\n", encoding="utf-8")
            self.step("instructions", code=code, script=self.folder / "scripts/nightly.sh")
        self.assertEqual(told.read_text(encoding="utf-8"), 3 * "lint\nrun\n")

    def test_the_hour_is_one_and_can_run(self):
        files = sorted((SOURCE / "scenarios/weekly").glob("*.soak"))
        self.assertEqual([path.name for path in files], ["hour.soak"])
        shown = subprocess.run([BUILD / "bin/soak", "show", files[0]], capture_output=True, text=True, check=True,
                               env=self.environment).stdout
        for line in (r"for += (1h|60m|3600s)", r"sensitivity += 1/20000", r"limit-rss += 8B/conn"):
            self.assertRegex(shown, rf"(?m)^{line}\b")

    def test_its_steps_are_those_of_the_workflow(self):
        """What holds for every workflow is in test_ci.py."""
        text = WORKFLOW.read_text(encoding="utf-8")
        steps = re.findall(r"(?m)^ +(?:- )?run: (.*)$", text)
        self.assertEqual(steps, ["sh scripts/setup.sh ci",
                                 "bash scripts/nightly.sh shard ${{ matrix.shard }}/2",
                                 "bash scripts/nightly.sh merge",
                                 "bash scripts/nightly.sh history",
                                 "bash scripts/nightly.sh torture ${{ github.event.schedule == "
                                 "'17 5 * * 0' && '1/1' || '' }}",
                                 "bash scripts/nightly.sh hour",
                                 "bash scripts/nightly.sh campaigns",
                                 "bash scripts/nightly.sh package",
                                 "bash scripts/nightly.sh lint",
                                 "bash scripts/nightly.sh instructions",
                                 "sh scripts/setup.sh ci",
                                 "bash scripts/coverage.sh --write",
                                 "sh scripts/setup.sh ci",
                                 "bash scripts/fuzz.sh 30"])
        # What the weekly step asks for is one of the workflow's times.
        self.assertIn('- cron: "17 5 * * 0"\n', text)

    def test_all_scenarios_can_run_and_end_in_time(self):
        """Shard 64 is empty, but every scenario is read and checked."""
        self.environment |= {"SOAK": str(BUILD / "bin/soak")}
        self.environment.pop("SCENARIOS")
        self.step("shard", "64/64")
        minutes = FAMILIES_MINUTES
        for path in sorted((SOURCE / "scenarios/nightly").glob("*.soak")):
            text = path.read_text(encoding="utf-8")
            self.assertTrue(text.startswith("# "), f"{path}: it opens with what it proves")
            # A night is as long on a fast machine.
            self.assertNotRegex(text, r"(?m)^closed ", path)
            minutes += (int(re.search(r"(?m)^for += (\d+)s$", text)[1]) + ENDS_S) / 60
        self.assertGreater(minutes, FAMILIES_MINUTES)
        self.assertLess(minutes, MINUTES)
        programs = [path for folder in ("servers", "clients") for path in (SOURCE / "scenarios" / folder).glob("*.soak")]
        self.assertGreater(len(programs), 12)
        for path in programs:
            shown = subprocess.run([BUILD / "bin/soak", "show", path], capture_output=True, text=True, check=True,
                                   env=self.environment).stdout
            self.assertRegex(shown, r"(?m)^needs += \w", path)
        self.assertLess((minutes + PROGRAM_MINUTES * len(programs)) / SHARDS, MINUTES)

    def test_what_is_not_installed_is_skipped_and_no_green_night(self):
        self.environment |= {"SOAK": str(BUILD / "bin/soak")}
        (self.folder / "s/other.soak").write_text(SMALL + "[suite]\nneeds = no-such-program\n", encoding="utf-8")
        said = self.step("shard", "1/1", code=3)
        self.assertIn("SKIPPED  1 of 1 scenario is skipped", said)
        self.assertIn("--needs no-such-program: no such program in PATH; install it", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
