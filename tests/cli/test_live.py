# SPDX-License-Identifier: Apache-2.0
"""The live view as a person sees it: over made-up figures in a terminal emulator (pyte), and a real run
in tmux, with its scrollback, Ctrl-C and resizes."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from patience import PATIENCE_S

try:
    import pyte
except ImportError:
    pyte = None

BUILD = os.environ["SOAK_BUILD"]
SOURCE = os.environ["SOAK_SOURCE"]
SOAK = os.path.join(BUILD, "bin", "soak")
STUB = os.path.join(BUILD, "bin", "live-stub")
WAIT = PATIENCE_S

NO_PYTE = "no python3-pyte: the live view isn't looked at"
NO_TMUX = "no tmux: the live view isn't looked at in a terminal with a scrollback"
PHASES = ("warming up", "measuring", "holding", "confirming", "replacing the last connections",
          "profiling", "draining")


class Terminal:
    """The stub with a terminal as its stderr; a step returns when what it drew has been read."""

    def __init__(self, rows, columns, **environment):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000, ratio=0.01)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.slave = slave
        self.process = subprocess.Popen(
            [STUB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave, text=True,
            env=dict(os.environ, TERM="xterm", **{"LC_ALL": "C.UTF-8", **environment}))

    def step(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        self.read()

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            data = os.read(self.master, 65536)
            self.raw += data
            self.stream.feed(data)

    def echo(self, text):
        """What the terminal's driver shows when keys are pressed."""
        os.write(self.slave, text.encode())
        self.read()

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def history(self):
        return ["".join(row[x].data for x in range(self.screen.columns)).rstrip()
                for row in self.screen.history.top]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(WAIT)
        os.close(self.slave)
        os.close(self.master)


