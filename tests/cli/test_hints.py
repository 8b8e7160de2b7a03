# SPDX-License-Identifier: Apache-2.0
"""What people type who come from other tools: each row of src/common/scenario/hints.def gets a sentence
that names something soak has. The option is refused before anything is started."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

BUILD = os.environ["SOAK_BUILD"]
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = os.path.join(BUILD, "bin", "soak")
TABLE = (SOURCE / "src/common/scenario/hints.def").read_text(encoding="utf-8")
COMMANDS = "list show suite merge libs compare bisect selftest calibrate doctor".split()

# As people type them, and the sentence.
TYPED = [
    ("--duration 30s", "--duration: no such option; did you mean --for DURATION?"),
    ("--duration=30s", "--duration: no such option; did you mean --for DURATION?"),
    ("--rate 500", "--rate: no such option; did you mean --churn RATE?"),
    ("--threads 4", "--threads: no such option; did you mean --workers (the server's) or "
                    "--client-workers?"),
    ("--connections 30", "--connections: no such option; did you mean --conns COUNT?"),
    ("--output x.json", "--output: no such option; --json=FILE writes the result, and "
                        "--results FOLDER says where runs are kept"),
    ("--url https://localhost", "--url: no such option; to test a server of yours: "
     "--server 'CMD' --connect 127.0.0.1:PORT (soak help servers)"),
    ("--host localhost", "--host: no such option; to test a server of yours: "
     "--server 'CMD' --connect 127.0.0.1:PORT (soak help servers)"),
    ("--port 443", "--port: no such option; to test a server of yours: "
     "--server 'CMD' --connect 127.0.0.1:PORT (soak help servers)"),
    ("--verbose", "--verbose: no such option; each run keeps the logs of both sides: "
                  "results/runs/last/server.log, client.log"),
    ("--timeout 5s", "--timeout: no such option; --for ends the run, --handshake-timeout and "
                     "--idle-timeout end a connection, --watchdog ends a run that hangs"),
    ("-c 30", "-c: no such option; did you mean --conns COUNT?"),
    ("-c30", "-c30: no such option; did you mean --conns COUNT?"),
    ("-t4", "-t4: no such option; did you mean --workers (the server's) or --client-workers?"),
    ("-n 1000", "-n: no such option; did you mean --closed COUNT?"),
    ("-x", "-x: no such option; options begin with --"),
    ("--no-color", "--no-color: no such option; did you mean --color never?"),
    ("--conections 3", "--conections: no such option; did you mean --conns?"),
    # An option of another command names that command.
    ("--junit x.xml", "--junit: soak run has no such option; soak suite SCENARIOS --junit=FILE "
                      "writes it"),
    ("--junit=x.xml", "--junit: soak run has no such option; soak suite SCENARIOS --junit=FILE "
                      "writes it"),
    ("run smoke --repeat 3", "--repeat: soak run has no such option; soak compare [SCENARIO] "
                             "--repeat N has it"),
    ("list --conns 3", "list: --conns: soak list has no such option; soak run SCENARIO "
                       "--conns COUNT has it"),
    ("list --jsn", "list: --jsn: no such option; did you mean --json?"),
    ("compare smoke --junit=x", "compare: --junit: soak compare has no such option; soak suite "
                                "SCENARIOS --junit=FILE writes it"),
    ("suite smoke --duration 3s", "suite: --duration: no such option; did you mean "
                                  "--for DURATION?"),
    ("merge x --connections 3", "merge: --connections: soak merge has no such option; soak run "
                                "SCENARIO --conns COUNT has it"),
    # Commands.
    ("sute", "sute: no such command; did you mean suite?"),
    ("sute --help", "sute: no such command; did you mean suite?"),
    ("comapre 3.0.17", "comapre: no such command; did you mean compare?"),
    ("diff", "diff: no such command; did you mean compare?"),
    ("smok", "smok: no such command or scenario; did you mean smoke?"),
    ("run sute", "sute: no such scenario; `soak list scenarios` has the scenarios"),
    ("help sute", "help: sute: no such command; did you mean suite?"),
    # `--json FILE` takes what is named like its files.
    ("--json x.json --conns x", "--conns x: a count is a whole number, such as 10_000, 1k or 1M"),
    ("--json out.txt", "out.txt: no such scenario; `soak list scenarios` has the scenarios; if it "
                       "is the file to write: --json=out.txt"),
]


def soak(*arguments, cwd=None):
    return subprocess.run([SOAK, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                          stdin=subprocess.DEVNULL, cwd=cwd, env=dict(os.environ, SOAK_ROOT=str(SOURCE)))


def options_in(text):
    return set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE))


class Hints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.known = options_in(soak("--help").stdout) | {"version"}
        for command in COMMANDS:
            cls.known |= options_in(soak(command, "--help").stdout)

    def refused(self, *words):
        with tempfile.TemporaryDirectory(prefix="soak-cli-") as folder:
            process = soak(*words, cwd=folder)
            self.assertEqual((process.returncode, process.stdout), (2, ""), words)
            self.assertEqual(os.listdir(folder), [], words)
        return process.stderr

    def test_what_people_type_gets_the_name_that_soak_has(self):
        for line, sentence in TYPED:
            with self.subTest(line=line):
                self.assertEqual(self.refused(*line.split()), f"soak: {sentence}\n")

    def test_every_row_of_the_table_names_what_there_is(self):
        rows = re.findall(r'^X\("([^"]+)"', TABLE, re.MULTILINE)
        self.assertGreater(len(rows), 100)
        for typed in rows:
            word = f"-{typed}" if len(typed) == 1 else f"--{typed}"
            sentence = self.refused(word)
            self.assertRegex(sentence, rf"^soak: {re.escape(word)}: ")
            said = sentence.split(": ", 2)[2]
            named = re.findall(r"--([a-z-]+)", said)
            self.assertTrue(named or re.search(r"soak (run|list|show) ?|settled|results/runs/last",
                                               said), sentence)
            self.assertLessEqual(set(named), self.known, sentence)

    def test_every_command_that_is_hinted_at_is_there(self):
        rows = re.findall(r'^    X\("([^"]+)", "([^"]+)"\)', TABLE, re.MULTILINE)
        self.assertGreater(len(rows), 10)
        for typed, command in rows:
            self.assertEqual(self.refused(typed),
                             f"soak: {typed}: no such command; did you mean {command}?\n")
            self.assertIn(command, [*COMMANDS, "run"])

    def test_a_key_of_a_scenario_gets_the_same_hints(self):
        for line, sentence in (
                ("duration = 3s", "no such key 'duration' in [load]; did you mean for?"),
                ("connections = 3", "no such key 'connections' in [load]; did you mean conns?"),
                ("threads = 3", "no such key 'threads' in [load]; did you mean workers in [server]?"),
                ("churm = 3/s", "no such key 'churm' in [load]; did you mean churn?")):
            with tempfile.NamedTemporaryFile("w", suffix=".soak", prefix="bad-") as file:
                file.write(f"[load]\nconns = 30\n{line}\n")
                file.flush()
                self.assertEqual(self.refused(file.name), f"soak: {file.name}:3: {sentence}\n")

    def test_help_of_a_command_is_the_same_both_ways_and_tells_defaults(self):
        for command in COMMANDS:
            self.assertEqual(soak("help", command).stdout, soak(command, "--help").stdout)
        self.assertEqual(soak("help").stdout, soak("--help").stdout)
        text = soak("--help").stdout
        for line in ("  --conns COUNT               connections held open (default 30)",
                     "  --key p256|rsa2048|both     the server's keys (default p256)",
                     "  --limit-rss GROWTH          RSS growth that is accepted (default 16B/conn)"):
            self.assertIn(line + "\n", text)
        self.assertIn("(default 200)", soak("help", "calibrate").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
