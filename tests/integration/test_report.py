# SPDX-License-Identifier: Apache-2.0
"""What a run left is made again from its folder, to the byte; and what isn't a run is refused."""

import html
import json
import math
import os
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S
from soak_run import CHURN, HAS_JEMALLOC, ROOT, SOAK

FILES = {"html": "report.html", "flame": "survivors.svg", "pprof": "survivors.pb.gz",
         "folded": "survivors.folded", "json": "result.json"}
# What documents have had since there are pages.
NEW = {"again", "alone", "ended", "next_notes", "born", "epoch", "epochs", "size_classes", "held", "proportional",
       "foreign_served", "asked_one_in", "alive", "histogram", "malloc_one_in"}


def soak(*words, cwd):
    return subprocess.run([os.path.abspath(SOAK), *words], capture_output=True, timeout=PATIENCE_S, check=False,
                          cwd=cwd, env=dict(os.environ, SOAK_ROOT=ROOT,
                                   ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"))


def without(value, keys):
    if isinstance(value, dict):
        return {k: without(v, keys) for k, v in value.items() if k not in keys or isinstance(v, int) and k == "epochs"}
    return [without(v, keys) for v in value] if isinstance(value, list) else value


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.realpath(tempfile.mkdtemp(prefix="soak-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.run_ = soak(*CHURN, "--defect", "lost-state", "--closed", "2k", "--results", "runs", cwd=cls.folder)
        cls.of = os.path.realpath(os.path.join(cls.folder, "runs/last"))

    def report(self, *words, code=0):
        process = soak("report", *words, cwd=self.folder)
        self.assertEqual(process.returncode, code, process)
        return process

    def test_every_file_is_made_again_to_the_byte(self):
        self.assertEqual(self.run_.returncode, 1, self.run_)
        for option, name in FILES.items():
            with open(os.path.join(self.of, name), "rb") as file:
                self.assertEqual(self.report(self.of, f"--{option}").stdout, file.read(), name)

    def test_the_text_is_the_runs_own(self):
        self.assertEqual(self.report(self.of).stdout, self.run_.stdout)
        self.assertEqual(self.report(os.path.join(self.of, "result.json")).stdout, self.run_.stdout)
        self.assertEqual(self.report(self.of, "--quiet").stdout, self.run_.stdout.splitlines(True)[0])

    def test_forms_go_to_files_and_one_to_stdout(self):
        process = self.report(self.of, "--junit=j.xml", "--markdown", "--html", "page.html")
        self.assertTrue(process.stdout.startswith(b"| scenario |"), process.stdout)
        with open(os.path.join(self.folder, "j.xml"), encoding="utf-8") as file:
            junit = file.read()
        self.assertIn('<failure type="LEAK" message="LEAK  32 B lost per connection', junit)
        self.assertIn("./soak run default --conns 30", junit)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "page.html")))
        self.assertIn(b"--html and --junit: one of them to stdout",
                      self.report(self.of, "--html", "--junit", code=2).stderr)

    def test_a_leak_is_told_to_its_maintainers_and_to_code_scanning(self):
        issue = self.report(self.of, "--issue").stdout.decode()
        self.assertTrue(issue.startswith("# 32 B lost per connection at server/defect.c:"), issue)
        for part in ("## To see it", "./soak --churn max --closed 2k --defect lost-state --seed 7f3a\n",
                     "## Where it is allocated", "lost_state_accept",
                     "## Why it isn't a cache that fills", "## What was ruled out"):
            self.assertIn(part, issue)
        document = json.loads(self.report(self.of, "--sarif").stdout)
        # On a busy machine a figure of the heap may be in doubt too: a warning.
        results = [one for one in document["runs"][0]["results"] if one["level"] == "error"]
        self.assertEqual([one["ruleId"] for one in results], ["side-allocation-lost"])
        place = results[0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "server/defect.c")
        self.assertGreater(len(results[0]["stacks"][0]["frames"]), 3)

    def test_the_quantiles_are_those_of_the_histogram(self):
        with open(os.path.join(self.of, "result.json"), encoding="utf-8") as file:
            document = json.load(file)
        told, histogram = (document["run"]["handshake_ns"][key] if key else document["run"]["handshake_ns"]
                           for key in (None, "histogram"))
        self.assertEqual(histogram["upto"], sorted(set(histogram["upto"])))
        self.assertGreater(sum(histogram["count"]), document["run"]["measured"] // 2)
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            wanted, seen = math.ceil(share * sum(histogram["count"])), 0
            for upto, count in zip(histogram["upto"], histogram["count"]):
                seen += count
                if seen >= wanted:
                    self.assertEqual(told[name], min(upto, told["max"]), name)
                    break

    def test_what_a_leak_left_is_known_at_each_checkpoint(self):
        with open(os.path.join(self.of, "result.json"), encoding="utf-8") as file:
            server = json.load(file)["subjects"][0]
        site = server["sites"][0]
        self.assertEqual([len(at) for at in site["alive"]], list(range(1, len(server["epochs"]) + 1)))
        self.assertEqual(site["alive"][-1], site["born"])
        for born, epoch in enumerate(server["epochs"]):
            if epoch["measured"] and epoch["all_closed"]:
                self.assertEqual({at[born] for at in site["alive"][born:]}, {epoch["opened"]}, born)

    def test_a_run_of_an_earlier_release_opens(self):
        old = os.path.join(self.folder, "old")
        shutil.copytree(self.of, old)
        with open(os.path.join(old, "result.json"), encoding="utf-8") as file:
            document = without(json.load(file), NEW)
        os.remove(os.path.join(old, "samples.jsonl"))
        with open(os.path.join(old, "result.json"), "w", encoding="utf-8") as file:
            json.dump(document, file)
        page = self.report(old, "--html").stdout
        self.assertIn(b'id="growth-0"', page)
        for later in (b'id="handshakes"', b'id="survivors"', b'id="sizes"', b'id="time"'):
            self.assertNotIn(later, page)
        self.assertTrue(self.report(old).stdout.startswith(b"LEAK  32 B lost per connection"))

    def test_what_is_no_run_is_refused_in_a_sentence(self):
        broken = os.path.join(self.folder, "broken.json")
        with open(broken, "w", encoding="utf-8") as file:
            file.write('{"schema": "soak/1", "verdict": "MAYBE"}')
        compared = os.path.join(self.folder, "compared")
        os.mkdir(compared)
        with open(os.path.join(compared, "compare.json"), "w", encoding="utf-8") as file:
            file.write("{}")
        for words, said in ((("nowhere",), "nowhere: No such file or directory"), ((), "which run?"),
                            ((compared,), "compared/compare.json: not a comparison of soak's (soak-compare/1)"),
                            ((broken,), "'verdict' is none of"), ((self.of, self.of), "unexpected argument"),
                            ((self.of, "--htm"), "did you mean --html?"),
                            ((self.of, "--html=/nowhere/x.html"), "--html=/nowhere/x.html: it can't be written")):
            process = self.report(*words, code=2)
            self.assertIn(said, process.stderr.decode())
            self.assertEqual(process.stderr.count(b"\n"), 1)

    def test_a_suites_forms_are_made_again_and_it_has_a_page(self):
        scenarios = os.path.join(self.folder, "scenarios")
        os.mkdir(scenarios)
        for name, more in (("clean", ""), ("lost", "[server]\ndefect = lost-state\n")):
            with open(os.path.join(scenarios, name + ".soak"), "w", encoding="utf-8") as file:
                file.write(f"[load]\nconns = 5\nchurn = max\nclosed = 1k\n{more}")
        suite = soak("suite", "./scenarios", "--results", "suites", "--junit=suite.xml", "--markdown=suite.md",
                     cwd=self.folder)
        self.assertEqual(suite.returncode, 1, suite)
        of = os.path.join(self.folder, "suites/last")
        for option, path in (("junit", "suite.xml"), ("markdown", "suite.md"), ("json", "suites/last/suite.json")):
            with open(os.path.join(self.folder, path), "rb") as file:
                self.assertEqual(self.report(of, f"--{option}").stdout, file.read(), option)
        self.assertEqual(self.report(of).stdout.splitlines()[:4], suite.stdout.splitlines()[:4])
        page = self.report(os.path.join(of, "suite.json"), "--html").stdout.decode()
        self.assertRegex(page, r'<a href="\./\d{8}-\d{6}-lost(-\d+)?/report\.html">lost</a>')
        self.assertGreaterEqual(page.count('class="spark"'), 4)
        for label in ("connections", "time", "blocks", "heap", "RSS"):  # where the heads have no room
            self.assertEqual(page.count(f' data-label="{label}">'), 2, label)
        self.assertIn(b"--issue: a suite has none", self.report(of, "--issue", code=2).stderr)

    @unittest.skipUnless(HAS_JEMALLOC, "a build without jemalloc has no allocators to compare")
    def test_a_comparisons_forms_are_made_again_from_its_folder(self):
        made = soak("compare", "--malloc", "jemalloc,libc", "--repeat", "1", "--conns", "5", "--closed", "600",
                    "--churn", "max", "--results", "compared-runs", "--html=c.html", "--markdown=c.md",
                    cwd=self.folder)
        self.assertIn(made.returncode, (0, 1, 3), made)
        of = os.path.realpath(os.path.join(self.folder, "compared-runs/last"))
        for option, path in (("html", "c.html"), ("markdown", "c.md"), ("json", os.path.join(of, "compare.json"))):
            with open(os.path.join(self.folder, path), "rb") as file:
                self.assertEqual(self.report(of, f"--{option}").stdout, file.read(), option)
        # Wherever it lies now; and by its document.
        moved = os.path.join(self.folder, "moved")
        shutil.move(of, moved)
        self.assertEqual(self.report(moved).stdout, made.stdout)
        path = os.path.join(moved, "compare.json")
        quiet = self.report(path, "--quiet").stdout
        self.assertEqual((quiet.count(b"\n"), quiet.split()[:2]), (1, made.stdout.split()[:2]))
        self.assertIn(b"--flame: a comparison has none", self.report(moved, "--flame", code=2).stderr)

        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        for code in (2, 4, 77):  # what it broke by isn't judged again
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**document, "state": "broken", "exit": code}, file)
            self.assertEqual(json.loads(self.report(moved, "--json").stdout)["exit"], code)
        run = document["versions"][0]["runs"][0]
        for changes, said in (({"seed": "1"}, b"is not the run that was compared"),
                              ({"run_dir": "/etc"}, b"moved/etc/result.json: No such file"),
                              ({"run_dir": "/tmp/.."}, b"'/tmp/..' is not a run's folder"),
                              ({}, b"'versions' are not two or more")):
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**document, "versions": [{"name": "a", "runs": [{**run, **changes}]}]}, file)
            self.assertIn(said, self.report(moved, code=2).stderr)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**document, "given": "; touch x"}, file)
        self.assertIn(b"'given' is not quoted for a shell", self.report(moved, code=2).stderr)

    @unittest.skipUnless(HAS_JEMALLOC, "a build without jemalloc has no allocators to compare")
    def test_a_bisections_forms_are_made_again_from_its_folder(self):
        made = soak("bisect", "--malloc", "jemalloc,libc", "--metric", "allocs", "--conns", "3", "--closed", "300",
                    "--churn", "max", "--results", "bisected-runs", "--json=b.json", cwd=self.folder)
        self.assertEqual(made.returncode, 3, made)
        of = os.path.realpath(os.path.join(self.folder, "bisected-runs/last"))
        self.assertEqual(self.report(of).stdout, made.stdout)
        moved = os.path.join(self.folder, "moved-bisection")
        shutil.move(of, moved)
        path = os.path.join(moved, "bisect.json")
        with open(os.path.join(self.folder, "b.json"), "rb") as file:
            self.assertEqual(self.report(path, "--json").stdout, file.read())
        said = " ".join(made.stdout.decode().partition("\n\n")[0].split())  # wrapped
        self.assertIn("don't differ by more than 1 %", said)
        self.assertEqual(self.report(moved, "--quiet").stdout.decode(), said + "\n")
        markdown = self.report(moved, "--markdown").stdout.decode()
        self.assertEqual(markdown.splitlines()[0], said.partition(" (2 of 2")[0])
        self.assertIn("| | jemalloc | libc |", markdown)
        self.assertIn(f"<h1>default, by version of malloc: {markdown.splitlines()[0]}</h1>",
                      html.unescape(self.report(moved, "--html").stdout.decode()))
        self.assertIn(b"--junit: a bisection has none", self.report(moved, "--junit", code=2).stderr)

        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        for changes, wrong in (
                ({"end": "found", "exit": 0, "before": "jemalloc", "first": "libc", "said": "libc is the first"}, None),
                ({"end": "interrupted", "exit": 130, "comparison": None, "runs": 0}, None),
                ({"end": "found", "before": "libc", "first": "jemalloc"}, b"'before' and 'first' are not two"),
                ({"end": "lost"}, b"'end' is none of this version's words"),
                ({"metric": "luck"}, b"--metric luck: there are verdict"), ({"versions": ["jemalloc"]}, b"'versions' are not two"),
                ({"schema": "soak/1"}, b"not a bisection of soak's (soak-bisect/1)")):
            with self.subTest(**changes):
                with open(path, "w", encoding="utf-8") as file:
                    json.dump({**document, **changes}, file)
                process = self.report(moved, "--json", code=2 if wrong else 0)
                if wrong:
                    self.assertIn(wrong, process.stderr)
                else:
                    self.assertEqual(json.loads(process.stdout), {**document, **changes})

        with self.subTest("one version"):
            said = "jemalloc can't be judged"
            only = {**document["comparison"], "versions": document["comparison"]["versions"][:1]}
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**document, "end": "can't tell", "said": said, "comparison": only}, file)
            page = html.unescape(self.report(moved, "--html").stdout.decode())
            self.assertIn(f": {said}</h1>", page)
            self.assertNotIn('<span class="badge', page)

    def test_no_flame_graph_without_survivors(self):
        process = soak(*CHURN, "--closed", "1k", "--results", "clean", cwd=self.folder)
        self.assertIn(process.returncode, (0, 3), process)
        self.assertIn(b"--flame: no call stack was kept in this run",
                      self.report("clean/last", "--flame", code=2).stderr)
        self.assertIn(b"<h1", self.report("clean/last", "--html").stdout)


if __name__ == "__main__":
    unittest.main()
