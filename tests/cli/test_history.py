# SPDX-License-Identifier: Apache-2.0
"""`soak history`: what runs record, what it shows, which steps it finds; and that no history, however
broken, costs a run."""

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S, until
from schemas import VALIDATOR, read_schema, strict

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
SMALL = ("--conns", "3", "--churn", "max", "--closed", "300", "--seed", "7", "--quiet")
WITH_FOOTPRINT = (*SMALL, "--footprint")
# Two runs of one seed in one second are the same run to the history.
ANOTHER = ("--seed", "8")
NOBODY = 65534
NO_DATES = ("yesterday", "20261110", "2026-13-45", "2026-02-30", "30-11-2026", "10-11-2026", "2026-11-1", "2026-11",
            " 2026-11-20", "2026-11-20T25:00:00Z", "2026-11-20T02:17:00", "2026-11-20T02:17:00Z.")


class History(unittest.TestCase):
    ran = None

    @classmethod
    def setUpClass(cls):
        """A run for all that need one; its folder is copied."""
        cls.ran = pathlib.Path(tempfile.mkdtemp(prefix="soak-history-run-"))
        cls.addClassCleanup(shutil.rmtree, cls.ran, ignore_errors=True)
        subprocess.run([SOAK, *WITH_FOOTPRINT, "--results", cls.ran / "runs"], check=True, timeout=PATIENCE_S,
                       capture_output=True, env=dict(os.environ, SOAK_ROOT=str(SOURCE), SOAK_MACHINE="night"))

    def setUp(self):
        """A clone of its own: only its results are another folder."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-history-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in ("scenarios", "server"):
            (self.folder / name).symlink_to(SOURCE / name)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("GITHUB_", "SOAK_"))}
        self.environment |= {"SOAK_ROOT": str(self.folder), "SOAK_MACHINE": "night"}
        self.db = self.folder / "results/history.db"
        self.number = itertools.count()

    def soak(self, *words, code=0, said="", **extra):
        process = subprocess.run([SOAK, *map(str, words)], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE_S, cwd=self.folder, env=self.environment | extra)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        self.assertEqual([line for line in process.stderr.splitlines() if "history" in line],
                         [said] if said else [])
        return process.stdout

    def shown(self, *words):
        return json.loads(self.soak("history", "--json", *words))

    def run_folders(self):
        return sorted((self.folder / "results/runs").glob("2*"))

    def run_folder(self):
        folder, = self.run_folders()
        return folder

    # ---- recording ----

    def test_a_run_is_recorded_and_rebuilt_from_its_folder(self):
        self.soak(*WITH_FOOTPRINT)
        document = self.shown()
        VALIDATOR(strict(read_schema("soak-history-1"))).validate(document)
        history, = document["histories"]
        self.assertEqual((history["scenario"], history["machine"]), ("default", "night"))
        self.assertRegex(history["library"], r"^openssl \d+\.\d+\.\d+")
        night, = history["nights"]
        self.assertEqual((night["verdict"], night["seed"]), ("PASS", "7"))
        self.assertEqual(night["folder"], str(self.run_folder()))
        result = json.loads((self.run_folder() / "result.json").read_text(encoding="utf-8"))
        values = {figure["name"]: figure["values"] for figure in history["figures"]}
        for end in result["footprint"]["ends"]:
            self.assertEqual(values[f"{end['name']}.connection_allocs"], [end["allocs"]])
        for subject in result["subjects"]:
            for metric in subject["metrics"]:
                if metric["per_conn"] is not None:
                    name = f"{subject['name']}.growth.{metric['id']}"
                    self.assertEqual(values[name], [metric["per_conn"]], name)
            self.assertEqual(values[f"{subject['name']}.cpu_us_per_conn"],
                             [subject["cost"]["cpu_us_per_conn"]])
        self.assertEqual(values["handshake_p50"], [result["run"]["handshake_ns"]["p50"]])

        self.db.unlink()
        self.assertEqual(self.soak("history", "rebuild"), "1 run added to results/history.db\n")
        self.assertEqual(self.shown(), document)
        self.assertEqual(self.soak("history", "add", self.run_folder()),
                         "1 run added to results/history.db\n")
        self.assertEqual(self.shown(), document)

    def test_two_may_rebuild_at_once(self):
        self.db.parent.mkdir()
        shutil.copytree(self.ran / "runs", self.db.parent / "runs", symlinks=True)
        both = [subprocess.Popen([SOAK, "history", "rebuild"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, cwd=self.folder, env=self.environment) for _ in range(2)]
        for process in both:
            self.assertEqual(process.communicate(timeout=PATIENCE_S)[0], "1 run added to results/history.db\n")
        self.assertEqual(len(self.shown()["histories"]), 1)

    def test_a_copy_that_follows_links_has_each_run_once_by_its_own_name(self):
        """As GitHub makes of an artifact: `last` arrives as a folder."""
        shutil.copytree(self.ran / "runs", self.folder / "down")
        self.assertFalse((self.folder / "down/last").is_symlink())
        folders = sorted((self.folder / "down").iterdir())
        for words in (["down"], folders):
            self.db.parent.mkdir(exist_ok=True)
            self.assertEqual(self.soak("history", "add", *words), "1 run added to results/history.db\n")
            night, = self.shown()["histories"][0]["nights"]
            self.assertEqual(night["folder"], str(folders[0]))

    def test_what_lies_elsewhere_is_recorded_only_if_asked(self):
        self.soak(*SMALL, "--results", "elsewhere")
        self.assertFalse(self.db.exists())
        self.soak(*SMALL, SOAK_HISTORY="")
        self.assertFalse(self.db.exists())
        mine = self.folder / "mine.db"
        self.soak(*SMALL, "--results", "elsewhere", SOAK_HISTORY=str(mine))
        self.assertFalse(self.db.exists())
        self.soak("calibrate", "--runs", "1", "--closed", "1000", "--mix", "default", SOAK_HISTORY=str(mine))
        self.assertIn("1 run, ", self.soak("history", SOAK_HISTORY=str(mine)))

    def broken(self, why, aside, runs):
        return (f"soak: the history was broken ({self.db}: {why}): it is kept as results/history.db.{aside}, and a "
                f"new one is made from the folders of the runs: {runs}")

    def test_a_broken_history_costs_no_run_and_is_made_again(self):
        """By the run that records, and by who looks: in a CI's cache it would be broken for ever."""
        self.soak(*SMALL)
        self.db.write_bytes(b"no database" * 1000)
        self.soak(*SMALL, *ANOTHER, said=self.broken("file is not a database", "broken", "2 runs"))
        self.assertTrue(self.db.with_name("history.db.broken").read_bytes().startswith(b"no database"))
        self.assertEqual(len(self.shown()["histories"][0]["nights"]), 2)

        with self.db.open("r+b") as file:
            file.seek(4096)
            file.write(b"a sector of something else")
        said = self.soak("history", "--check", said=self.broken("database disk image is malformed", "broken-2",
                                                                "2 runs"))
        self.assertEqual(said, "no step in 1 history, the longest of 2 runs\n")
        self.assertEqual(self.soak("history", "--check"), said)

        self.db.write_bytes(b"no database" * 1000)
        self.soak("history", "add", self.run_folders()[0],
                  said=self.broken("file is not a database", "broken-3", "2 runs"))
        self.assertEqual(len(self.shown()["histories"][0]["nights"]), 2)

    def test_what_soak_has_not_broken_it_leaves_alone(self):
        """A file that SOAK_HISTORY names by mistake, and one that can't be moved."""
        letter = self.folder / "letter.txt"
        letter.write_text("Dear all, " * 100, encoding="utf-8")
        table = self.folder / "bookmarks.db"
        with contextlib.closing(sqlite3.connect(table)) as other:
            other.execute("CREATE TABLE bookmark (url TEXT)")
        self.soak(*SMALL)
        for path in (letter, table):
            before = path.read_bytes()
            said = f"{path}: not soak's history, so it is left alone; SOAK_HISTORY may name another file"
            for words in ((), ("rebuild",), ("rebuild", self.run_folders()[0]), ("add", self.run_folders()[0])):
                with self.subTest(path=path.name, words=words):
                    self.soak("history", *words, code=2, SOAK_HISTORY=str(path), said=f"soak: history: {said}")
            self.assertEqual(path.read_bytes(), before)
        self.assertEqual(sorted(path.name for path in self.folder.glob("letter*")), ["letter.txt"])
        self.assertEqual(sorted(path.name for path in self.folder.glob("bookmarks*")), ["bookmarks.db"])

    def test_a_folder_or_device_is_never_moved_aside(self):
        """`soak history rebuild` once renamed whatever SOAK_HISTORY named: a home folder, /dev/null."""
        self.soak(*SMALL)
        place, pipe = self.folder / "home.db", self.folder / "pipe.db"
        place.mkdir()
        os.mkfifo(pipe)
        for path, kind in ((place, "a folder"), (pipe, "a device or pipe")):
            for words in ((), ("--html",), ("add", self.run_folders()[0]), ("rebuild",)):
                with self.subTest(path=path.name, words=words):
                    self.soak("history", *words, code=2, SOAK_HISTORY=str(path),
                              said=f"soak: history: {path}: {kind}, and no file that a history can be in")
            self.soak(*SMALL, SOAK_HISTORY=str(path),
                      said=f"soak: this run is missing in the history ({path}: {kind}, and no file that a history can "
                           "be in); `soak history rebuild` makes it again from the folders of all runs")
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.db*")), ["home.db", "pipe.db"])

    def test_a_locked_or_later_history_costs_no_run(self):
        missing = ("soak: this run is missing in the history ({}); `soak history rebuild` makes it again "
                   "from the folders of all runs")
        self.soak(*SMALL)
        other = sqlite3.connect(self.db, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.soak(*SMALL, *ANOTHER, said=missing.format(f"{self.db}: another process holds it locked"))
        other.execute("COMMIT")
        other.execute("PRAGMA user_version = 99")
        other.close()
        later = f"{self.db}: written by a later soak (form 99; this one knows 1)"
        self.soak(*SMALL, "--seed", "9", said=missing.format(later))
        self.soak("history", code=2, said=f"soak: history: {later}; `soak history rebuild` makes it again from the "
                                          "runs")
        self.soak("history", "rebuild")
        self.assertEqual(len(self.shown()["histories"][0]["nights"]), 3)
        self.assertTrue(self.db.with_name("history.db.old").exists())

    def test_a_read_only_history_is_shown(self):
        """To somebody else on the machine, or from a medium that nobody writes: SQLite alone would refuse, since it
        can make no index beside the file."""
        self.soak(*SMALL)
        shown = self.shown()
        self.folder.chmod(0o755)
        (self.folder / "results").chmod(0o555)
        self.db.chmod(0o444)
        self.addCleanup((self.folder / "results").chmod, 0o755)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        process = subprocess.run([SOAK, "history", "--json"], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, cwd="/", env=self.environment, **user)
        self.assertEqual((process.returncode, process.stderr), (0, ""), process.stdout)
        self.assertEqual(json.loads(process.stdout), shown)
        self.assertEqual(sorted(path.name for path in self.db.parent.glob("history*")), ["history.db"])

    def test_a_run_that_records_during_a_rebuild_is_not_lost(self):
        """The recorder, played by the test, holds the history from before the rebuild can put its own in place."""
        self.soak(*SMALL)
        folder = os.open(self.db.parent, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_SH)
        process = subprocess.Popen([SOAK, "history", "rebuild"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, cwd=self.folder, env=self.environment)
        until(lambda: list(self.db.parent.glob("history.db.new.*")), "a new one beside it")
        self.add_by_hand("2026-11-20T02:17:00Z")
        fcntl.flock(folder, fcntl.LOCK_UN)
        self.assertEqual(process.communicate(timeout=PATIENCE_S)[0], "1 run added to results/history.db\n")
        nights = self.shown()["histories"][0]["nights"]
        self.assertEqual([night["seed"] for night in nights], ["b", "7"])

    def add_by_hand(self, time):
        """One more run, of whose folder nothing is left."""
        db = sqlite3.connect(self.db, isolation_level=None)
        names = [row[1] for row in db.execute("PRAGMA table_info(run)") if row[1] != "id"]
        row = dict(zip(names, db.execute(f"SELECT {', '.join(names)} FROM run").fetchone())) | {"time": time, "seed": "b"}
        db.execute(f"INSERT INTO run ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", list(row.values()))
        db.close()

    def test_a_history_that_cannot_be_written_costs_no_run(self):
        self.folder.chmod(0o755)
        place = self.folder / "locked"
        place.mkdir()
        sqlite3.connect(place / "history.db").close()
        place.chmod(0o555)
        self.addCleanup(place.chmod, 0o755)
        words = [SOAK, *SMALL, "--results", tempfile.mkdtemp(prefix="runs-", dir="/tmp")]
        self.addCleanup(shutil.rmtree, words[-1], ignore_errors=True)
        os.chmod(words[-1], 0o777)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        process = subprocess.run(
            [*map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd="/",
            env=self.environment | {"SOAK_HISTORY": str(place / "history.db")}, **user)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertIn("soak: this run is missing in the history (", process.stderr)

    def test_a_folder_that_cannot_be_read_is_named_and_left_out(self):
        self.soak(*SMALL)
        odd = self.folder / "results/runs/odd"
        odd.mkdir()
        (odd / "result.json").write_text("{", encoding="utf-8")
        process = subprocess.run([SOAK, "history", "rebuild"], capture_output=True, text=True, check=True,
                                 timeout=PATIENCE_S, cwd=self.folder, env=self.environment)
        self.assertEqual(process.stdout, "1 run added to results/history.db\n")
        self.assertIn(f"1 result.json can't be read and is left out: {odd}/result.json", process.stderr)

    # ---- nights ----

    def night_after_night(self, *change):
        """Thirty folders of runs like the one that there was, a night each."""
        folder, = (self.ran / "runs").glob("2*")
        runs = self.folder / "results/runs"
        text = (folder / "result.json").read_text(encoding="utf-8")
        for night in range(1, 31):
            document = json.loads(text)
            document["time"] = f"2026-11-{night:02}T02:17:00Z"
            document["run"]["seed"] = f"{night:x}"
            for one in change:
                one(document, night)
            copy = runs / f"202611{night:02}-021700-default"
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.jsonl", "*.log", "result.json"))
            (copy / "result.json").write_text(json.dumps(document), encoding="utf-8")
        self.soak("history", "rebuild")

    @staticmethod
    def noise(document, night):
        """As times and pages vary from night to night."""
        chance = random.Random(night)
        for subject in document["subjects"]:
            subject["cost"]["cpu_us_per_conn"] *= chance.gauss(1, 0.05)
            subject["cost"]["allocs_per_conn"] *= chance.gauss(1, 0.0005)
            for metric in subject["metrics"]:
                if metric["id"] in ("rss", "rss_anon", "heap_resident"):
                    metric["end"] *= chance.gauss(1, 0.02)
                    metric["per_conn"] = chance.gauss(0, 100)
        document["run"]["handshake_ns"]["p50"] = int(1.6e6 * chance.gauss(1, 0.08))

    def test_a_step_on_the_twentieth_of_thirty_nights_is_all_that_is_named(self):
        def one_more(document, night):
            document["footprint"]["ends"][0]["allocs"] = 690 + (night >= 20)

        self.night_after_night(self.noise, one_more)
        said = self.soak("history", "--check", code=1)
        self.assertRegex(" ".join(said.split()),
                         r"^STEP 2026-11-20 default: server allocations/handshake 690 -> 691, \+1 \(\+0.145 %\); "
                         r"openssl \S+ on night$")
        # On the night itself, too; and once it is known and meant, no more.
        self.soak("history", "--check", "--since", "2026-11-20")
        self.soak("history", "--check", "--since", "2026-11-20T02:17:00Z")
        self.soak("history", "--check", "--since", "2026-11-10", code=1)
        document = self.shown()
        self.assertEqual(document["steps"], 1)
        step, = [step for figure in document["histories"][0]["figures"] for step in figure["steps"]]
        self.assertEqual(step, {"night": 19, "time": "2026-11-20T02:17:00Z", "before": 690, "after": 691,
                                "certain": True})
        markdown = self.soak("history", "--markdown")
        self.assertIn("| default | server allocations/handshake | ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁███████████ | 691 | "
                      "2026&#45;11&#45;20 | 690 &#45;&#62; 691".replace("&#45;", "-"), markdown)
        self.assertIn("**1 step** in 1 history.", markdown)
        self.assertEqual(markdown.count("\n| default |"), 1)
        page = self.soak("history", "--html")
        self.assertIn('<h1><span class="badge leak">STEPPED</span> 1 step in 1 history</h1>', page)
        self.assertRegex(page, r'<th scope="row">2026-11-20</th><td><a href="#history-0">default</a></td>'
                               r"<td>server allocations/handshake</td><td>690 -&gt; 691, \+1 \(\+0.145 %\)</td>")
        self.assertIn("<title>2026-11-20: 691</title>", page)
        self.assertEqual(page.count('class="step"'), 2)  # in its chart and in the table of all figures
        self.assertIn('class="what">2026-11-20 +1</text>', page)
        self.assertGreater(page.count('class="spark"'), 10)

    def test_each_form_has_the_last_figure_of_what_the_last_night_lacks(self):
        """Such as after a night without --footprint."""
        def one_more_and_tonight_none(document, night):
            document["footprint"]["ends"][0]["allocs"] = 690 + (night >= 20)
            if night == 30:
                document["footprint"] = None

        self.night_after_night(one_more_and_tonight_none)
        line, = (line for line in self.soak("history").splitlines() if "server allocations/handshake" in line)
        self.assertEqual(line.split()[-1], "691")
        row, = (row for row in self.soak("history", "--markdown").splitlines() if "allocations/handshake" in row)
        self.assertEqual(row.split(" | ")[3], "691")
        self.assertIn('<td class="n">691</td>', self.soak("history", "--html"))

    def test_a_step_in_what_varies_is_named_with_its_night(self):
        def slower(document, night):
            document["subjects"][0]["cost"]["cpu_us_per_conn"] *= 1.5 if night >= 20 else 1

        self.night_after_night(self.noise, slower)
        said = " ".join(self.soak("history", "--check", code=1).split())
        self.assertRegex(said, r"^STEP 2026-11-(19|20|21) default: server CPU/conn \d+ µs -> \d+ µs, ")
        self.assertEqual(said.count("STEP"), 1)
        for line in self.soak("history").splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_quiet_nights_are_quiet(self):
        self.night_after_night(self.noise)
        self.assertEqual(self.soak("history", "--check"), "no step in 1 history, the longest of 30 runs\n")
        self.assertEqual(self.soak("history", "--markdown").count("\n| default | server allocations/conn |"), 1)
        page = self.soak("history", "--html")
        self.assertIn("LEVEL</span> no step in 1 history, the longest of 30 runs</h1>", page)
        self.assertNotIn('class="step"', page)
        self.assertEqual(self.soak("history", "--check", "--last", "7"),
                         "no step in 1 history, the longest of 7 runs\n")

    def test_two_hundred_quiet_histories_raise_at_most_one_alarm(self):
        """With every figure that a run has, each as it varied among runs of one commit."""
        self.db.parent.mkdir()
        self.soak("history", "add", self.ran)
        db = sqlite3.connect(self.db, isolation_level=None)
        figures = db.execute("SELECT name, value FROM figure").fetchall()
        self.assertGreater(len(figures), 30)
        # Of each figure its own, so that a build that has fewer, as one without jemalloc, draws the same of the others.
        chance = {name: random.Random(f"20261129 {name}") for name, _ in figures}
        spread = {"cpu_us_per_conn": 0.08, "handshake_p50": 0.1, "rss": 0.02, "allocs_per_conn": 0.003,
                  "heap_allocated": 0.005, "openssl_bytes": 0.001, "sensitivity": 0.02}
        db.execute("BEGIN")
        for history in range(200):
            for night in range(30):
                time = f"2026-11-{night + 1:02}T02:17:00Z"
                run = db.execute(
                    "INSERT INTO run VALUES (NULL, ?, 's', 'openssl 3.0.19', 'night', ?, '1', '/r', 'PASS', "
                    "'0.1.0', 0, 3, 1500, 1.5, 100)", (f"quiet-{history:03}", time)).lastrowid
                db.executemany("INSERT INTO figure VALUES (?, ?, ?)", (
                    (run, name, chance[name].gauss(0, 100) if ".growth.rss" in name or "resident" in name
                     else value * chance[name].gauss(1, spread.get(name.rpartition(".")[2], 0)))
                    for name, value in figures))
        db.execute("COMMIT")
        db.close()
        steps = self.shown()["steps"]
        print(f"{steps} steps in 200 quiet histories of {len(figures)} figures")
        self.assertLessEqual(steps, 1)

    def test_each_scenario_library_machine_and_set_of_options_has_its_history(self):
        self.copy()
        self.copy(time="2026-11-01T02:00:00Z")
        self.copy(host="other")
        self.copy(scenario="smoke")
        self.copy(scenario="smoke", libs={"openssl": "4.0.0"}, mapped=[],
                  time="2026-11-02T02:00:00Z")
        self.copy(scenario="smoke", exit=130, interrupted=True, time="2026-11-01T02:00:00Z")
        self.soak("history", "rebuild")
        found = [(h["scenario"], h["machine"], h["library"][8:11], len(h["nights"]), h["left_out"])
                 for h in self.shown()["histories"]]
        self.assertEqual(found, [("default", "night", "3.0", 2, 0), ("default", "other", "3.0", 1, 0),
                                 ("smoke", "night", "3.0", 1, 1), ("smoke", "night", "4.0", 1, 0)])

    def copy(self, **changed):
        """One more folder of the run that there was, with other values in its document."""
        folder, = (self.ran / "runs").glob("2*")
        copy = self.folder / f"results/runs/{len(changed)}-{next(self.number)}"
        shutil.copytree(folder, copy)
        document = json.loads((copy / "result.json").read_text(encoding="utf-8")) | changed
        (copy / "result.json").write_text(json.dumps(document), encoding="utf-8")
        return copy

    @staticmethod
    def options(folder, **changed):
        path = folder / "manifest.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        document["options"] |= changed
        path.write_text(json.dumps(document), encoding="utf-8")

    def test_other_options_begin_another_history_and_other_outputs_do_not(self):
        self.options(self.copy(time="2026-11-01T02:00:00Z"), results="elsewhere", quiet="false", seed="8")
        self.options(self.copy(time="2026-11-02T02:00:00Z"), **{"an-option-of-tomorrow": "none"})
        self.options(self.copy(time="2026-11-03T02:00:00Z"), tls="1.2")
        self.soak("history", "rebuild")
        self.assertEqual(sorted((len(h["nights"]), h["left_out"]) for h in self.shown()["histories"]),
                         [(1, 0), (2, 0)])
        said = " ".join(self.soak("history").split())
        self.assertIn("on night, options as in results/runs/1-1; 2 runs, 2026-11-01 to 2026-11-02", said)
        self.assertIn("on night, options as in results/runs/1-2; 1 run, 2026-11-03", said)
        shutil.rmtree(next((self.folder / "results/runs").glob("*-2")))
        self.soak("history", "rebuild")
        history, = self.shown()["histories"]
        self.assertEqual((len(history["nights"]), history["left_out"]), (2, 0))
        self.assertNotIn("options as in", self.soak("history"))

    def test_a_run_with_other_options_hides_no_step(self):
        def one_more_tonight(document, night):
            document["footprint"]["ends"][0]["allocs"] = 690 + (night == 30)

        self.night_after_night(one_more_tonight)
        self.options(self.copy(time="2026-11-30T12:00:00Z"), conns="50")
        self.soak("history", "rebuild")
        said = " ".join(self.soak("history", "--check", code=1).split())
        self.assertIn("STEP 2026-11-30 default: server allocations/handshake 690 -> 691", said)
        self.assertIn("options as in results/runs/20261130-021700-default", said)

    def test_a_single_run_with_options_of_its_own_is_left_out_once_it_is_not_the_newest(self):
        for day, options in enumerate(({}, {"conns": "50"}, {"tls": "1.2"}, {}), start=1):
            self.options(self.copy(time=f"2026-11-0{day}T02:00:00Z"), **options)
        self.soak("history", "rebuild")
        history, = self.shown()["histories"]
        self.assertEqual(([night["time"][:10] for night in history["nights"]], history["left_out"]),
                         (["2026-11-01", "2026-11-04"], 2))

    def test_what_others_wrote_steers_no_terminal(self):
        evil = "a\x1b[31m<b>|`\n"

        def name(document, night):
            document["scenario"] = evil
            document["host"] = evil

        self.night_after_night(name)
        for form in ((), ("--check",), ("--markdown",)):
            said = self.soak("history", *form)
            self.assertNotIn("\x1b", said)
            self.assertEqual("31m" in said, form != ("--check",), said)
            if form == ("--markdown",):
                self.assertNotIn("<b>", said)

    def test_what_others_wrote_is_no_markup_of_the_page(self):
        evil = "<script>alert(1)</script>\"'&"

        def name(document, night):
            document["scenario"] = document["host"] = evil
            document["verdict"] = "PASS"
            document["libs"] = {"openssl": evil}
            for mapped in document["mapped"]:
                mapped["version"] = evil
            document["footprint"]["ends"][0]["allocs"] = 690 + (night >= 20)
            document["subjects"][1]["metrics"][0]["id"] = evil[:40]

        self.night_after_night(name)
        page = self.soak("history", "--html")
        self.assertEqual(page.count("<script"), 1)  # its own
        self.assertGreater(page.count("&lt;script&gt;alert(1)"), 4)
        self.assertIn("openssl &lt;script&gt;", page)

    def test_a_date_that_leaves_no_run_is_refused_and_a_history_without_runs_is_not(self):
        """Or a check with next year's date would pass every night."""
        self.soak("history", "--check", "--since", "2027-11-20")
        self.copy(time="2026-11-01T02:00:00Z")
        self.copy(time="2026-11-02T02:00:00Z")
        self.soak("history", "rebuild")
        said = "the newest is of 2026-11-02T02:00:00Z"
        for words in (("--check",), (), ("default",), ("--json",)):
            process = subprocess.run([SOAK, "history", *words, "--since", "2027-11-20"], capture_output=True, text=True,
                                     check=False, timeout=PATIENCE_S, cwd=self.folder, env=self.environment)
            self.assertEqual((process.returncode, process.stdout, process.stderr),
                             (2, "", f"soak: history: --since 2027-11-20: no run is as new; {said}\n"))
        self.soak("history", "--check", "--since", "2026-11-02")

    def test_a_scenario_that_has_no_run_is_refused_with_the_one_that_was_meant(self):
        self.copy(time="2026-11-01T02:00:00Z")
        self.soak("history", "rebuild")
        for word, meant in (("defualt", "; did you mean default?"), ("nightly", "")):
            process = subprocess.run([SOAK, "history", word], capture_output=True, text=True, check=False,
                                     timeout=PATIENCE_S, cwd=self.folder, env=self.environment)
            self.assertEqual((process.returncode, process.stdout, process.stderr),
                             (2, "", f"soak: history: {word}: the history has no run of it{meant}\n"))

    def test_bad_lines_get_one_sentence(self):
        for words, sentence in (
                (("add",), "add: which folders? Give those of runs, or folders that contain some"),
                (("a", "b"), "b: one scenario at a time"), (("--last", "0"), "--last: from 1 to 366"),
                *((("--since", date), f"--since {date}: not a date such as 2026-11-20") for date in NO_DATES),
                (("add", "/nonexistent"), "/nonexistent: there is no such folder"),
                (("rebuild",), "results: there is no such folder"),
                (("nightly",), "nightly: the history has no run of it")):
            with self.subTest(words=words):
                process = subprocess.run([SOAK, "history", *words], capture_output=True, text=True,
                                         check=False, timeout=PATIENCE_S, cwd=self.folder,
                                         env=self.environment)
                self.assertEqual(process.stderr, f"soak: history: {sentence}\n")
                self.assertEqual((process.stdout, process.returncode), ("", 2))
        self.assertEqual(self.soak("history"), "no runs in the history yet\n"
                         "  every run in results/ is recorded when it ends; `soak history add FOLDER` adds\n"
                         "  runs from elsewhere\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
