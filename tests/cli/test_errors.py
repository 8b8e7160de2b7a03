# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one clear sentence on stderr (where, what, how to mend it), exit 2, and nothing is
started: no run folder is left."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from patience import PATIENCE_S

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))
from soak_run import HAS_JEMALLOC  # noqa: E402

BUILD = os.environ["SOAK_BUILD"]
SOURCE = os.environ["SOAK_SOURCE"]
SOAK = os.path.join(BUILD, "bin", "soak")

ON_LIBC = "leave out --malloc libc" if HAS_JEMALLOC else "this build has no jemalloc"
# arguments, the sentence after "soak: "
REFUSED = [
    (["--churn", "1000"],
     "--churn 1000: a rate needs a unit, such as 1000/s or 60000/m"),
    (["--payload", "64K"],
     "--payload 64K: is that 64KiB (65,536 bytes) or 64kB (64,000)?"),
    (["--conections", "3"], "--conections: no such option; did you mean --conns?"),
    (["--server", "x", "--connect", "192.0.2.1:443"],
     "--connect 192.0.2.1:443: a loopback address and a port, such as 127.0.0.1:8443, or "
     "127.0.0.1:{port} for a free one: the load stays on this machine"),
    (["--server", "x"], "--server x: nothing says where it listens: --connect 127.0.0.1:PORT, or {port} "
     "in the command or in a file of --template for a port of soak's choice"),
    (["--server", "x {prot}"],
     "--server x {prot}: {prot} stands for nothing here; there is {work}, {here}, {address}, {port}, "
     "{cert}, {key}, {pem}, {ca}, {program}"),
    (["--server", "x {port}", "--defect", "lost-state", "--requests", "--tickets", "3"],
     "--tickets, --defect, --requests: soak's own server has this; leave it out with --server, which "
     "says in its command what that program is to do"),
    (["--server", "x {port}", "--stop", "HUPP"],
     "--stop HUPP: the name of a signal, such as TERM or QUIT"),
    (["--pid", "1"], "--pid 1: has a meaning only with --connect, where it listens"),
    (["--connect", "127.0.0.1:{port}"],
     "--connect 127.0.0.1:{port}: {port} has a meaning only with --server"),
    (["--settle", "1s"], "--settle 1s: has a meaning only with --server or --client"),
    (["--conns"], "--conns: a value is missing: --conns COUNT"),
    (["--agents", "-1"], "--agents -1: this is a whole number from 0 to 32"),
    (["--workers", "99999999999"], "--workers 99999999999: this is a whole number from 1 to 32"),
    (["--pid", "-1"], "--pid -1: this is a whole number, such as 4"),
    (["--for", "10"], "--for 10: a duration needs a unit, such as 10s or 10m"),
    (["--seed", "xyz"], "--seed xyz: this takes 1 to 16 hexadecimal digits, such as 7f3a"),
    (["--sensitivity", "5"],
     "--sensitivity 5: a share is one in a whole number, such as 1/1000"),
    (["--defect", "lost-stat"],
     "--defect lost-stat: no such defect; did you mean lost-state?"),
    (["--defect", "peer-cert-ref"],
     "--defect peer-cert-ref: it needs peers with certificates: --client-auth require"),
    (["--listen", "0.0.0.0:1"],
     "--listen 0.0.0.0:1: the load stays on this machine: 127.0.0.1:0, or [::1]:0, or another "
     "loopback address and a port"),
    (["--churn", "1/s", "--for", "10s"],
     "--for 10s: 30 connections at 1/s need 1m to turn over twice; give --for 1m or --churn 6/s"),
    (["--until-sure", "--closed", "9000"],
     "--closed 9k: with --until-sure the sensitivity ends the run; leave one of the two out, or "
     "limit the time by --for"),
    (["--closed", "1000", "--sensitivity", "1/100000"],
     "--closed 1k: too few for --sensitivity 1/100000, which takes at least 1,600,768; give "
     "--closed 1700k, or leave it out"),
    (["--for", "10s", "--sensitivity", "1/10000"],
     "--for 10s: too short for a sensitivity of 1/10000, which takes about 180,000 connections, "
     "3m00s at 1000/s; give --for 4m"),
    (["--until-sure", "--sensitivity", "1/1000000"],
     "--until-sure: a sensitivity of 1/1000000 takes about 18,000,000 connections, 5h00m at "
     "1000/s, and without --for the limit is 1h; give --for 6h"),
    (["--jemalloc", "./inst", "--malloc", "libc"],
     "--jemalloc ./inst: the server doesn't run on it with --malloc libc; leave one of the two out"),
    (["--build", "./build.sh"], "--build ./build.sh: has a meaning only with --bisect-exit"),
    (["--build", "false"], "--build false: has a meaning only with --bisect-exit"),
    (["--malloc", "tcmalloc"], "--malloc tcmalloc: this is one of jemalloc or libc"),
    (["--malloc", "libc", "--defect", "outside:1/10"],
     f"--defect outside:1/10: it shows in jemalloc's figures alone; {ON_LIBC}"),
    (["--malloc", "libc", "--defect", "fragment"],
     f"--defect fragment: it shows in jemalloc's figures alone; {ON_LIBC}"),
    (["--malloc", "libc", "--limit-heap", "2B/conn"],
     f"--limit-heap 2B/conn: only jemalloc tells how its heap grows; {ON_LIBC}"),
    (["--clea", "3"], "--clea: no such option; did you mean --clean?"),
    (["--mix", "clean,rset=3"],
     "--mix clean,rset=3: no such name 'rset'; did you mean reset?"),
    (["--expect", "leak kind=side"],
     "--expect leak kind=side: no such kind 'side'; did you mean side-allocation-lost?"),
    (["nosuch"], "nosuch: no such command or scenario; `soak list scenarios` has the "
     "scenarios"),
    (["run", "default", "smoke"], "smoke: one scenario at a time, and 'default' is already one"),
    (["--env", "MALLOC_CONF"], "--env MALLOC_CONF: NAME=VALUE, such as MALLOC_CONF=narenas:1"),
    (["--env", "1A=x"], "--env 1A=x: NAME=VALUE, such as MALLOC_CONF=narenas:1"),
    (["--env", "=x"], "--env =x: NAME=VALUE, such as MALLOC_CONF=narenas:1"),
    (["--server", "x {port}", "--env", "A={wrok}"],
     "--env A={wrok}: {wrok} stands for nothing here; there is {work}, {here}, {address}, {port}, "
     "{cert}, {key}, {pem}, {ca}, {program}"),
    (["--starttls", "xmpp", "--sni", "bad name"],
     "--sni bad name: not a name that --starttls xmpp could ask for"),
    (["--workers", "33"], "--workers 33: from 1 to 32"),
    (["--client-workers", "33"], "--client-workers 33: at most 32"),
    (["--listen", "[::1]:0", "--sources", "2"],
     "--sources 2: there is one loopback address in IPv6; give --listen 127.0.0.1:0 or --sources 1"),
    (["--listen", "[::1]:0", "--conns", "10001"],
     "--conns 10001: at most 10,000 with --listen [::1]:0: there is one loopback address in IPv6, and "
     "its ports run out; give --listen 127.0.0.1:0"),
    (["--server", ""], "--server: it is empty; give it a value, or leave it out"),
    (["smoke", "--client="], "--client: it is empty; give it a value, or leave it out"),
    (["--serve", ""], "--serve: it is empty; give it a value, or leave it out"),
    (["smoke", "--metrics="], "--metrics: it is empty; give it a value, or leave it out"),
    (["--connect", ""], "--connect: it is empty; give it a value, or leave it out"),
    (["bisect", "servers/nginx", "--program", "debian:bookworm/nginx.."],
     "bisect: --program debian:bookworm/nginx..: there is no list of a program's versions to search; name them "
     "to soak compare --program A,B,..."),
    (["bisect", "servers/nginx", "--openssl", "3.0.17..3.0.22"],
     "bisect: --openssl: the program of --server brings its own; compare versions of it with --program "
     "debian:SUITE/PACKAGE,..."),
    (["--json=/nonexistent/x"],
     "--json=/nonexistent/x: it can't be written: No such file or directory"),
]


