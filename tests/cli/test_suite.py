# SPDX-License-Identifier: Apache-2.0
"""`soak suite` and `soak merge`: shards, expectations, exit codes and each form of the result. Most of
it over made-up runs (suite_stub.c), where a scenario's name says what it comes to; a few over real
ones."""

import copy
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from patience import PATIENCE_S, until
from terminal import shown
import junit_check
from schemas import VALIDATOR, read_schema, strict

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK, STUB = BUILD / "bin/soak", BUILD / "bin/suite-stub"
SCHEMA = read_schema("soak-suite-1")
SMALL = "[load]\nconns = 2\nchurn = max\nclosed = 64\n"
# A suite of every kind, 24 files.
MANY = [f"pass-{n:02}" for n in range(16)] + ["leak-16", "leak-17", "inconclusive-18", "invalid-19",
                                               "none-20", "crash-21", "torn-22", "unsure-23"]


def timeless(text):
    """The text with every time as 0s, and as wide as it was."""
    return re.sub(r"\b( *)(\d+h)?(\d+m)?\d+s\b",
                  lambda m: (len(m[0]) - 2) * " " + "0s" if m[1] else "0s", text)


class Suite(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-suite-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("GITHUB_")}
        self.environment["SOAK_ROOT"] = str(SOURCE)

    def write(self, names, text=SMALL, expect=None):
        (self.folder / "s").mkdir(exist_ok=True)
        for name in names:
            wanted = f"[suite]\nexpect = {expect}\n" if expect else ""
            (self.folder / f"s/{name}.soak").write_text(text + wanted, encoding="utf-8")

    def soak(self, *arguments, program=STUB, code=0):
        process = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, cwd=self.folder, env=self.environment)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process

    def suite(self, *options, code=0, results="r", program=STUB, what="s"):
        """Runs the suite of the folder; its document."""
        self.soak("suite", what, "--results", results, *options, program=program, code=code)
        return self.document(results)

    def document(self, results="r"):
        """That of the latest suite; the times of files are too coarse to tell."""
        return json.loads((self.folder / results / "last/suite.json").read_text(encoding="utf-8"))

    def outcomes(self, document):
        return {s["name"]: s["outcome"] for s in document["scenarios"]}

    def refused(self, sentence, *arguments, program=STUB):
        process = self.soak(*arguments, program=program, code=2)
        self.assertEqual((process.stderr, process.stdout), (f"soak: {sentence}\n", ""))


