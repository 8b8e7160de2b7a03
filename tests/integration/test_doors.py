# SPDX-License-Identifier: Apache-2.0
"""What docs/reference/security.md promises of a run's files, keys, environment and commands, and of a program
under test that is hostile. The lines that other tests see to are named there."""

import base64
import glob
import os
import re
import signal
import subprocess
import sys
import unittest

import soak_run
import test_robust
from patience import PATIENCE_S, until
from processes import children_of

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign_programs.py")
SMALL = ("--conns", "5", "--churn", "max", "--closed", "200", "--seed", "7f3a")
TEXTS = ("*.html", "*.log", "*.json", "*.jsonl")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def files_below(*folders):
    return [os.path.join(folder, name) for top in folders for folder, _, names in os.walk(top) for name in names]


def environment_of(pid):
    return dict(word.split("=", 1) for word in read(f"/proc/{pid}/environ").decode().split("\0") if "=" in word)


class Files(test_robust.Live):
    def test_runs_reports_and_histories_are_their_users_alone(self):
        """Whatever the umask: a leak, for it leaves most files."""
        history = os.path.join(self.results, "history.db")
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        run = self.soak(*SMALL, "--closed", "1500", "--defect", "lost-state", env={"SOAK_HISTORY": history})
        os.umask(before)
        self.assertEqual(run.exit, 1, run.explain())
        self.assertTrue(os.path.exists(history))
        self.assertEqual(os.stat(run.folder).st_mode & 0o777, 0o700)
        mine = files_below(run.folder) + glob.glob(history + "*")
        self.assertGreater(len(mine), 6)
        self.assertEqual([path for path in mine if os.stat(path).st_mode & 0o077], [])


# What begins a private key: PKCS #8 (RFC 5958), SEC 1 (RFC 5915), PKCS #1 (RFC 8017), of the kinds that soak makes.
PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
DER = re.compile(rb"\x30\x81?.\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01|\x30.\x02\x01\x01\x04\x20|"
                 rb"\x30\x82..\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01|\x30\x82..\x02\x01\x00\x02\x82\x01",
                 re.DOTALL)


def keys_in(paths):
    found = []
    for path in paths:
        try:
            data = read(path)
        except OSError:
            continue
        if PEM.search(data) or DER.search(data):
            found.append(path)
    return found


class Keys(test_robust.Live):
    """Looked for in what a run can write: its folder, the temporary ones, and each file that it has open."""

    def setUp(self):
        super().setUp()
        self.shared = set(files_below("/dev/shm"))
        self.temporary = os.path.join(self.results, "tmp")
        os.mkdir(self.temporary)

    def on_disk(self, process):
        opened = []
        for pid in [process.pid, *children_of(process.pid).values()]:
            for link in glob.glob(f"/proc/{pid}/fd/*"):
                try:
                    if os.stat(link).st_nlink and os.path.isfile(link):
                        opened.append(link)
                except OSError:
                    continue
        return files_below(self.results) + sorted(set(files_below("/dev/shm")) - self.shared) + opened

    def begin(self, *options):
        process = subprocess.Popen(self.command(*SMALL, "--closed", "1M", *options), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=dict(os.environ, TMPDIR=self.temporary))
        self.addCleanup(self.stop, process)
        self.wait_checkpoints(1)
        return process

    def end(self, process):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)

    def test_soaks_own_programs_write_none(self):
        process = self.begin("--key", "both", "--client-auth", "require", "--tls", "any")
        while_it_lasts = self.on_disk(process)
        self.assertGreater(len(while_it_lasts), 4)
        self.assertEqual(keys_in(while_it_lasts), [])
        for pid in children_of(process.pid).values():
            pages = re.findall(r"^\S+ rw-s .* (\S*soak-page.*)$", read(f"/proc/{pid}/maps").decode(), re.M)
            self.assertLessEqual(set(pages), {"/memfd:soak-page (deleted)"})
        self.assertTrue(pages)
        self.end(process)
        self.assertEqual(keys_in(files_below(self.results)), [])

    def test_those_of_a_foreign_program_are_found_so_and_go_with_the_run(self):
        """A control of the search, in both ways of writing a key."""
        process = self.begin("--server", f"{sys.executable} {PROGRAMS} serve {{address}} {{cert}} {{key}}")
        found = keys_in(self.on_disk(process))
        self.assertTrue(found)
        self.assertEqual([path for path in found if os.stat(path).st_mode & 0o077], [])
        der = base64.b64decode(b"".join(line for line in read(found[0]).splitlines() if b"-----" not in line))
        with open(os.path.join(self.temporary, "der"), "wb") as file:
            file.write(b"x" * 100 + der)
        self.assertIn(file.name, keys_in(files_below(self.temporary)))
        os.remove(file.name)
        self.end(process)
        until(lambda: not keys_in(files_below(self.results)), "the keys are removed")