class Errors(unittest.TestCase):
    def run_soak(self, *arguments, results=True):
        with tempfile.TemporaryDirectory(prefix="soak-cli-") as results_folder:
            last = ["--results", results_folder] if results else []
            process = subprocess.run([SOAK, *arguments, *last],
                                     capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                                     env=dict(os.environ, SOAK_ROOT=SOURCE))
            return process, os.listdir(results_folder)

    def test_without_a_clone_or_package_no_scenario_is_found_and_the_way_to_one_is_said(self):
        """The program of a build, started by itself in some folder."""
        environment = {name: value for name, value in os.environ.items() if name != "SOAK_ROOT"}
        for words in (("suite",), ("run",)):
            with self.subTest(words=words), tempfile.TemporaryDirectory() as folder:
                process = subprocess.run([SOAK, *words, "default"], capture_output=True, text=True, cwd=folder,
                                         timeout=PATIENCE_S, check=False, env=environment)
                self.assertEqual(process.returncode, 2)
                self.assertRegex(process.stderr, r"default: no such scenario: \./scenarios has none; start soak by "
                                                 r"the \./soak of its clone, or give a file\n$")

    def test_each_bad_option_gets_its_sentence_and_exit_2(self):
        for arguments, sentence in REFUSED:
            with self.subTest(arguments=arguments):
                # The results option comes last, so that a missing value is really missing.
                if arguments == ["--conns"]:
                    process = subprocess.run([SOAK, "--conns"], capture_output=True, text=True,
                                             timeout=PATIENCE_S, check=False)
                    left = []
                else:
                    process, left = self.run_soak(*arguments)
                self.assertEqual(process.stderr, f"soak: {sentence}\n")
                self.assertEqual(process.stdout, "")
                self.assertEqual(process.returncode, 2)
                self.assertEqual(left, [])

    def test_a_folder_that_cannot_be_made_is_refused_before_anything(self):
        """In every command that keeps something, before a library is looked for."""
        with tempfile.NamedTemporaryFile(prefix="soak-cli-") as file:
            for command in (["run"], ["suite", "smoke"], ["run", "--fail-alloc"],
                            ["compare", "smoke", "--openssl", "9.9.1,9.9.2"],
                            ["bisect", "smoke", "--openssl", "9.9.1..9.9.2"],
                            ["run", "--openssl", "9.9.1"]):
                with self.subTest(command=command):
                    process, _ = self.run_soak(*command, "--results", f"{file.name}/x", results=False)
                    self.assertEqual(process.returncode, 2, process.stderr)
                    self.assertRegex(process.stderr,
                                     rf"\Asoak: (\w+: )?{file.name}(/x)?: Not a directory\n\Z")

    def test_what_is_wrong_is_told_before_a_build(self):
        """--build isn't started when the line is refused; nor are versions looked for."""
        with tempfile.TemporaryDirectory(prefix="soak-cli-") as folder:
            for options in (["--json=/nonexistent/x"], ["--conns", "0"], ["--openssl", "X25519"],
                            ["--results", "/dev/null/x"]):
                process, _ = self.run_soak("run", "--bisect-exit", "--build", f"touch {folder}/built",
                                           "--results", folder, *options, results=False)
                self.assertEqual(process.returncode, 128, process.stderr)
                self.assertEqual(os.listdir(folder), [])
            for options in (["--metric", "nonsense"], ["--json=/nonexistent/x"], ["--repeat", "0"],
                            ["--conns", "0"]):
                process, _ = self.run_soak("bisect", "smoke", "--openssl", "9.9.1..9.9.2", "--results",
                                           folder, *options, results=False)
                self.assertEqual(process.returncode, 2, process.stderr)
                self.assertNotIn("looking for", process.stderr)

    def test_a_scenario_file_is_told_by_line_and_nearest_key(self):
        with tempfile.NamedTemporaryFile("w", suffix=".soak", prefix="bad-") as file:
            file.write("[load]\nconns = 30\nchurm = 3/s\n")
            file.flush()
            process, left = self.run_soak(file.name)
        self.assertEqual(process.stderr, f"soak: {file.name}:3: no such key 'churm' in [load]; "
                                         "did you mean churn?\n")
        self.assertEqual((process.returncode, left), (2, []))

    def test_what_cannot_go_together_is_told_by_the_line_of_its_file(self):
        with tempfile.TemporaryDirectory(prefix="soak-cli-") as folder:
            path = os.path.join(folder, "outer.soak")
            with open(os.path.join(folder, "common.soak"), "w", encoding="utf-8") as file:
                file.write("[tls]\nsession = none\nresume = 5%\n")
            with open(path, "w", encoding="utf-8") as file:
                file.write("include = common.soak\n")
            process, left = self.run_soak("run", path)
            self.assertEqual(process.stderr,
                             f"soak: {folder}/common.soak:3: --resume 5%: nothing to resume with "
                             "--session none; give --session ticket or cache\n")
            self.assertEqual((process.returncode, left), (2, []))
            with open(os.path.join(folder, "common.soak"), "w", encoding="utf-8") as file:
                file.write("include = outer.soak\n")
            process, left = self.run_soak("run", path)
            self.assertEqual(process.stderr,
                             f"soak: {folder}/common.soak:1: include = outer.soak: a file can't "
                             "include itself, nor by way of others (included at "
                             f"{folder}/outer.soak:1)\n")
            self.assertEqual((process.returncode, left), (2, []))

    def test_help_names_every_section_and_exit_code(self):
        process = subprocess.run([SOAK, "--help"], capture_output=True, text=True, timeout=PATIENCE_S,
                                 check=False)
        self.assertEqual(process.returncode, 0)
        for word in ("[load]", "[tls]", "[mix]", "[suite]", "[server]", "[verdict]", "[output]",
                     "--conns", "--churn", "--mix", "soak list behaviours", "--defect", "3 INCONCLUSIVE", "130 interrupted"):
            self.assertIn(word, process.stdout)
        self.assertNotIn("--clean", process.stdout)

    def test_version_is_one_line(self):
        process = subprocess.run([SOAK, "--version"], capture_output=True, text=True, timeout=PATIENCE_S,
                                 check=False)
        self.assertRegex(process.stdout, r"^soak \d+\.\d+\.\d+(\+\S+)?\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