class Shards(Suite):
    def test_24_scenarios_as_two_shards_merge_to_the_totals_of_one(self):
        self.write(MANY)
        whole = self.suite("--junit=whole.xml", code=1)
        first = self.suite("--shard", "1/2", results="two", code=1)
        second = self.suite("--shard=2/2", results="two", code=1)
        names = [s["name"] for s in whole["scenarios"]]
        self.assertEqual(names, sorted(MANY))
        self.assertEqual([s["name"] for s in first["scenarios"]], names[0::2])
        self.assertEqual([s["name"] for s in second["scenarios"]], names[1::2])
        self.soak("merge", "two", "--json=merged.json", "--junit=merged.xml", code=1)
        merged = json.loads((self.folder / "merged.json").read_text(encoding="utf-8"))

        def comparable(document):
            document = copy.deepcopy(document)
            document["totals"].pop("seconds")
            for scenario in document["scenarios"]:
                scenario.pop("seconds"), scenario.pop("shard"), scenario.pop("started")
            return [document[key] for key in ("totals", "exit", "listed", "scenarios")]

        self.assertEqual(comparable(merged), comparable(whole))
        self.assertEqual(whole["totals"]["scenarios"], 24)
        self.assertEqual(whole["totals"]["closed"],
                         sum(s["closed"] for s in whole["scenarios"]))
        self.assertEqual(whole["totals"]["outcomes"],
                         {"as expected": 17, "not as expected": 3, "inconclusive": 1, "broken": 3,
                          "interrupted": 0, "skipped": 0, "not run": 0})

        def without_time(name):
            text = (self.folder / name).read_text(encoding="utf-8")
            return re.sub(r' (time|timestamp)="[^"]+"', "", text)

        self.assertEqual(without_time("merged.xml"), without_time("whole.xml"))

    def test_every_scenario_is_in_exactly_one_shard_of_any_number(self):
        self.write([f"pass-{n:02}" for n in range(7)])
        for of in (1, 2, 3, 7, 9):
            names = []
            for shard in range(1, of + 1):
                document = self.suite("--shard", f"{shard}/{of}", results=f"r{of}")
                names += [s["name"] for s in document["scenarios"]]
            self.assertEqual(sorted(names), [f"pass-{n:02}" for n in range(7)])

    def test_a_missing_shard_is_said_and_no_success(self):
        self.write([f"pass-{n}" for n in range(5)])
        self.suite("--shard", "2/3")
        process = self.soak("merge", "r", "--json=m.json", code=3)
        self.assertIn("missing: shard 1, 3 of 3; its scenarios count as not run\n", process.stdout)
        merged = json.loads((self.folder / "m.json").read_text(encoding="utf-8"))
        self.assertEqual(merged["totals"]["outcomes"]["not run"], 3)
        self.suite("--shard", "1/3", results="others")
        self.suite("--shard", "3/3", results="others")
        self.soak("merge", "m.json", "others")

    def test_a_copy_that_follows_links_merges_as_what_was_copied(self):
        """As GitHub makes of an artifact: `last` arrives as a folder."""
        self.write(["pass-1", "pass-2"])
        for shard in ("1", "2"):
            self.suite("--shard", f"{shard}/2", results=f"night{shard}")
            shutil.copytree(self.folder / f"night{shard}", self.folder / "down", dirs_exist_ok=True)
        self.assertFalse((self.folder / "down/last").is_symlink())
        folders = sorted(path.relative_to(self.folder) for path in (self.folder / "down").iterdir())
        self.assertEqual([path.name for path in folders][-1], "last")
        for words in (["down"], folders, ["down/last", "night1"], ["night1", "night1", "night2"]):
            with self.subTest(words=words):
                self.soak("merge", *words, "--json=m.json")
                merged = json.loads((self.folder / "m.json").read_text(encoding="utf-8"))
                self.assertEqual(self.outcomes(merged), {"pass-1": "as expected", "pass-2": "as expected"})

    def test_what_is_there_twice_or_of_another_suite_is_refused(self):
        self.write(["pass-1", "pass-2"])
        self.suite("--shard", "1/2")
        self.suite("--shard", "1/2", results="again")
        path = next((self.folder / "again").glob("2*/suite.json"))
        self.refused(f"merge: {path.relative_to(self.folder)}: shard 1 of 2 is there already",
                     "merge", "r", "again")
        document = json.loads(path.read_text(encoding="utf-8"))
        document["shards"][0]["index"] = 2
        path.write_text(json.dumps(document), encoding="utf-8")
        process = self.soak("merge", "r", "again", code=2)
        self.assertRegex(process.stderr, r"^soak: merge: \S+ and \S+: both have run 'pass-1'\n$")
        self.write(["pass-3"])
        self.suite("--shard", "2/2", results="other")
        process = self.soak("merge", "r", "other", code=2)
        self.assertIn("they list different scenarios; they aren't shards of one suite",
                      process.stderr)
        self.suite("--shard", "2/3", results="thirds")
        process = self.soak("merge", "other", "thirds", code=2)
        self.assertIn(" is a shard of 3, and the first one is a shard of 2; merge the shards of one suite",
                      process.stderr)
        self.suite(results="whole")
        self.assertIn(" is a whole suite, and the first one is a shard of 2; merge the",
                      self.soak("merge", "other", "whole", code=2).stderr)

    def test_other_versions_and_options_are_noted(self):
        self.write(["pass-1", "pass-2"])
        self.suite("--shard", "1/2")
        self.suite("--shard", "2/2", "--seed", "7")
        path = max((self.folder / "r").glob("2*/suite.json"))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"version": "', '"version": "9.'), encoding="utf-8")
        said = self.soak("merge", "r").stdout
        self.assertRegex(said, r"the versions of soak differ: \S+; 9\.\S+\n")
        self.assertIn("the options differ: none; --seed=7\n", said)

    def test_bad_documents_get_one_sentence(self):
        self.write(["pass-1"])
        good = self.suite()

        def changed(change):
            document = copy.deepcopy(good)
            change(document)
            return json.dumps(document)

        cases = [
            ("{", ":1: not JSON: string or '}' expected near end of file"),
            ("[]", ": not a suite of soak's (soak-suite/1)"),
            ('{"schema": "soak/1"}', ": not a suite of soak's (soak-suite/1)"),
            (changed(lambda d: d.pop("listed")), ": 'listed' is not a list of at most 4096"),
            (changed(lambda d: d["listed"].append("pass-1")), ": 'listed' has 'pass-1' twice"),
            (changed(lambda d: d.update(shards=[])), ": it names no shard"),
            (changed(lambda d: d["shards"][0].update(of=0)),
             ": shard 1: there is no shard 1 of 0"),
            (changed(lambda d: d["shards"][0].update(index=-1)), ": shard 1: 'index' is not a count"),
            (changed(lambda d: d["shards"][0].update(options="--sni=x; id")),
             ": shard 1: 'options' are not quoted for a shell"),
            (changed(lambda d: d["shards"][0].update(options="'--sni=x")),
             ": shard 1: 'options' are not quoted for a shell"),
            (changed(lambda d: d["shards"][0].update(end="?")),
             ": shard 1: 'end' is none of this version's words"),
            (changed(lambda d: d["scenarios"][0].pop("closed")),
             ": scenario 1: 'closed' is not a count"),
            (changed(lambda d: d["scenarios"][0].update(name=3)), ": scenario 1: 'name' is not a text"),
            (changed(lambda d: d["scenarios"][0].update(said="x" * 5000)),
             ": scenario 1: 'said' is longer than 4096 bytes or holds a zero"),
            (changed(lambda d: d["scenarios"][0].update(seconds=None)),
             ": scenario 1: 'seconds' is not a duration"),
            (changed(lambda d: d["scenarios"].append(d["scenarios"][0])),
             ": scenario 2: 'pass-1' is there already"),
            (changed(lambda d: d["scenarios"][0].update(outcome="fine")),
             ": scenario 1: 'outcome' is none of this version's words"),
            (changed(lambda d: d["scenarios"][0]["metrics"][0].update(limit="1")),
             ": scenario 1: metric 1: 'limit' is not a number"),
            (changed(lambda d: d["scenarios"][0]["course"].update(subject="nobody")),
             ": scenario 1: 'course' is of no subject that there is"),
            (changed(lambda d: d["scenarios"][0]["course"].pop("unit")),
             ": scenario 1: 'course' has no 'id' or no 'unit'"),
            (changed(lambda d: d["scenarios"][0]["course"]["value"].pop()),
             ": scenario 1: 'course' is not of 2 to 24 points"),
            (changed(lambda d: d["scenarios"][0]["course"].update(closed=list(range(25)), value=[1] * 25)),
             ": scenario 1: 'course' is not of 2 to 24 points"),
            (changed(lambda d: d["scenarios"][0]["course"].update(closed=[1, 0], value=[1, 2])),
             ": scenario 1: 'course': 'closed' of point 2 is not a count that follows"),
            (changed(lambda d: d["scenarios"][0]["course"].update(closed=[1, 2], value=[1, None])),
             ": scenario 1: 'course': 'value' of point 2 is not a number"),
            (changed(lambda d: d["scenarios"][0].update(name="pass-2")),
             ": it has run 'pass-2', which it doesn't list"),
        ]
        for text, sentence in cases:
            with self.subTest(sentence=sentence):
                (self.folder / "bad.json").write_text(text, encoding="utf-8")
                self.refused(f"merge: bad.json{sentence}", "merge", "bad.json")
        os.mkfifo(self.folder / "pipe")
        self.refused("merge: pipe: this is a pipe or a device, and a regular file is needed", "merge", "pipe")