class Environment(test_robust.Live):
    """By a list of what is allowed: the rest of the caller's isn't there."""

    KEPT = {"PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}
    OWN = {"LD_PRELOAD", "LD_LIBRARY_PATH", "SOAK_PROBE"}
    PLANTED = {"SECRET": "x", "SSLKEYLOGFILE": "/dev/null", "OPENSSL_CONF": "/dev/null", "SOAK_JOIN_TOKEN": "f" * 64}

    def setUp(self):
        super().setUp()
        for name, value in self.PLANTED.items():
            self.assertIsNone(os.environ.get(name))
            os.environ[name] = value
            self.addCleanup(os.environ.pop, name)

    def printed(self, what, *options):
        """The environment of a program that prints it and does nothing else."""
        run = self.soak(*options, f"--{what}", "cat /proc/self/environ {port}", "--env", "GIVEN=y")
        self.assertEqual(run.exit, 4, run.explain())
        words = read(os.path.join(run.folder, f"{what}.log")).decode().split("\0")
        return dict(word.split("=", 1) for word in words if re.match(r"\w+=", word))

    def test_server_and_client(self):
        process = self.start(*SMALL, "--closed", "1M", "--env", "GIVEN=y")
        for name, given in (("soak-server", {"GIVEN"}), ("soak-client", {"GIVEN"})):
            seen = environment_of(self.child(process, name))
            self.assertLessEqual(seen.keys(), self.KEPT | self.OWN | given, name)
            self.assertIn("PATH", seen)
        process.send_signal(signal.SIGINT)
        self.finish(process)

    def test_programs_that_are_not_soaks(self):
        for what, options in (("server", (*SMALL, "--ready-timeout", "5m")), ("client", ("--closed", "200"))):
            seen = self.printed(what, *options)
            self.assertEqual(seen.get("GIVEN"), "y", seen)
            self.assertLessEqual(seen.keys(), self.KEPT | self.OWN | {"GIVEN"}, what)

    def test_what_a_person_would_run_has_theirs(self):
        """Commands beside the run are the user's own."""
        path = os.path.join(self.results, "env")
        run = self.soak(*SMALL, "--on-drain", f"sh -c 'env >{path}'")
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertIn("SECRET=x\n", read(path).decode())


class NoShell(soak_run.SoakTest):
    """Texts of the user that a shell would make commands of, wherever one can stand."""

    TEXT = "a;$(touch made)`touch made`|touch made&touch made\n touch made #'\"\\"
    # No quote is open in it, and nothing begins a comment of a scenario.
    WORDS = "a; $(touch made); `touch made` |touch made &touch made && touch made;touch made > made *"
    SERVE = ("--server", f"{sys.executable} {PROGRAMS} serve {{address}} {{cert}} {{key}}", "--settle", "40ms", "--closed", "24")
    # Each option that is a command: the placeholder that it must have, and what goes with it.
    COMMANDS = {
        "server": (" {port}", SMALL),
        "client": (" {port}", ("--closed", "200")),
        "on-checkpoint": ("", (*SMALL, *SERVE)),
        "reload": ("", (*SMALL, *SERVE)),
        "on-drain": ("", SMALL),
        "build": ("", (*SMALL, "--bisect-exit")),
    }
    WITHOUT_PROBE = {"on-drain", "build"}

    def setUp(self):
        super().setUp()
        with open(os.path.join(soak_run.ROOT, "src/common/options/options.def"), encoding="utf-8") as file:
            self.options = re.findall(r'^X\("(\w+)", "([\w-]+)",(?: \w+,){3} (?:STRING|OUTPUT|LIST), \w+, "([^"]*)"',
                                      file.read(), re.M)
        self.assertGreater(len(self.options), 25)

    def try_it(self, *words, load=SMALL):
        done = subprocess.run([soak_run.SOAK, "run", *load, *words], capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False, cwd=self.results, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, SOAK_CACHE=os.path.join(self.results, "cache"), SOAK_MIRROR=""))
        undecided = {125} if "--bisect-exit" in load else {3}
        self.assertIn(done.returncode, {0, 1, 2, 4, 77} | undecided, (words, done.stderr))
        left = files_below(self.results) + [os.getcwd() + "/made"]
        made = [path for path in left if os.path.basename(path) == "made" and os.path.exists(path)]
        for path in made:  # the next one makes its own
            os.remove(path)
        self.assertEqual(made, [], words)
        return done

    def scenario(self, section, name, text):
        path = os.path.join(self.results, "x.soak")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"[{section}]\n{name} = {text}\n")
        return "./x.soak"

    def tells(self):
        """A program that leaves the words it is started with beside itself."""
        path = os.path.join(self.results, "tells")
        with open(path, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nprintf "%s\\0" "$@" >"$0.words"\n')
        os.chmod(path, 0o700)
        return path

    def assert_words_reach(self, path, name, *words):
        """The program that the command names is started, with the words as they stand there."""
        if not soak_run.HAS_PROBE and name not in self.WITHOUT_PROBE:
            self.skipTest(soak_run.NO_PROBE)
        done = self.try_it(*words, load=self.COMMANDS[name][1])
        self.assertTrue(os.path.exists(path + ".words"), done.stdout + done.stderr)
        given = read(path + ".words").decode().split("\0")
        self.assertEqual(given[:len(self.WORDS.split())], self.WORDS.split())
        os.remove(path + ".words")

    def test_of_each_command(self):
        path = self.tells()
        sections = {name: section for section, name, what in self.options if what == "COMMAND"}
        self.assertEqual(set(sections), set(self.COMMANDS))
        for name, (placeholder, _) in self.COMMANDS.items():
            command = f"{path} {self.WORDS}{placeholder}"
            with self.subTest(option=name):
                self.assert_words_reach(path, name, f"--{name}={command.replace(' ', chr(10), 3)}")
            with self.subTest(key=name):
                self.assert_words_reach(path, name, self.scenario(sections[name], name, command))

    def test_of_an_option(self):
        for _, name, _ in self.options:
            with self.subTest(option=name):
                self.try_it(f"--{name}={self.TEXT}")

    def test_of_a_scenarios_key(self):
        text = self.TEXT.replace("\n", "")
        for section, name, _ in self.options:
            with self.subTest(key=name):
                self.try_it(self.scenario(section, name, text))

    def test_of_the_names_of_files(self):
        path = os.path.join(self.results, self.TEXT.replace("/", "").replace("\n", "") + ".soak")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[load]\nconns = 2\n")
        done = self.try_it(path, "--on-drain", "true", "--results", os.path.join(self.results, ";$(touch made)"))
        self.assertIn(done.returncode, (0, 3), done.stderr)


class Hostile(test_robust.Live):
    """A program under test that does all it can."""

    NAME = "<script>planted()</script>\x1b]0;planted\x07"

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a sanitizer's runtime wants to be the first library")
    def test_one_that_scribbles_on_its_page_harms_itself_alone(self):
        run = self.soak(*SMALL, "--closed", "3000", "--server",
                        f"{sys.executable} {PROGRAMS} scribbles {{address}} {{cert}} {{key}}")
        self.assertIn(run.exit, (0, 1, 3, 4), run.explain())
        self.assertIn("scribbled", read(os.path.join(run.folder, "server.log")).decode())
        self.assertRegex(run.out, r"\A(PASS|LEAK|INCONCLUSIVE|INVALID) +\w")
        self.assertTrue(run.result["headline"])
        self.nothing_steers(run)

    def test_its_name_is_text(self):
        path = os.path.join(self.results, self.NAME.replace("/", "\u2044"))
        os.symlink(os.path.realpath(sys.executable), path)
        with open(os.path.join(self.results, "a.soak"), "w", encoding="utf-8") as file:
            file.write("[load]\nconns = 2\n")
        run = self.soak(*SMALL, "--server", f"'{path}' {PROGRAMS} serve {{address}} {{cert}} {{key}}")
        self.assertIn(run.exit, (0, 2, 3, 4), run.explain())
        self.nothing_steers(run)

    def nothing_steers(self, run):
        self.assertNotRegex(run.out + run.err, r"[\x00-\x08\x0b-\x1f\x7f]")
        for pattern in TEXTS:
            for path in glob.glob(os.path.join(run.folder or "", pattern)):
                text = read(path).decode(errors="replace")
                if not path.endswith("server.log"):
                    self.assertNotIn("\x1b", text, path)
                if path.endswith(".html"):
                    self.assertNotIn("<script>planted", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
