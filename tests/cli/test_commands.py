# SPDX-License-Identifier: Apache-2.0
"""The commands beside `run`: their help, their refusals, Ctrl-C; and the man page, which says what
--help says."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S, until
from terminal import shown

BUILD = os.environ["SOAK_BUILD"]
SOURCE = os.environ["SOAK_SOURCE"]
SOAK = os.path.join(BUILD, "bin", "soak")

REFUSED = [
    (["calibrate", "--runz", "3"], "calibrate: --runz: no such option; did you mean --runs?"),
    (["calibrate", "--runs", "0"], "calibrate: --runs: from 1 to 1M"),
    (["calibrate", "--closed", "100"],
     "calibrate: --closed: at least 500, or no run is long enough for a verdict"),
    (["calibrate", "--mix", "defualt"],
     "calibrate: --mix defualt: no such mix; did you mean 'default'?"),
    (["calibrate", "--random", "2", "--mix", "default"],
     "calibrate: --random: draws its mixes; leave out --mix"),
    (["calibrate", "--random", "0"], "calibrate: --random 0: give at least 1, or leave it out"),
    (["calibrate", "smoke"], "calibrate: smoke: it takes options only"),
    (["agent"], "agent: --join HOST:PORT is needed, as the run says it"),
    (["agent", "--join", "here"],
     "agent: --join here: a host and a port, as the run says them, such as 10.0.0.1:7411"),
    (["agent", "--join", "127.0.0.1:7", "--token-file", "/dev/null"],
     "agent: --token-file /dev/null: a join token has 32 to 256 letters and digits, such as those of "
     "'openssl rand -hex 32'"),
    (["agent", "--join", "127.0.0.1:7"],
     "agent: no join token: give --token-file FILE, or set SOAK_JOIN_TOKEN"),
    (["agent", "--join", "127.0.0.1:7", "--wait", "2"],
     "agent: --wait 2: a duration needs a unit, such as 2s or 2m"),
    (["doctor", "--conns", "0"], "doctor: --conns: from 1 to 100000"),
    (["doctor", "--churn", "1000"],
     "doctor: --churn 1000: a rate needs a unit, such as 1000/s or 60000/m"),
    (["list", "behavours"], "list: behavours: no such list; did you mean behaviours?"),
    (["list", "weights"],
     "list: weights: no such list; there are scenarios, behaviours and defects"),
    (["show", "smoke", "default"],
     "show: default: one scenario at a time, and 'smoke' is already one"),
    (["show", "--as-comand"], "show: --as-comand: no such option"),
    (["show", "smok"], "show: smok: no such scenario; did you mean smoke?"),
    (["merge", "--jsn"], "merge: --jsn: no such option; did you mean --json?"),
    (["merge"], "merge: which suites? Give suite.json files or their folders"),
    (["selftest", "--quik"], "selftest: --quik: no such option; did you mean --quick?"),
    (["selftest", "--endurance", "10"], "selftest: --endurance: from 1000 to 1000000000 connections"),
    (["selftest", "--endurance", "0"], "selftest: --endurance 0: give at least 1, or leave it out"),
    (["selftest", "--endurance", "1k", "--quick"],
     "selftest: --endurance: a run of its own; leave out the other options"),
    (["selftest", "--campaign", "cleen"], "selftest: --campaign cleen: it is clean, leaks or sensitivity"),
    (["selftest", "--campaign", "leaks", "--quick"],
     "selftest: --campaign: it draws its own runs; leave out --quick, --seeds, --rates, --only and --endurance"),
    (["selftest", "--campaign", "leaks", "--jobs", "0"], "selftest: --jobs: from 1 to 64"),
    (["selftest", "--campaign", "leaks", "--busy", "65"], "selftest: --busy: at most 64"),
    (["selftest", "--campaign", "clean", "--simulated"],
     "selftest: --simulated: only for --campaign sensitivity, and it starts nothing; leave out --openssl, --jobs and "
     "--busy"),
    (["selftest", "--campaign", "leaks", "--runs", "0"], "selftest: --runs: from 1 to 1M"),
    (["selftest", "--campaign", "leaks", "--scenario", "smoke"],
     "selftest: --scenario: only for --campaign clean; the others plant their leaks in soak-server"),
    (["selftest", "--campaign", "clean", "--scenario", "smoke", "--openssl", "3.0.19"],
     "selftest: --openssl: a scenario has its own; leave out one of them"),
    (["selftest", "--campaign", "clean", "--openssl", "3.0.19,,1"],
     "selftest: --openssl 3.0.19,,1: names separated by commas, such as a,b"),
    (["selftest", "--runs", "7"], "selftest: --runs: only with --campaign"),
    (["selftest", "--busy", "1", "--markdown=x.md"], "selftest: --busy, --markdown: only with --campaign"),
    (["selftest", "--only", "xyz"], "selftest: --only xyz: no such defect; `soak list defects` lists them"),
    (["selftest", "--seeds", "0"], "selftest: --seeds: from 1 to 1000"),
    (["selftest", "--rates", "1,1/7"],
     "selftest: --rates 1/7: no case has this rate; there are 1, 1/100 and 1/10000"),
    (["selftest", "--rates", "1,7"],
     "selftest: --rates 7: a share is one in a whole number, such as 1/1000"),
    (["selftest", "--only", "lost-stat"],
     "selftest: --only lost-stat: no such defect; did you mean lost-state?"),
    (["selftest", "--only", "one-time", "--rates", "1/100"],
     "selftest: --rates, --only and --quick together leave no case"),
]


def soak(*arguments, **environment):
    return subprocess.run([SOAK, *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False, env=dict(os.environ, SOAK_ROOT=SOURCE, **environment))


def options_in(text):
    return set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE))


class Commands(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.mkdtemp(prefix="soak-cli-")
        self.addCleanup(shutil.rmtree, self.temporary, ignore_errors=True)

    def test_each_bad_option_gets_its_sentence_and_exit_2(self):
        for arguments, sentence in REFUSED:
            with self.subTest(arguments=arguments):
                process = soak(*arguments, TMPDIR=self.temporary)
                self.assertEqual(process.stderr, f"soak: {sentence}\n")
                self.assertEqual((process.stdout, process.returncode), ("", 2))
                self.assertEqual(os.listdir(self.temporary), [])

    def test_what_only_a_single_run_can_obey_is_refused_elsewhere(self):
        for command in ("suite", "compare", "bisect"):
            for option in (["--bisect-exit"], ["--build", "make"]):
                process = soak(command, "smoke", "--openssl", "3.0.17..3.0.22", *option)
                self.assertEqual((process.returncode, process.stderr),
                                 (2, f"soak: {command}: {option[0]}: soak {command} has no such option; "
                                     f"soak run SCENARIO {' '.join(option).replace('make', 'COMMAND')} has it\n"))

    def test_what_could_not_be_printed_is_told(self):
        for words in (("--help",), ("list",), ("run", "--help"), ("--version",), ("help", "suite"), ("--man",)):
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                done = subprocess.run([SOAK, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                      timeout=PATIENCE_S)
                self.assertEqual((done.returncode, done.stderr), (4, "soak: stdout: No space left on device\n"))

    def test_each_command_has_help_of_its_own(self):
        for command, words, options in (
                ("calibrate", "", {"runs", "closed", "seed", "random", "mix"}),
                ("selftest", "", {"quick", "seeds", "rates", "only", "endurance", "campaign", "runs", "seed",
                                  "jobs", "busy", "simulated", "openssl", "scenario", "results", "markdown"}),
                ("list", "", {"json"}), ("show", "", {"as-command"}),
                ("suite", "SCENARIOS ", {"shard", "fail-fast", "junit", "markdown"}),
                ("merge", "SUITES ", {"json", "junit", "markdown"}),
                ("report", "RUN ", {"html", "flame", "pprof", "folded", "junit", "markdown", "issue", "sarif",
                                    "json", "quiet"}),
                ("shorten", "RUN ", {"runs", "for", "quiet"}),
                ("compare", "[SCENARIO] ", {"openssl", "libuv", "malloc", "program", "same-libc",
                                          "side", "repeat",
                                          "tolerance", "json", "markdown", "html", "results", "quiet",
                                          "color"}),
                ("bisect", "[SCENARIO] ", {"openssl", "libuv", "malloc", "same-libc", "metric",
                                         "repeat", "tolerance", "json", "results", "quiet",
                                         "color"}),
                ("history", "[SCENARIO|add|rebuild] ", {"check", "last", "since", "json", "markdown", "html",
                                                        "color"}),
                ("doctor", "", {"conns", "churn", "json"}),
                ("agent", "", {"join", "token-file", "wait"}),
                ("libs", "[add|remove|program] ", {"json", "mirror"})):
            process = soak(command, "--help")
            self.assertEqual((process.returncode, process.stderr), (0, ""))
            self.assertEqual(options_in(process.stdout), options)
            self.assertIn(f"  soak {command} {words}[", soak("--help").stdout)

    def test_help_and_lists_are_wrapped_to_the_terminal(self):
        """Only a command that is to be pasted, or an option's values, may be longer than the line."""
        commands = re.findall(r"^  soak ([a-z]+) ", soak("--help").stdout, re.MULTILINE)
        self.assertGreater(len(commands), 12)
        for words in (["--help"], ["help", "servers"], ["list", "behaviours"],
                      *([command, "--help"] for command in commands if command != "help")):
            piped = soak(*words).stdout
            for columns in (44, 60, 80):
                text, code = shown(columns, [SOAK, *words], env=dict(os.environ, SOAK_ROOT=SOURCE))
                self.assertEqual(code, 0)
                self.assertEqual("".join(text.split()), "".join(piped.split()))
                self.assertEqual(text == piped, columns == 80, words)
                for line in text.splitlines():
                    if not re.match(r" +(soak |--)", line):
                        self.assertLessEqual(len(line), columns, (words, line))

    def test_the_topic_of_servers_names_every_placeholder_and_option(self):
        process = soak("help", "servers")
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        self.assertIn("  soak help servers ", soak("--help").stdout)
        with open(os.path.join(SOURCE, "docs", "guide", "servers.md"), encoding="utf-8") as f:
            guide = f.read()
        for text in (process.stdout, guide):
            for option in ("--connect", "--ready-timeout", "--on-checkpoint", "--settle", "--stop",
                           "--malloc-hooks", "--template", "--reload"):
                self.assertIn(option, text)
        for name in re.findall(r"^  \{([a-z]+)\} ", process.stdout, re.MULTILINE):
            self.assertIn(f"`{{{name}}}`", guide)

    def test_while_soak_alone_is_built_a_line_is_refused_or_put_off(self):
        """The launcher runs it so: 75 says that the other programs are needed, and nothing was done."""
        for line, code in (("", 75), ("smoke --json=x.json --conns 3", 75), ("run smoke", 75),
                           ("smoke --bisect-exit", 75), ("smoke --bisect-exit --build x", 75),
                           ("suite smoke", 75), ("compare smoke --openssl 3.0.17,3.0.20", 75),
                           ("bisect smoke --openssl 3.0.17..3.0.20", 75), ("selftest --quick", 75),
                           ("calibrate --runs 1", 75), ("doctor", 75), ("agent --join a:1", 75), ("agent", 2), ("list", 0), ("libs", 0),
                           ("history", 0), ("show smoke", 0),
                           ("--help", 0), ("help suite", 0), ("--version", 0), ("smok", 2), ("smok --help", 2),
                           ("smoke --help", 0), ("./nosuch.soak --help", 0), ("run smok --help", 0),
                           ("--conns x", 2), ("suite smok", 2), ("selftest --quik", 2),
                           ("calibrate --runs 0", 2), ("--json=/nonexistent/x", 2),
                           ("--on-drain /nonexistent/x", 2)):
            with self.subTest(line=line):
                process = subprocess.run(
                    [SOAK, *line.split()], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                    cwd=self.temporary, env=dict(os.environ, SOAK_ROOT=SOURCE, SOAK_UNBUILT="1",
                                                 SOAK_CACHE=self.temporary + "/cache",
                                                 TMPDIR=self.temporary))
                self.assertEqual(process.returncode, code, process.stderr)
                self.assertEqual(bool(process.stdout), code == 0)
                self.assertEqual(bool(process.stderr), code == 2)
                self.assertLessEqual(set(os.listdir(self.temporary)), {"x.json", "cache"})

    def test_a_calibration_leaves_nothing_and_says_its_bound(self):
        process = soak("calibrate", "--runs", "1", "--closed", "1000", "--mix", "default",
                       TMPDIR=self.temporary)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertRegex(process.stdout, r"(?m)^default +1 +1 +0 +0 +0 +1$")
        self.assertIn("false alarms (LEAK): 0 of 1, so at most 95.00 % of such runs (95 % sure)\n",
                      process.stdout)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_random_mixes_are_told_with_the_command_that_repeats_them(self):
        """Which are refused depends on the tables that they are drawn from."""
        process = soak("calibrate", "--random", "4", "--seed", "1", "--closed", "1000",
                       TMPDIR=self.temporary)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        *lines, last = process.stdout.splitlines()
        words = [line.split()[0] for line in lines if not line.startswith(" ")]
        self.assertEqual(len(words), 4, process.stdout)
        self.assertEqual(last, f"4 mixes: {words.count('PASS')} PASS, {words.count('refused')} "
                               "refused with a reason, 0 neither")
        for seed in range(1, 5):
            self.assertRegex(process.stdout, rf"(?m)^(PASS|refused) +\./soak run --churn max "
                                             rf"--closed [\dk]+ --seed {seed:x}\b")
        self.assertEqual(os.listdir(self.temporary), [])

    def test_a_selftest_of_one_bug_counts_it(self):
        process = soak("selftest", "--only", "lost-state", "--rates", "1", TMPDIR=self.temporary)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertEqual(process.stdout.splitlines()[-1], "1 of 1 as expected: 1 caught")
        self.assertRegex(process.stdout, r"(?m)^defect .* stack\nlost-state .* server/defect.c:\d+ .* caught$")
        self.assertEqual(os.listdir(self.temporary), [])

    def test_the_rows_of_a_selftest_fit_the_terminal(self):
        for columns, row in ((60, r"lost-state +LEAK +caught"), (80, r"lost-state +LEAK +side-allocation-lost +caught")):
            text, code = shown(columns, [SOAK, "selftest", "--only", "lost-state", "--rates", "1"],
                               env=dict(os.environ, SOAK_ROOT=SOURCE, TMPDIR=self.temporary))
            self.assertEqual(code, 0, text)
            self.assertLessEqual(max(map(len, text.splitlines())), columns)
            self.assertRegex(text, rf"(?m)^{row}$")

    def test_a_run_that_fails_is_kept_and_named_and_ends_with_1(self):
        """Its server is killed: the run is INVALID."""
        for line in (("--runs", "1", "--mix", "default"), ("--random", "1", "--seed", "1")):
            with subprocess.Popen([SOAK, "calibrate", *line], stdout=subprocess.PIPE, text=True,
                                  env=dict(os.environ, SOAK_ROOT=SOURCE,
                                           TMPDIR=self.temporary)) as process:
                os.kill(self.server_of(process.pid), signal.SIGKILL)
                output, _ = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 1, output)
            kept = re.search(r"INVALID(?s:.*)kept: ([^\s;]+)", output).group(1)
            with open(os.path.join(kept, "result.json"), encoding="utf-8") as f:
                self.assertIn("signal 9", json.load(f)["broken"])

    @staticmethod
    def children(pid):
        """Name and number of each child of a process."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                    name, fields = f.read().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if int(fields.split()[1]) == pid:
                yield name, int(entry)

    def server_of(self, pid):
        """The server below a calibration: its grandchild."""
        def found():
            return next((child for _, run in self.children(pid)
                         for name, child in self.children(run) if name == "soak-server"), None)

        return until(found, "a server is started")

    def test_ctrl_c_prints_what_was_measured_and_exits_with_130(self):
        """The first run is done when the folder of the second is there."""
        process = subprocess.Popen([SOAK, "calibrate", "--runs", "50", "--closed", "1000"],
                                   stdout=subprocess.PIPE, text=True,
                                   env=dict(os.environ, SOAK_ROOT=SOURCE, TMPDIR=self.temporary))
        until(self.second_run, "the second run has begun")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, output)
        # More than one may be done by the time the signal arrives.
        self.assertRegex(output, r"(?m)^default +([1-9]\d*) +\1 +0")
        self.assertEqual(os.listdir(self.temporary), [])

    def campaign(self, *options):
        return soak("selftest", "--campaign", "clean", "--results", self.temporary, *options,
                    TMPDIR=self.temporary)

    def test_a_campaign_goes_on_where_it_was_and_a_broken_run_fails_it(self):
        for runs, before in ((1, ""), (2, f"1 of 2 runs done before, in {self.temporary}\n"), (2, "2 of 2 runs done before, in ")):
            process = self.campaign("--runs", str(runs))
            self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
            self.assertTrue(process.stdout.startswith(before), process.stdout)
            self.assertRegex(process.stdout, rf"\n\| all \| {runs} \| {runs} \| 0 \| 0 \| 0 \|\n")
        with open(os.path.join(self.temporary, "runs.jsonl"), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual([line.get("number") for line in lines], [None, 0, 1])
        self.assertEqual(sorted(os.listdir(self.temporary)), ["campaign.md", "runs.jsonl"])
        refused = self.campaign("--runs", "2", "--seed", "2")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("another campaign, or another version's, is in this folder", refused.stderr)
        with subprocess.Popen([SOAK, "selftest", "--campaign", "clean", "--runs", "3", "--results",
                               self.temporary], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, SOAK_ROOT=SOURCE, TMPDIR=self.temporary)) as process:
            os.kill(self.server_of(process.pid), signal.SIGKILL)
            output, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 1, output)
        self.assertRegex(output, r"(?m)^BROKEN  run 2: \./soak run --churn max --.*\n  it said: server .*\n  kept: ")

    def test_runs_of_a_campaign_side_by_side(self):
        book = os.path.join(self.temporary, "book.md")
        process = self.campaign("--runs", "3", "--jobs", "2", "--busy", "1", f"--markdown={book}")
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        with open(os.path.join(self.temporary, "runs.jsonl"), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual(sorted(line["number"] for line in lines[1:]), [0, 1, 2])
        self.assertEqual((lines[0]["busy"], lines[0]["campaign"]), (1, "clean"))
        with open(book, encoding="utf-8") as f:
            self.assertTrue(f.read().endswith("\n" + process.stdout))
        self.assertIn("--runs 3 --seed 1 --jobs 2 --busy 1\n", process.stdout)
        with subprocess.Popen([SOAK, "selftest", "--campaign", "clean", "--runs", "9", "--jobs", "2", "--busy", "1",
                               "--results", self.temporary], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, SOAK_ROOT=SOURCE, TMPDIR=self.temporary)) as process:
            until(lambda: len(list(self.children(process.pid))) >= 2, "two runs are under way")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(sorted(os.listdir(self.temporary)), ["book.md", "campaign.md", "runs.jsonl"])

    def test_leaks_at_the_printed_sensitivity_are_simulated(self):
        process = soak("selftest", "--campaign", "sensitivity", "--simulated", "--runs", "300", "--results",
                       self.temporary, TMPDIR=self.temporary)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertEqual(process.stderr, "".join(f"soak: {n} of 300 runs\n" for n in range(30, 300, 30)))
        self.assertIn("\n| all | 300 | 300 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |\n", process.stdout)

    def second_run(self):
        """Whether its server has started: before, there is nothing to interrupt."""
        return any("server.log" in files and "/2/" in folder + "/"
                   for folder, _, files in os.walk(self.temporary))


class ManPage(unittest.TestCase):
    def test_it_has_every_option_of_run_and_of_the_commands(self):
        page = soak("--man").stdout
        marked = {name.replace("\\-", "-") for name in re.findall(r"\\fB\\-\\-(\S+?)\\fR", page)}
        said = options_in(soak("--help").stdout)
        for command in ("calibrate", "selftest", "list", "show", "suite", "merge", "report", "shorten", "compare",
                        "bisect", "libs", "history", "doctor", "agent"):
            said |= options_in(soak(command, "--help").stdout)
        self.assertGreater(len(said), 30)
        self.assertEqual(marked, said)

    def formatted(self, columns):
        """The page as man shows it in a terminal of so many columns."""
        if not shutil.which("man") or not shutil.which("groff"):
            self.skipTest("no man and groff")
        with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
            file.write(soak("--man").stdout)
            file.flush()
            process = subprocess.run(["man", "--warnings", "-l", file.name], capture_output=True,
                                     text=True, check=False,
                                     env=dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH=str(columns)))
        self.assertEqual((process.returncode, process.stderr), (0, ""), columns)
        return process.stdout.replace("\x08", "")

    def test_man_finds_nothing_to_warn_of(self):
        for columns in (60, 80, 132):
            self.assertIn("--malloc jemalloc|libc", self.formatted(columns))

    def test_the_lists_in_a_help_text_stand_in_it_line_by_line(self):
        lines = {line.strip() for line in self.formatted(80).splitlines()}
        for command in ("libs", "history"):
            text = soak(command, "--help").stdout.split(f"\n  soak {command} ")[0]
            listed = {line.strip() for line in text.splitlines() if line.startswith("  ")}
            self.assertGreater(len(listed), 2, command)
            self.assertEqual(listed - lines, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