class Believed(Suite):
    """Nothing that a document says of itself is believed where it follows from the rest."""

    def changed(self, name, **keys):
        """The document of a suite of one scenario, with some of its keys changed."""
        shutil.rmtree(self.folder / "s", ignore_errors=True)
        self.write([name])
        subprocess.run([STUB, "suite", "s", "--results=r", "--json=bad.json"], check=False,
                       capture_output=True, cwd=self.folder, env=self.environment)
        document = json.loads((self.folder / "bad.json").read_text(encoding="utf-8"))
        document["scenarios"][0].update(keys)
        (self.folder / "bad.json").write_text(json.dumps(document), encoding="utf-8")

    def test_an_outcome_is_derived_again(self):
        cases = [("leak-1", {"outcome": "as expected"}, "LEAK", "pass", "not as expected", 1),
                 ("pass-1", {"expect": "leak"}, "PASS", "leak", "not as expected", 1),
                 ("inconclusive-1", {"outcome": "as expected"}, "INCONCLUSIVE", "pass",
                  "inconclusive", 3),
                 ("torn-1", {"outcome": "as expected", "expect": "leak"}, "LEAK", "leak",
                  "broken", 4),
                 ("none-1", {"outcome": "as expected"}, "no verdict", "pass", "broken", 4),
                 ("pass-1", {"exit": 4}, "PASS", "pass", "broken", 4)]
        for name, keys, verdict, expect, outcome, code in cases:
            with self.subTest(name=name, **keys):
                self.changed(name, **keys)
                said = self.soak("merge", "bad.json", "--json=m.json", code=code).stdout
                claimed = keys.get("outcome", "as expected")
                self.assertIn(f"  {name} was called {claimed}; by {verdict} and 'expect = {expect}' "
                              f"it is {outcome}\n", said)
                merged = json.loads((self.folder / "m.json").read_text(encoding="utf-8"))
                self.assertEqual(self.outcomes(merged), {name: outcome})
                self.assertEqual(merged["exit"], code)

    def test_an_outcome_that_follows_is_not_remarked_on(self):
        for name, code in (("leak-1", 1), ("pass-1", 0), ("none-1", 4), ("interrupt-1", 3)):
            self.changed(name)
            self.assertNotIn("was called", self.soak("merge", "bad.json", code=code).stdout)

    def test_what_contradicts_itself_or_has_no_meaning_is_refused(self):
        leak = {"name": "server", "verdict": "LEAK", "kind": "object-retained"}
        site = {"subject": "server", "verdict": "LEAK", "kind": "object-retained", "file": "a.c",
                "line": 1}
        cases = [
            ({"subjects": [leak], "findings": [], "metrics": []}, "'verdict' is PASS beside the server's LEAK"),
            ({"subjects": [leak, leak]}, "subject 2: 'server' is there already"),
            ({"subjects": [{**leak, "verdict": "FINE"}]},
             "subject 1: 'verdict' is none of this version's words"),
            ({"subjects": [{**leak, "kind": "ghost"}]},
             "subject 1: 'kind' is none of this version's words"),
            ({"findings": [{**site, "subject": "nobody"}]},
             "finding 1: there is no subject 'nobody'"),
            ({"findings": [{**site, "line": 1 << 40}]}, "finding 1: 'line' is not a line's number"),
            ({"expect": "perhaps"}, "'expect': it begins with pass, leak, inconclusive or invalid, "
                                    "such as 'leak site=server/defect.c'"),
            ({"verdict": "pass"}, "'verdict' is none of this version's words"),
            ({"kind": "ghost"}, "'kind' is none of this version's words"),
            ({"seed": "1; rm x"}, "'seed' is not a seed"),
            ({"started": "yesterday"}, "'started' is not a time, such as 2026-11-28T11:05:21Z"),
            *(({"site": site}, "'site' is not a file and a line, such as server/defect.c:41")
              for site in ("x.c", "x.c:", "x.c:41a")),
            ({"seconds": 1e300}, "'seconds' is not a duration"), ({"shard": 0}, "'shard' is not a shard"),
            ({"closed": 1 << 60}, "'closed' is not a count"), ({"exit": 256}, "'exit' is not an exit code"),
        ]
        for keys, sentence in cases:
            with self.subTest(**keys):
                self.changed("pass-1", **keys)
                self.refused(f"merge: bad.json: scenario 1: {sentence}", "merge", "bad.json")