@unittest.skipUnless(pyte, NO_PYTE)
class Block(unittest.TestCase):
    def terminal(self, rows=24, columns=80, **environment):
        terminal = Terminal(rows, columns, **environment)
        self.addCleanup(terminal.close)
        return terminal

    def test_it_tells_how_far_the_run_is_and_what_would_have_shown(self):
        t = self.terminal()
        t.step("tick 20")
        text = "\n".join(t.lines())
        for said in ("measuring", "epoch 3 of 8", "20s, 40s left  19,680 closed",
                     "984/s of 1000/s  open 30", "errors 0", "8,377 blocks", "0 survivors, level",
                     "heap         2.46 MiB", "RSS          12.97 MiB",
                     "so far: nothing grows; would have shown one lost block in 1,200 connections"):
            self.assertIn(said, text)
        self.assertLessEqual(max(map(len, t.lines())), 78)

    def test_in_sixty_columns_the_figures_are_whole(self):
        t = self.terminal(24, 60)
        t.step("tick 20")
        for said in ("20s, 40s left  19,680 closed", "open 30  errors 0", "0 survivors, level", "B/conn",
                     "so far: nothing grows; would have shown one lost block in"):
            self.assertIn(said, "\n".join(t.lines()))

    def test_nothing_is_told_from_a_few_seconds(self):
        t = self.terminal()
        t.step("early 2")
        text = "\n".join(t.lines())
        self.assertIn("so far: too early to say", text)
        for word in ("B/conn", " left", "level", "GROWS", "ok"):
            self.assertNotIn(word, text)

    def test_a_shorter_line_leaves_nothing_of_a_longer_one(self):
        t = self.terminal()
        t.step("tick 20")
        t.step("early 2")
        self.assertIn(" so far: too early to say", t.lines())
        self.assertIn(" measuring    ────────  epoch 3 of 8  2s  1,968 closed", t.lines())

    def test_it_is_drawn_in_place_and_leaves_nothing(self):
        for rows, columns in ((24, 80), (20, 60), (11, 40), (10, 78), (5, 20), (3, 10), (2, 5)):
            with self.subTest(rows=rows, columns=columns):
                t = self.terminal(rows, columns)
                t.echo("$\r\n")
                for second in range(1, 30):
                    t.step(f"tick {second}")
                    t.step(f"phase {PHASES[second % len(PHASES)]}")
                drawn = [line for line in t.lines() if line and line != "$"]
                self.assertTrue(0 < len(drawn) < rows)
                self.assertEqual([x for x in t.history() if x not in ("$", "")], [])
                self.assertEqual(len([x for x in t.lines() + t.history() if x == "$"]), 1)
                t.step("end")
                self.assertEqual([x for x in t.lines() + t.history() if x], ["$"])
                self.assertNotIn(b"\033[J", t.raw)
                self.assertEqual(t.screen.cursor.x, 0)

    def test_the_most_telling_lines_stay_in_a_low_terminal(self):
        for rows, expected in ((2, ["measuring"]), (3, ["measuring", "so far"]),
                               (5, ["measuring", "churn", "OpenSSL", "so far"])):
            t = self.terminal(rows, 80)
            t.step("tick 20")
            drawn = [line.strip() for line in t.lines() if line]
            self.assertEqual([d[:len(e)] for d, e in zip(drawn, expected, strict=True)], expected)
        t = self.terminal(1, 80)
        t.step("tick 20")
        self.assertEqual((t.lines(), t.history()), ([""], []))

    def test_lines_that_are_cut_end_in_an_ellipsis(self):
        whole = self.terminal(24, 80)
        whole.step("tick 20")
        for environment, end in (({}, "…"), ({"LC_ALL": "C"}, "...")):
            t = self.terminal(24, 30, **environment)
            t.step("tick 20")
            cut = [line for line in t.lines() if line.endswith(end)]
            self.assertGreater(len(cut), 5)
            for line in t.lines():
                self.assertTrue(line.endswith(end) or len(line) < 30, line)

    def test_what_the_terminal_echoes_is_drawn_over(self):
        t = self.terminal()
        t.step("tick 20")
        before = t.lines()
        t.echo("^C")
        t.step("note interrupted: finishing this epoch")
        self.assertEqual(t.lines()[0], "soak: interrupted: finishing this epoch")
        self.assertEqual("".join(t.lines()[1:]), "")
        t.step("tick 20")
        self.assertEqual(t.lines()[1:len(before)], before[:-1])
        t.echo("^C")
        t.step("end")
        self.assertEqual([x for x in t.lines() if x], ["soak: interrupted: finishing this epoch"])

    def test_a_note_stays_above_and_is_printable(self):
        t = self.terminal(14, 40)
        for i in range(20):
            t.step(f"tick {i + 1}")
            t.step(f"note number {i} \033[31m\a" + "x" * 50)
        t.step("end")
        said = "".join(t.history() + t.lines())
        for i in range(20):
            self.assertEqual(said.count(f"soak: number {i} ?[31m?xxx"), 1, said)
        self.assertEqual(re.sub(r"soak: number \d+ \?\[31m\?x{50}", "", said), "")


class Elsewhere(unittest.TestCase):
    def test_a_line_per_phase_and_every_30_s(self):
        steps = [f"tick {n / 4}" for n in range(4 * 95)]
        steps[4:4] = ["phase warming up", "phase warming up"]
        steps[40:40] = ["phase measuring", "phase measuring"]
        process = subprocess.run([STUB], input="\n".join([*steps, "note a\033b", "end", ""]), text=True,
                                 capture_output=True, timeout=WAIT, check=True)
        lines = process.stderr.splitlines()
        times = [re.match(r"soak: (\S+) (warming up|measuring), ", line) for line in lines[:-1]]
        self.assertEqual([m and (m[1], m[2]) for m in times],
                         [("0s", "warming up"), ("9s", "measuring"), ("39s", "measuring"),
                          ("1m09s", "measuring")])
        self.assertEqual(lines[-1], "soak: a?b")
        self.assertIn(", 20s left", lines[2])


