# SPDX-License-Identifier: Apache-2.0
"""Completion: what `soak --complete` offers, and that bash, zsh and fish really complete by it."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
ENVIRONMENT = dict(os.environ, SOAK_ROOT=str(SOURCE), PATH=f"{BUILD}/bin:{os.environ['PATH']}", TERM="dumb",
                   HISTFILE="/dev/null", LC_ALL="C.UTF-8")


def soak(*words):
    return subprocess.run([SOAK, *words], capture_output=True, text=True, check=True, timeout=PATIENCE_S,
                          env=ENVIRONMENT).stdout


def offered(*words):
    return [line.partition("\t")[0] for line in soak("--complete", *words).splitlines()]


def options_in(help_text):
    return set(re.findall(r"^  (--[a-z0-9-]+)", help_text, re.MULTILINE))


class Offered(unittest.TestCase):
    def test_every_option_of_every_command(self):
        for command in ("run", "list", "show", "suite", "merge", "libs", "compare", "bisect", "selftest", "calibrate",
                        "doctor", "agent"):
            with self.subTest(command=command):
                told = options_in(soak(command, "--help"))
                given = offered(command, "--")
                self.assertEqual(told - set(given), set())
                self.assertEqual(len(given), len(set(given)), "each once")
        self.assertIn("--clean", offered("--cl"), "the weight of a behaviour")

    def test_values(self):
        self.assertEqual(offered("--tls", ""), ["1.2", "1.3", "any"])
        self.assertEqual(offered("run", "--tls=1."), ["--tls=1.2", "--tls=1.3"])
        self.assertEqual(offered("compare", "smoke", "--side", "se"), ["server"])
        self.assertEqual(offered("--defect", "lost-s"), ["lost-state"])
        self.assertEqual(offered("--mix", "clean=5,half-c"), ["clean=5,half-close"])
        self.assertEqual(offered("--json", ""), [":files"])
        self.assertEqual(offered("--results", ""), [":folders"])
        self.assertEqual(offered("--conns", ""), [], "a number is the user's")

    def test_words(self):
        self.assertEqual(offered("doc"), ["doctor", ":files"])
        named = sorted(path.stem for path in (SOURCE / "scenarios/servers").glob("ngin*.soak"))
        self.assertIn("--bisect-exit", offered("run", "--bis"))
        self.assertNotIn("--bisect-exit", offered("suite", "--bis"))
        self.assertEqual(offered("suite", "servers/ngin"), [*(f"servers/{name}" for name in named), ":files"])
        self.assertEqual(offered("list", ""), ["scenarios", "behaviours", "defects"])
        self.assertEqual(offered("libs", "a"), ["add"])
        self.assertEqual(offered("help", "serv"), ["servers"])
        self.assertEqual(offered("merge", ""), [":files"])
        self.assertEqual(offered("doctor", ""), [])
        self.assertNotIn("--man", offered(""))

    def test_of_an_unknown_shell_it_says_which_there_are(self):
        for words in (["--completion"], ["--completion", "tcsh"]):
            process = subprocess.run([SOAK, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            self.assertEqual((process.returncode, process.stdout, process.stderr),
                             (2, "", "soak: --completion: which shell? bash, zsh or fish\n"))


class Terminal:
    """A shell that is typed into. `with` ends it."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(SOURCE)
            os.execvpe(command[0], command, ENVIRONMENT)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        """Drops what it has read up to there."""
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > end or not select.select([self.fd], [], [], PATIENCE_S)[0]:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            self.text += os.read(self.fd, 65536).decode(errors="replace")
        self.text = self.text[found.end():]
        return found[0]


class Shells(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-completion-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def script(self, shell, name):
        if not shutil.which(shell):
            self.skipTest(f"no {shell} (scripts/needs.txt)")
        path = self.folder / name
        path.write_text(soak("--completion", shell), encoding="utf-8")
        subprocess.run([shell, "-n", path], check=True, timeout=PATIENCE_S)
        return path

    def complete_a_line(self, terminal):
        """A command, a scenario, an option, a value behind `=`; the line that results is then run."""
        terminal.type("echo $((6*7))\n")
        terminal.wait_for("42")
        terminal.type("soak show\t")
        terminal.wait_for("show ")
        terminal.type("servers/hit\t")
        terminal.wait_for("servers/hitch")
        terminal.type(" --as-c\t")
        terminal.wait_for("--as-command")
        terminal.type(" --key=rsa\t")
        terminal.wait_for("rsa2048")
        terminal.type("\n")
        terminal.wait_for(r"soak run [^\n]*--key rsa2048")

    def test_bash(self):
        script = self.script("bash", "soak")
        with Terminal("bash", "--norc", "--noprofile", "-i") as terminal:
            terminal.type(f". {script}\n")
            self.complete_a_line(terminal)

    def test_zsh(self):
        script = self.script("zsh", "_soak")
        with Terminal("zsh", "-f", "-i") as terminal:
            terminal.type(f"autoload -Uz compinit; compinit -D -u; . {script}\n")
            self.complete_a_line(terminal)

    def test_fish(self):
        script = self.script("fish", "soak.fish")

        def complete(line):
            process = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                                     capture_output=True, text=True, check=True, timeout=PATIENCE_S, cwd=SOURCE,
                                     env=dict(ENVIRONMENT, HOME=str(self.folder)))
            return [line.partition("\t")[0] for line in process.stdout.splitlines()]

        self.assertEqual(complete("soak doct"), ["doctor"])
        self.assertEqual(complete("soak suite servers/hit"), ["servers/hitch"])
        self.assertEqual(complete("soak --tls "), ["1.2", "1.3", "any"])
        self.assertEqual(complete("soak --key=rsa"), ["--key=rsa2048"])
        self.assertIn("README.md", complete("soak merge READ"))

    def test_the_launcher_is_completed_without_a_build(self):
        script = self.script("bash", "soak")
        clone = self.folder / "clone"
        (clone / "build/bin").mkdir(parents=True)
        (clone / "soak").write_text("#!/bin/sh\necho launched >launched\n", encoding="utf-8")
        (clone / "soak").chmod(0o700)
        shutil.copy2(SOAK, clone / "build/bin")
        (clone / "scenarios").mkdir()
        (clone / "scenarios/mine.soak").write_text("# Mine.\n", encoding="utf-8")
        process = subprocess.run(
            ["bash", "--norc", "-c", f". {script}; COMP_WORDS=(./soak run mi) COMP_CWORD=2; _soak ./soak; "
             'echo "${COMPREPLY[@]}"'], cwd=clone, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
            env={name: value for name, value in ENVIRONMENT.items() if name != "SOAK_ROOT"})
        self.assertEqual(process.stdout, "mine\n", process.stderr)
        self.assertFalse((clone / "launched").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