class Text(Suite):
    def test_the_summary_says_what_failed_and_what_to_type(self):
        self.write(["pass-1", "leak-22"])
        self.write(["pass-3"], expect="leak")
        said = self.soak("suite", "s", "--results=r", "--sni=a b", "--junit=j.xml", code=1).stdout
        self.assertEqual(timeless(said), """\
1/3  leak-22  LEAK          expected PASS        1,022 connections      0s
2/3  pass-1   PASS          as expected          1,001 connections      0s
3/3  pass-3   PASS          expected LEAK        1,003 connections      0s

FAILED  2 of 3 scenarios are not as expected (0s)

  leak-22   LEAK  keeps <32 B> & "more", 100%
      files     runs/here
      again     ./soak run s/leak-22.soak '--sni=a b' --seed 7f3a
      if known  in [suite]: expect = leak kind=side-allocation-lost site=server/defect.c

  pass-3    PASS  nothing grows
      expected  leak
      files     runs/here
      again     ./soak run s/pass-3.soak '--sni=a b' --seed 7f3a
      if mended in [suite]: expect = pass

  1 as expected · 2 not · 0 inconclusive · 0 broken · exit 1 · j.xml
""")
        self.assertLessEqual(max(len(line) for line in said.splitlines()), 100)

    def test_an_inconclusive_one_names_the_report_that_has_the_command_to_settle_it(self):
        self.write(["inconclusive-1", "gone-2"])
        said = self.soak("suite", "s", "--results=r", code=3).stdout
        self.assertIn("""
  gone-2           SKIPPED  bookworm has no tinyd=1.0-1, or no longer
      again     ./soak run s/gone-2.soak

  inconclusive-1   INCONCLUSIVE  too few
      files     runs/here
      settle it ./soak report runs/here
      again     ./soak run s/inconclusive-1.soak --seed 7f3a
""", said)

    def test_a_terminal_gets_lines_that_fit_and_commands_that_can_be_pasted(self):
        self.write(["pass-1", "leak-22", "inconclusive-4", "gone-5"])
        said = self.soak("suite", "s", "--results=r", "--sni=a b", code=1).stdout
        commands = [shlex.split(line) for line in re.findall(r"(?:again|settle it) +(.*)", said)]
        for columns in (48, 60, 80):
            text, code = shown(columns, [STUB, "suite", "s", "--results=r", "--sni=a b"], cwd=self.folder,
                               env={**self.environment, "LC_ALL": "C.UTF-8"}, stderr=subprocess.DEVNULL)
            self.assertEqual(code, 1)
            self.assertEqual([line for line in text.splitlines()
                              if len(line) > columns and "expect = " not in line], [])
            plain, _ = shown(columns, [STUB, "suite", "s", "--results=r", "--sni=a b"], cwd=self.folder,
                             env={**self.environment, "LC_ALL": "C"}, stderr=subprocess.DEVNULL)
            self.assertTrue(plain.isascii(), plain)
            lines = text.replace("\\\n", "")
            self.assertEqual([shlex.split(line) for line in re.findall(r"(?:again|settle it) +(.*)", lines)], commands)

    def test_the_line_that_runs_one_again_is_that_of_a_shell(self):
        self.write(["leak-1"])
        self.suite("--alpn=a'b c", "--json=j.json", code=1)
        for arguments in (("suite", "s", "--results=r", "--alpn=a'b c"), ("merge", "j.json")):
            line, = re.findall(r"again +(.*)", self.soak(*arguments, code=1).stdout)
            self.assertEqual(shlex.split(line), ["./soak", "run", "s/leak-1.soak", "--alpn=a'b c",
                                                 "--seed", "7f3a"])

    def test_a_scenario_of_a_clone_is_found_from_another_folder(self):
        """By the whole path; by a short one in the clone itself, and in documents, which go from machine to machine."""
        self.write(["leak-1"])
        clone, here = self.folder, tempfile.mkdtemp(prefix="soak-here-")
        self.addCleanup(shutil.rmtree, here, ignore_errors=True)
        (clone / "s").rename(clone / "scenarios")
        self.environment["SOAK_ROOT"] = str(clone)
        for folder, path in ((clone, "scenarios/leak-1.soak"), (here, f"{clone}/scenarios/leak-1.soak")):
            self.folder = pathlib.Path(folder)
            said = self.soak("suite", "leak-1", "--results=r", code=1).stdout.replace("\\\n", "")
            again, = re.findall(r"again +(.*)", said)
            self.assertEqual(shlex.split(again), ["./soak", "run", path, "--seed", "7f3a"])
            self.assertEqual(self.document()["scenarios"][0]["file"], "scenarios/leak-1.soak")

    def test_a_run_is_repeated_with_all_its_options_or_not_at_all(self):
        self.write(["leak-1"])
        for quotes, said in ((100, True), (500, False)):  # each takes four bytes
            given = [f"--env=N{k}={quotes * chr(39)} {'x' * 400}" for k in range(4)]
            self.suite(*given, "--alpn=a\tb'c", "--json=j.json", code=1)
            for arguments in (("suite", "s", "--results=r", *given), ("merge", "j.json")):
                lines = re.findall(r"again +(.*)", self.soak(*arguments, code=1).stdout)
                self.assertEqual(len(lines), said)
                self.assertTrue(all(set(given) <= set(shlex.split(line)) for line in lines), lines)

    def test_what_it_suggests_to_expect_is_met_when_it_is_written(self):
        for name in ("leak-1", "clientleak-1", "programleak-1", "serverleak-1"):
            shutil.rmtree(self.folder / "s", ignore_errors=True)
            self.write([name])
            said = self.soak("suite", "s", "--results=r", code=1).stdout
            expect, = re.findall(r"if known  in \[suite\]: expect = (.*)", said)
            self.write([name], expect=expect)
            self.suite()

    def test_each_end_has_its_headline(self):
        for names, code, headline in (
                (["pass-1"], 0, "PASSED  1 scenario is as expected (0s)"),
                (["pass-1", "pass-2"], 0, "PASSED  all 2 scenarios are as expected (0s)"),
                (["none-1", "pass-2"], 4, "FAILED  1 of 2 scenarios is broken (0s)"),
                (["pass-1", "inconclusive-2"], 3,
                 "INCONCLUSIVE  1 of 2 scenarios is undecided (0s)"),
                (["gone-1", "pass-2"], 3, "SKIPPED  1 of 2 scenarios is skipped (0s)"),
                (["gone-1", "inconclusive-2"], 3,
                 "INCONCLUSIVE  2 of 2 scenarios are undecided (0s)"),
                (["gone-1", "none-2"], 4, "FAILED  1 of 2 scenarios is broken (0s)"),
                (["interrupt-2", "pass-3"], 130,
                 "INTERRUPTED  2 of 2 scenarios are undecided (0s)")):
            with self.subTest(names=names):
                shutil.rmtree(self.folder / "s", ignore_errors=True)
                self.write(names)
                process = self.soak("suite", "s", "--results=r", "--quiet", code=code)
                self.assertEqual(timeless(process.stdout), headline + "\n")

    def test_a_package_that_is_gone_is_skipped_loudly_whatever_is_expected(self):
        for expect in ("pass", "leak"):
            shutil.rmtree(self.folder / "s", ignore_errors=True)
            self.write(["gone-1", "pass-2"] if expect == "pass" else ["gone-1", "leak-2"], expect=expect)
            process = subprocess.run([STUB, "suite", "s", "--results=r", "--json=j.json"], text=True,
                                     capture_output=True, cwd=self.folder, check=False,
                                     env={**self.environment, "GITHUB_ACTIONS": "true"})
            document = json.loads((self.folder / "j.json").read_text(encoding="utf-8"))
            outcomes = document["totals"]["outcomes"]
            self.assertEqual((process.returncode, document["exit"]), (3, 3))
            self.assertEqual((outcomes["as expected"], outcomes["skipped"]), (1, 1))
            self.assertIn(" · 1 skipped · exit 3", process.stdout)
            self.assertIn("gone-1   SKIPPED  bookworm has no tinyd=1.0-1, or no longer", process.stdout)
            self.assertIn("::warning file=s/gone-1.soak,title=gone-1::skipped: bookworm has no",
                          process.stdout)

    def test_piped_it_says_which_scenario_runs_and_how_long_it_takes(self):
        self.write(["pass-1", "pass-2"], "[load]\nconns = 2\nchurn = 100/s\nfor = 3m\n")
        process = self.soak("suite", "s", "--results=r")
        first, second = process.stderr.splitlines()
        self.assertEqual(first, "1/2 pass-1 ...  about 6m04s for all")
        self.assertRegex(second, r"^2/2 pass-2 \.\.\.  about (\d+m)?\d+s left$")
        self.assertEqual(self.soak("suite", "s", "--results=r", "--quiet").stderr, "")

    def test_last_is_the_suite_that_was_begun_last(self):
        self.write(["pass-1"])
        self.suite()
        self.suite()
        last = self.folder / "r/last"
        self.assertEqual(os.readlink(last), max(p.name for p in (self.folder / "r").glob("2*")))
        self.soak("merge", "r/last")