@unittest.skipUnless(shutil.which("tmux"), NO_TMUX)
class Tmux(unittest.TestCase):
    """A run in a terminal of its own server, which ends with the test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="soak-live-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket = os.path.join(self.folder, "tmux")

    def tmux(self, *words, check=True):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words],
                              capture_output=True, text=True, timeout=WAIT, check=check).stdout

    def start(self, rows, columns, *options):
        """A shell's prompt at the bottom, and below it a run that goes on until it is interrupted."""
        environment = dict(os.environ, SOAK_ROOT=SOURCE, LC_ALL="C.UTF-8", PS1="", ENV="")
        subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x",
                        str(columns), "-y", str(rows), "sh"], env=environment, timeout=WAIT, check=True)
        self.addCleanup(self.tmux, "kill-server", check=False)
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        words = " ".join([SOAK, "--results", self.folder, *options])
        self.tmux("send-keys", f"echo; i=0; while [ $i -lt 50 ]; do i=$((i + 1)); echo line $i; done; "
                  f"{words}; echo over=$?", "Enter")

    def screen(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").splitlines()]

    def all_lines(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p", "-S", "-").splitlines()]

    def wait_for(self, pattern, lines=None):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            text = "\n".join((lines or self.screen)())
            if re.search(pattern, text):
                return text
            time.sleep(0.1)
        self.fail(f"{pattern} doesn't come: " + "\n".join(self.all_lines()))
        return None

    def seconds(self):
        """The run's time in the block's line of progress."""
        text = self.wait_for(r"(?m)^ [a-z].*  (\d+m)?\d+s(,|  |…)")
        minutes, seconds = re.search(r"(?m)^ [a-z].*  (?:(\d+)m)?(\d+)s(?:,|  |…)", text).groups()
        return 60 * int(minutes or 0) + int(seconds)

    def wait_for_seconds(self, count):
        """Of the run's time: it has drawn several times then."""
        began, deadline = self.seconds(), time.monotonic() + WAIT
        while self.seconds() < began + count:
            self.assertLess(time.monotonic(), deadline, "the block isn't drawn any more")
            time.sleep(0.1)

    def drawn(self, pattern, text):
        """How often a line of the block stands in the terminal, scrollback included."""
        return len(re.findall(pattern, text, re.MULTILINE))

    def interrupt(self):
        """As a person would, once; the verdict follows."""
        self.tmux("send-keys", "C-c")
        return self.wait_for(r"over=\d+", self.all_lines)

    def check_left(self, text):
        for i in range(1, 51):
            self.assertEqual(self.drawn(rf"^line {i}$", text), 1, text)
        self.assertRegex(text, r"(?m)^soak: interrupted: finishing")
        self.assertNotIn("sosoak", text)
        for pattern in (r"^ churn  ", r"^ so far: ", r"^ OpenSSL   ", r" connections, 200/s, so each"):
            self.assertEqual(self.drawn(pattern, text), 0, text)

    def test_a_run_leaves_its_verdict_only(self):
        for rows, columns in ((24, 80), (20, 60), (6, 30)):
            with self.subTest(rows=rows, columns=columns):
                self.start(rows, columns, "--churn", "200/s", "--for", "10m")
                self.wait_for(r"(?m)^ (measuring|warming up) ")
                self.wait_for(r"(?m)^ so far")
                if columns > 70:
                    self.wait_for_seconds(3)
                whole = "\n".join(self.all_lines())
                self.assertEqual(self.drawn(r"^ (measuring|warming up) ", whole), 1, whole)
                self.check_left(self.interrupt())
                self.tmux("kill-server", check=False)
                self.socket += "-next"

    def test_resizes_leave_nothing(self):
        self.check_resizes(24, ((60, 24), (50, 24), (100, 24), (55, 24), (80, 24), (80, 40), (80, 15)))

    def test_resizes_of_a_window_that_is_not_full_leave_nothing(self):
        """Enough stands above the block that tmux, which pushes rows out at the top, has none of it."""
        self.check_resizes(100, ((60, 100), (50, 100), (80, 100)))

    def check_resizes(self, rows_at_first, sizes):
        self.start(rows_at_first, 80, "--churn", "200/s", "--for", "10m")
        self.wait_for(r"(?m)^ measuring ")
        for columns, rows in sizes:
            self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
            self.wait_for_seconds(2)
            whole = "\n".join(self.all_lines())
            self.assertEqual(self.drawn(r"^ so far: ", whole), 1, f"{columns}x{rows}\n{whole}")
            self.assertEqual(self.drawn(r"^ churn ", whole), 1, f"{columns}x{rows}\n{whole}")
        self.check_left(self.interrupt())


if __name__ == "__main__":
    unittest.main(verbosity=2)