class Verdicts(Suite):
    def test_each_outcome_has_its_exit_code(self):
        cases = [(["pass-1", "unsure-2"], 0), (["pass-1", "leak-2"], 1), (["torn-1"], 1),
                 (["pass-1", "inconclusive-2"], 3), (["invalid-1"], 4), (["none-1"], 4),
                 (["crash-1"], 4), (["unwritten-1"], 4), (["inconclusive-1", "invalid-2"], 4),
                 (["leak-1", "invalid-2", "inconclusive-3"], 1)]
        for names, code in cases:
            with self.subTest(names=names):
                shutil.rmtree(self.folder / "s", ignore_errors=True)
                self.write(names)
                self.assertEqual(self.suite(code=code)["exit"], code)

    def test_what_is_expected_decides(self):
        right = "leak kind=side-allocation-lost site=server/defect.c:74"
        cases = [("leak-1", "leak", "as expected"), ("leak-1", right, "as expected"),
                 ("leak-1", "leak kind=object-retained", "not as expected"),
                 ("leak-1", "leak site=server/conn.c", "not as expected"),
                 ("clientleak-1", "leak", "not as expected"),
                 ("clientleak-1", "leak subject=client", "as expected"),
                 ("leak-1", "leak subject=client", "not as expected"),
                 ("programleak-1", "leak kind=side-allocation-lost", "as expected"),
                 ("programleak-1", "leak subject=client", "as expected"),
                 ("programleak-1", "leak subject=server", "not as expected"),
                 ("serverleak-1", "leak", "not as expected"),
                 ("serverleak-1", "leak subject=server", "as expected"),
                 ("pass-1", "leak", "not as expected"), ("inconclusive-1", "leak", "inconclusive"),
                 ("inconclusive-1", "inconclusive", "as expected"),
                 ("invalid-1", "invalid", "as expected"), ("none-1", "invalid", "broken"),
                 ("torn-1", "leak", "broken"), ("interruptedleak-1", "pass", "not as expected"),
                 ("interruptedleak-1", "leak", "interrupted")]
        for name, expect, outcome in cases:
            with self.subTest(name=name, expect=expect):
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir()
                self.write([name], expect=expect)
                process = subprocess.run([STUB, "suite", "s", "--results", "r"], check=False,
                                         capture_output=True, text=True, cwd=self.folder,
                                         env=self.environment)
                document = self.document()
                self.assertEqual(self.outcomes(document), {name: outcome}, process.stderr)
                self.assertEqual(document["scenarios"][0]["expect"], expect)

    def test_fail_fast_ends_at_the_first_failure_and_keeps_the_rest_as_not_run(self):
        self.write(["a", "b", "c"])
        for old, new in (("a", "inconclusive-1"), ("b", "leak-2"), ("c", "pass-3")):
            (self.folder / f"s/{old}.soak").rename(self.folder / f"s/{new}.soak")
        document = self.suite("--fail-fast", "--junit=j.xml", code=1)
        self.assertEqual(self.outcomes(document),
                         {"inconclusive-1": "inconclusive", "leak-2": "not as expected",
                          "pass-3": "not run"})
        self.assertEqual(document["shards"][0]["end"], "failed")
        self.assertEqual(ElementTree.parse(self.folder / "j.xml").getroot().get("tests"), "6")
        self.assertEqual(self.suite(code=1)["totals"]["outcomes"]["not run"], 0)

    def test_an_interrupt_ends_the_suite_and_loses_nothing(self):
        self.write(["inconclusive-1", "interrupt-2", "pass-3"])
        document = self.suite("--json=j.json", code=130)
        self.assertEqual(list(self.outcomes(document).values()),
                         ["inconclusive", "interrupted", "not run"])
        self.assertEqual(json.loads((self.folder / "j.json").read_text(encoding="utf-8")), document)
        self.assertIn("shard 1 of 1 isn't whole: it was interrupted\n",
                      self.soak("merge", "r", code=3).stdout)

    def test_what_was_measured_outlives_a_killed_suite(self):
        self.write(["leak-1", "kill-2", "pass-3"])
        (self.folder / "s/leak-1.soak").rename(self.folder / "s/inconclusive-1.soak")
        self.soak("suite", "s", "--results", "r", code=-signal.SIGKILL)
        document = self.document()
        self.assertEqual(self.outcomes(document), {"inconclusive-1": "inconclusive",
                                                   "kill-2": "not run", "pass-3": "not run"})
        self.assertIn("shard 1 of 1 isn't whole: it never finished\n",
                      self.soak("merge", "r", code=3).stdout)


class Words(Suite):
    def test_files_folders_and_names_are_taken_once_and_sorted(self):
        self.write(["pass-2", "pass-1"])
        (self.folder / "s/below").mkdir()
        (self.folder / "s/below/pass-9.soak").write_text(SMALL, encoding="utf-8")
        (self.folder / "s/notes.txt").write_text("", encoding="utf-8")
        document = self.suite("s/pass-2.soak", str(self.folder / "s"))
        self.assertEqual(document["listed"], ["pass-1", "pass-2"])
        process = self.soak("suite", "smoke", "--shard", "64/64", "--results", "r")
        self.assertEqual(process.stdout.splitlines()[0], "PASSED  no scenario falls to this shard")
        self.assertEqual(self.document()["listed"], ["smoke"])

    def test_what_a_scenario_has_wrong_is_told_with_its_line(self):
        (self.folder / "s").mkdir()
        for section, line, said in (
                ("suite", "expect = fail", "--expect fail: it begins with pass, leak, inconclusive or invalid"),
                ("load", "closed = 3", "--closed 3: with 2 connections at least 8 are needed"),
                ("server", "openssl = 3.0.x", "--openssl 3.0.x: this is neither")):
            (self.folder / "s/wrong.soak").write_text(f"[load]\nconns = 2\n[{section}]\n{line}\n", encoding="utf-8")
            comparison = ["compare", "s/wrong.soak", "--malloc", "libc,jemalloc"]
            for command in (["suite", "s"], comparison) if section != "server" else (["suite", "s"],):
                with self.subTest(line=line, command=command):
                    process = self.soak(*command, "--results=r", program=SOAK, code=2)
                    self.assertRegex(process.stderr, f"^soak: {command[0]}: (.*/)?s/wrong.soak:4: {said}")

    def test_nothing_is_started_when_a_word_or_a_file_is_wrong(self):
        self.write(["pass-1", "pass-2"])
        bad = self.folder / "s/pass-2.soak"
        (self.folder / "other").mkdir()
        shutil.copy(self.folder / "s/pass-1.soak", self.folder / "other/pass-1.soak")
        (self.folder / "empty").mkdir()
        cases = [
            ([], "which scenarios? Give files, folders or names, such as scenarios/"),
            (["empty"], "empty: there is no scenario (*.soak) in it"),
            (["nosuch.soak"], "nosuch.soak: the scenario can't be read: No such file or directory"),
            (["s", "other"], "s/pass-1.soak and other/pass-1.soak have one name; a suite tells "
                             "scenarios apart by it"),
            (["s", "--chrun", "max"], "--chrun: no such option; did you mean --churn?"),
            (["s", "--shrd=1/2"], "--shrd: no such option; did you mean --shard?"),
            (["s", "--shard=1"], "--shard 1: not of the form K/N, such as 1/2"),
            (["s", "--shard=0/2"], "--shard 0/2: from 1/N to N/N, and N is at most 64"),
            (["s", "--shard=1/2x"], "--shard 1/2x: not of the form K/N, such as 1/2"),
            (["s", "--closed", "3"],
             f"{self.folder}/s/pass-1.soak: --closed 3: with 2 connections at least 8 are needed: "
             "the open ones must be replaced 4 times"),
            (["s", "--junit=/nonexistent/x"],
             "--junit=/nonexistent/x: it can't be written: No such file or directory"),
        ]
        for words, sentence in cases:
            with self.subTest(words=words):
                self.refused(f"suite: {sentence}", "suite", *words, "--results=r")
        bad.write_text(SMALL + "churm = 3/s\n", encoding="utf-8")
        self.refused(f"suite: {bad}:5: no such key 'churm' in [load]; did you mean churn?",
                     "suite", "s", "--results=r", "--shard=1/2")
        self.assertEqual(os.path.exists(self.folder / "r"), False)

    def test_every_form_fits_and_says_the_same(self):
        self.write(MANY)
        self.environment |= {"GITHUB_ACTIONS": "true",
                             "GITHUB_STEP_SUMMARY": str(self.folder / "summary")}
        process = self.soak("suite", "s", "--results=r", "--junit=j.xml", "--markdown", "t.md", "--json",
                            code=1)
        document = json.loads(process.stdout)
        VALIDATOR.check_schema(SCHEMA)
        self.assertEqual([e.message for e in VALIDATOR(strict(SCHEMA)).iter_errors(document)], [])
        for change in ({"schema": "soak/1"}, {"exit": 9}, {"shards": []}):
            self.assertFalse(VALIDATOR(SCHEMA).is_valid({**document, **change}))
        self.assertEqual(document, self.document())
        self.check_junit(document)
        self.check_github(document, process.stderr)
        self.assertIn("FAILED  3 of 24 scenarios are not as expected (0s)\n", timeless(process.stderr))
        self.assertIn("\n  17 as expected · 3 not · 1 inconclusive · 3 broken · exit 1 · j.xml\n",
                      process.stderr)
        self.assertEqual(document["totals"]["closed"], 22235)

    def check_junit(self, document):
        self.assertEqual(junit_check.faults(self.folder / "j.xml"), [])
        root = ElementTree.parse(self.folder / "j.xml").getroot()
        self.assertEqual([s.get("name") for s in root], document["listed"])
        said = {s["name"]: s for s in document["scenarios"]}
        expected = {"as expected": (None, None), "not as expected": ("failure", None),
                    "broken": ("error", "skipped"), "inconclusive": ("skipped", None)}
        for suite in root:
            scenario, cases = said[suite.get("name")], suite.findall("testcase")
            self.assertEqual([(c.get("name"), c.get("classname")) for c in cases],
                             [("server", scenario["name"]), ("client", scenario["name"])])
            self.assertEqual(tuple(case[0].tag if len(case) else None for case in cases),
                             expected[scenario["outcome"]])
            self.assertEqual(suite.get("timestamp") + "Z", scenario["started"])
            values = {p.get("name"): p.get("value") for p in suite.find("properties")}
            self.assertEqual(values.get("seed"), scenario["seed"])
            if scenario["verdict"]:
                self.assertEqual(values["openssl"], "3.0.0")
        failure = root.find("testsuite[@name='leak-16']/testcase[@name='server']/failure")
        self.assertEqual((failure.get("type"), failure.get("message")),
                         ("LEAK", "LEAK  keeps <32 B> & \"more\", 100%"))
        self.assertEqual(failure.text.splitlines(), [
            "not as expected; expected pass", "LEAK  keeps <32 B> & \"more\", 100%",
            "files     runs/here", "again     ./soak run s/leak-16.soak --seed 7f3a",
            "if known  in [suite]: expect = leak kind=side-allocation-lost site=server/defect.c",
            "openssl_bytes grows: +32.0000 bytes per connection"])

    def test_a_testcase_for_each_program_tells_which_one_leaks(self):
        cases = [("clientleak-1", "pass", (None, "failure")), ("leak-1", "pass", ("failure", None)),
                 ("leak-1", "leak subject=client", ("failure", "failure")),
                 ("leak-1", "leak site=server/conn.c", ("failure", None)),
                 ("programleak-1", "pass", (None, "failure")), ("programleak-1", "leak", (None, None)),
                 ("programleak-1", "leak site=server/conn.c", (None, "failure")),
                 ("pass-1", "leak subject=client", (None, "failure")),
                 ("pass-1", "leak", ("failure", None)), ("leak-1", "leak", (None, None)),
                 ("inconclusive-1", "pass", ("skipped", None)),
                 ("gone-1", "pass", ("skipped", "skipped")), ("gone-1", "leak", ("skipped", "skipped")),
                 ("none-1", "pass", ("error", "skipped"))]
        for name, expect, tags in cases:
            with self.subTest(name=name, expect=expect):
                shutil.rmtree(self.folder / "s", ignore_errors=True)
                self.write([name], expect=expect)
                subprocess.run([STUB, "suite", "s", "--results=r", "--junit=j.xml"], check=False,
                               capture_output=True, cwd=self.folder, env=self.environment)
                self.assertEqual(junit_check.faults(self.folder / "j.xml"), [])
                root = ElementTree.parse(self.folder / "j.xml").getroot()
                self.assertEqual(tuple(case[0].tag if len(case) else None
                                       for case in root.iter("testcase")), tags)

    def test_the_check_of_junit_files_finds_what_readers_refuse(self):
        self.write(["leak-1"])
        self.suite("--junit=j.xml", code=1)
        good = (self.folder / "j.xml").read_text(encoding="utf-8")
        for old, new in ((' classname="leak-1"', ""), (' type="LEAK"', ""), (' tests="2"', ' tests="3"'),
                         ("<properties>", "<notes>"), ('timestamp="', 'timestamp="on '),
                         (' skipped="0"', ' skipped="1"'), ('<testcase name="client"', '<testcase'),
                         ("    <testcase", "    text<testcase"), (' time="', ' timing="')):
            with self.subTest(old=old):
                self.assertIn(old, good)
                bad = good.replace(old, new).replace("</properties>", "</notes>" if "notes" in new
                                                     else "</properties>")
                (self.folder / "bad.xml").write_text(bad, encoding="utf-8")
                self.assertNotEqual(junit_check.faults(self.folder / "bad.xml"), [])

    def check_github(self, document, text):
        errors = [line for line in text.splitlines() if line.startswith("::error ")]
        failed = [s["name"] for s in document["scenarios"]
                  if s["outcome"] in ("not as expected", "broken")]
        self.assertEqual([re.search(r"title=([^:]*)::", line)[1] for line in errors], failed)
        self.assertIn("::error file=s/leak-16.soak,title=leak-16::not as expected: "
                      "LEAK  keeps <32 B> & \"more\", 100%25", errors)
        table = (self.folder / "summary").read_text(encoding="utf-8")
        self.assertEqual(table[:table.index("FAILED")], (self.folder / "t.md").read_text(encoding="utf-8"))
        self.assertEqual(len(re.findall(r"(?m)^\| [a-z]+-\d+ \|", table)), 24)
        self.assertIn("keeps &#60;32 B&#62; &#38; \"more\"", table)

    def test_the_table_has_the_growth_of_the_one_that_leaks(self):
        """Where none does, of what is under test."""
        for name, bytes_column in (("clientleak-1", "32.0"), ("leak-1", "32.0"), ("none-1", ""),
                                   ("clientprogram-1", "32.0")):
            shutil.rmtree(self.folder / "s", ignore_errors=True)
            self.write([name])
            subprocess.run([STUB, "suite", "s", "--results=r", "--markdown=t.md"], check=False,
                           capture_output=True, cwd=self.folder, env=self.environment)
            row = (self.folder / "t.md").read_text(encoding="utf-8").splitlines()[2]
            self.assertEqual(row.split(" | ")[7].strip(), bytes_column, row)

    def test_the_course_is_thinned_kept_by_merge_and_drawn(self):
        """Of 47 checkpoints 24; the figure of the one that leaks."""
        self.write(["clientleak-1", "none-1", "pass-1"])
        document = self.suite("--markdown=t.md", code=1)
        leak, none, level = (s["course"] for s in document["scenarios"])
        self.assertIsNone(none)
        self.assertEqual([leak[key] for key in ("subject", "id", "unit")], ["client", "openssl_blocks", "blocks"])
        self.assertEqual(level["subject"], "server")
        self.assertEqual(len(leak["closed"]), 24)
        self.assertEqual(leak["closed"], [100 * (i * 46 // 23) for i in range(24)])
        self.assertEqual(leak["value"], [8000 + closed for closed in leak["closed"]])
        rows = (self.folder / "t.md").read_text(encoding="utf-8").splitlines()[2:5]
        self.assertEqual([row.split(" | ")[5].strip() for row in rows],
                         ["▁▁▂▃▃▄▅▅▆▇▇█ +4,600 blocks", "", "▁▁▁▁▁▁▁▁▁▁▁▁ +1 blocks"])
        self.soak("merge", "r", "--json=m.json", "--markdown=m.md", code=1)
        self.assertEqual(json.loads((self.folder / "m.json").read_text(encoding="utf-8"))["scenarios"],
                         document["scenarios"])
        self.assertEqual((self.folder / "m.md").read_text(encoding="utf-8").splitlines()[2:5], rows)

    def test_a_suite_of_the_release_before_has_no_course_and_opens(self):
        self.write(["leak-1"])
        document = self.suite(code=1)
        del document["scenarios"][0]["course"]
        self.assertTrue(VALIDATOR(SCHEMA).is_valid(document))
        (self.folder / "old.json").write_text(json.dumps(document), encoding="utf-8")
        self.soak("merge", "old.json", "--json=m.json", "--markdown=m.md", code=1)
        self.assertIsNone(json.loads((self.folder / "m.json").read_text(encoding="utf-8"))["scenarios"][0]["course"])
        row = (self.folder / "m.md").read_text(encoding="utf-8").splitlines()[2]
        self.assertEqual(row.split(" | ")[5:8], ["", "", "32.0"])

    def test_a_shard_leaves_the_table_to_merge_and_merge_the_errors_to_the_shards(self):
        self.write(["leak-1", "leak-2"])
        self.environment |= {"GITHUB_ACTIONS": "true",
                             "GITHUB_STEP_SUMMARY": str(self.folder / "summary")}
        said = [self.soak("suite", "s", "--results=r", f"--shard={k}/2", code=1).stdout
                for k in (1, 2)]
        self.assertEqual([text.count("::error ") for text in said], [1, 1])
        self.assertFalse((self.folder / "summary").exists())
        self.assertNotIn("::error ", self.soak("merge", "r", code=1).stdout)
        self.assertEqual((self.folder / "summary").read_text(encoding="utf-8").count("| leak-"), 2)

    def test_what_shards_say_of_themselves_is_no_markdown(self):
        self.write(["pass-1", "pass-2"])
        for k in (1, 2):
            self.soak("suite", "s", "--results=r", f"--shard={k}/2", f"--json=s{k}.json")
        document = json.loads((self.folder / "s2.json").read_text(encoding="utf-8"))
        document["shards"][0]["machine"] = (
            "[merge me](http://e.example) <img src=x> @somebody *all green* https://e.example www.e.example")
        (self.folder / "s2.json").write_text(json.dumps(document), encoding="utf-8")
        self.soak("merge", "s1.json", "s2.json", "--markdown=m.md")
        note = (self.folder / "m.md").read_text(encoding="utf-8").split("the machines differ: ")[1]
        self.assertIn("merge me", note)
        self.assertIsNone(re.search(r"[\[\]<>@*]|://|www\.", note), note)

    def test_odd_texts_stay_well_formed(self):
        """Names in Latin-1 and with all that XML and Markdown take for their own."""
        self.write(["pass-1"])
        os.rename(self.folder / "s/pass-1.soak",
                  os.fsencode(self.folder / "s") + b"/leak-\xe4<&'\"|>.soak")
        self.suite("--junit=j.xml", "--json=j.json", code=1)
        root = ElementTree.parse(self.folder / "j.xml").getroot()
        self.assertEqual(root[0].get("name"), "leak-?<&'\"|>")
        (self.folder / "s/leak-?<&'\"|>.soak").write_text(SMALL, encoding="utf-8")
        self.assertIn("have one name; a suite tells scenarios apart by it\n",
                      subprocess.run([STUB, "suite", "s"], capture_output=True, check=False,
                                     cwd=self.folder, env=self.environment)
                      .stderr.decode("utf-8", "replace"))
        self.soak("merge", "j.json", "--junit=m.xml", code=1)
        document = json.loads((self.folder / "j.json").read_text(encoding="utf-8"))
        document["scenarios"][0]["said"] = "a\x01b\ufffe\tc\u00e9"
        (self.folder / "k.json").write_text(json.dumps(document), encoding="utf-8")
        self.soak("merge", "k.json", "--junit=m.xml", code=1)
        message = ElementTree.parse(self.folder / "m.xml").getroot().find("testsuite/testcase/failure").get("message")
        self.assertEqual(message, "a?b? c\u00e9")

    def test_folders_are_private_and_quiet_is_one_line(self):
        self.write(["pass-1", "leak-2"])
        process = self.soak("suite", "s", "--results=r", "--quiet", code=1)
        self.assertEqual(timeless(process.stdout), "FAILED  1 of 2 scenarios is not as expected (0s)\n")
        self.assertEqual(process.stderr, "")
        folder, = (self.folder / "r").glob("2*")
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        self.assertEqual([path.name for path in folder.iterdir()], ["suite.json"])


class Real(Suite):
    def test_real_runs_with_an_option_for_all_of_them(self):
        self.write(["clean"], "[load]\nconns = 30\nchurn = 10/s\n")
        self.write(["lost"], "[load]\nconns = 30\nchurn = 10/s\n[server]\ndefect = lost-state\n",
                   "leak kind=side-allocation-lost site=server/defect.c")
        document = self.suite("--conns=2", "--churn", "max", "--closed=1k", "--keep-going",
                              program=SOAK)
        self.assertEqual(self.outcomes(document), {"clean": "as expected", "lost": "as expected"})
        self.assertEqual(document["shards"][0]["options"],
                         "--conns=2 --churn=max --closed=1k --keep-going")
        self.assertEqual(document["scenarios"][0]["closed"], 1000)
        for scenario in document["scenarios"]:
            self.assertEqual([s["name"] for s in scenario["subjects"]], ["server", "client"])
            self.assertRegex(scenario["libs"], r"^openssl \d")
        self.assertEqual([e.message for e in VALIDATOR(strict(SCHEMA)).iter_errors(document)], [])
        for scenario in document["scenarios"]:
            with open(os.path.join(scenario["run_dir"], "result.json"), encoding="utf-8") as file:
                result = json.load(file)
            self.assertEqual((result["verdict"], result["run"]["seed"]),
                             (scenario["verdict"], scenario["seed"]))
        self.assertTrue(document["scenarios"][1]["site"].startswith("server/defect.c:"))

    def test_ctrl_c_ends_the_run_in_order_and_keeps_it(self):
        self.write(["a"], "[load]\nconns = 2\nchurn = 200/s\nfor = 100s\n")
        self.write(["b"])
        process = subprocess.Popen([SOAK, "suite", "s", "--results", "r", "--junit=j.xml"],
                                   stdout=subprocess.PIPE, text=True, cwd=self.folder,
                                   env=self.environment)
        until(self.samples, "the first run has measured something")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, output)
        document = self.document()
        self.assertEqual(self.outcomes(document), {"a": "interrupted", "b": "not run"})
        self.assertGreater(document["scenarios"][0]["closed"], 0)
        self.assertIsNotNone(document["scenarios"][0]["verdict"])
        # The whole sentence, though it is wrapped where the run prints it.
        self.assertRegex(document["scenarios"][0]["said"], r"connections \(2 open, [\w.]+\)$")
        self.assertEqual(ElementTree.parse(self.folder / "j.xml").getroot().get("failures"), "0")

    def samples(self):
        """Whether the first run has measured something."""
        return any(b"checkpoint" in path.read_bytes()
                   for path in (self.folder / "r").glob("2*/*/samples.jsonl"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
