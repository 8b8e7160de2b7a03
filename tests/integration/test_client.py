# SPDX-License-Identifier: Apache-2.0
"""soak-client against soak-server, against a recording server, and against no server at all."""

import os
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from client_recorder import Recorder
from load_case import LoadCase
from patience import LIMITS, PATIENCE_S as WAIT_S, until, within_limits
from probe_page import bucket_of, page_make

BIN = os.environ["SOAK_BIN"]
CLIENT = os.path.join(BIN, "soak-client")
NEVER = f"{1000 * WAIT_S}s"


def behaviours(page):
    """{name: (weight, connections by epoch of their begin, by epoch of their end)}"""
    return {b.name.decode(): (b.weight, list(b.begun), list(b.ended))
            for b in page.behaviour[:page.behaviours]}


def live_blocks(page):
    """Allocations less frees over all threads."""
    return page.total("allocs") - page.total("frees")


class Client:
    """soak-client under control, as soak runs it."""

    def __init__(self, port, *options, **popen):
        ours, theirs = socket.socketpair()
        self.page_fd, self.page = page_make()
        self.process = subprocess.Popen(
            [CLIENT, f"--connect=127.0.0.1:{port}", f"--control-fd={theirs.fileno()}",
             f"--page-fd={self.page_fd}", *options],
            pass_fds=(theirs.fileno(), self.page_fd), stderr=subprocess.DEVNULL, **popen)
        theirs.close()
        self.control = ours
        self.control.settimeout(WAIT_S)
        self.lines = self.control.makefile("r", encoding="utf-8")
        self.problems = []

    def say(self, line):
        self.control.sendall(line.encode() + b"\n")

    def answer(self):
        """The next line that isn't a problem; "" at the end of file."""
        while True:
            line = self.lines.readline().rstrip("\n")
            if not line.startswith("problem "):
                return line
            self.problems.append(line)

    def ask(self, line):
        self.say(line)
        return self.answer()

    def quiet(self, line):
        """Asks, expects `quiet`, and returns its numbers."""
        word, *pairs = self.ask(line).split()
        if word != "quiet":
            raise AssertionError(f"{line}: {word} {pairs}")
        return {key: int(value) for key, value in (pair.split("=") for pair in pairs)}

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.lines.close()
        self.control.close()
        os.close(self.page_fd)


def by_hand(port, *options):
    return subprocess.run([CLIENT, f"--connect=127.0.0.1:{port}", *options], text=True,
                          capture_output=True, timeout=WAIT_S, check=False)


def weights(**given):
    return [f"--{name}={given.get(name.replace('-', '_'), 0)}"
            for name in ("clean", "reset", "half-close", "mid-handshake")]


class LeaveTest(LoadCase):
    """Each behaviour as the server's socket sees it."""

    def run_against(self, *options, closed=8, **recorder):
        server = Recorder(self.certificate, **recorder)
        self.addCleanup(server.close)
        result = by_hand(server.port, "--conns=1", "--churn=max", f"--closed={closed}", *options)
        return server, result, server.ended()

    def test_a_clean_leave_is_close_notify_both_ways_then_fin(self):
        _, result, events = self.run_against(*weights(clean=1))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(events), 8, (events, result))
        for one in events:
            self.assertEqual(one[-3:], ["echo", "close_notify", "fin"])

    def test_a_reset_is_rst_without_close_notify(self):
        _, result, events = self.run_against(*weights(reset=1))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(events), 8, (events, result))
        for one in events[:-1]:  # the last leaves by the drain, cleanly
            self.assertEqual(one[-2:], ["echo", "rst"])

    def test_a_half_close_is_fin_and_still_listens(self):
        _, result, events = self.run_against(*weights(half_close=1))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(events), 8, (events, result))
        for one in events[:-1]:
            self.assertEqual(one[-3:], ["echo", "fin", "still-open"])

    def test_mid_handshake_ends_after_the_server_hello_by_rst_and_fin_in_turn(self):
        _, result, events = self.run_against(*weights(mid_handshake=1), closed=9)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(events[:8], [["hello", "rst"], ["hello", "fin"]] * 4)
        self.assertEqual(events[8][-2:], ["close_notify", "fin"])
        self.assertEqual(len(events), 9, (events, result))

    def test_the_message_travels_with_finished(self):
        _, _, events = self.run_against("--tls=1.3", *weights(clean=1))
        for one in events:
            self.assertIn("together", one)
            self.assertNotIn("apart", one)

    def test_a_wrong_echo_is_a_failure_and_is_made_up_for(self):
        _, result, events = self.run_against(*weights(clean=1), corrupt=[2])
        self.assertEqual(result.returncode, 1)
        self.assertIn("the echo differs", result.stderr)
        self.assertIn("failed      1 (connect 0, handshake 0, echo 1,", result.stdout)
        self.assertEqual(len(events), 9, (events, result))

    def test_connections_come_from_every_source(self):
        server, _, _ = self.run_against("--sources=3", *weights(clean=1))
        self.assertEqual(set(server.peers), {"127.0.0.1", "127.0.0.2", "127.0.0.3"})

    def test_the_sources_are_those_of_the_network(self):
        server, _, _ = self.run_against("--sources=2", "--source-net=127.84.17.0", *weights(clean=1))
        self.assertEqual(set(server.peers), {"127.84.17.1", "127.84.17.2"})

    def test_a_lost_connection_is_counted_and_replaced(self):
        server = Recorder(self.certificate, drop=[0])
        self.addCleanup(server.close)
        client = Client(server.port, "--conns=2", "--churn=5/s", *weights(clean=1))
        self.addCleanup(client.close)
        client.answer()
        quiet = client.quiet("epoch opens=4")
        self.assertEqual(client.page.app.fail_lost, 1)
        self.assertEqual(behaviours(client.page)["failed"][1][0], 1)
        self.assertEqual(client.page.app.established, 2)
        self.assertEqual(quiet["opened"], 5)
        self.assertRegex(client.problems[0],
                         r"^problem kind=lost behaviour=clean text=an open connection was lost: closed by the server "
                         r"\(an idle timeout\?\)$")


class ControlTest(unittest.TestCase):
    """The protocol, against soak-server."""

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([os.path.join(BIN, "soak-server"), "--listen=127.0.0.1:0",
                                       f"--handshake-timeout={NEVER}"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        cls.port = int(cls.server.stdout.readline().rsplit(":", 1)[1])

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(WAIT_S)
        cls.server.stdout.close()

    def client(self, *options):
        client = Client(self.port, *options)
        self.addCleanup(client.close)
        self.assertTrue(client.answer().startswith("ready openssl="))
        return client

    def test_an_epoch_begins_exactly_its_opens_and_ends_quiet(self):
        client = self.client("--conns=10", "--churn=max", "--workers=2")
        for epoch, opens in ((0, 10), (1, 173), (2, 500)):
            before = client.page.app.opened
            quiet = client.quiet(f"epoch opens={opens}")
            app = client.page.app
            self.assertEqual(quiet["opened"], before + opens, f"epoch {epoch}")
            self.assertEqual(quiet["closed"], quiet["opened"] - 10)
            self.assertEqual((app.established, app.in_flight, app.failed), (10, 0, 0))
        self.assertGreater(app.expected_aborts, 0)
        self.assertEqual(app.handshakes + app.expected_aborts, app.opened)
        times = client.page.times
        self.assertEqual(sum(times.bucket), app.handshakes)
        self.assertGreater(times.max, 0)
        slowest = bucket_of(times.max)
        self.assertGreater(times.bucket[slowest], 0)
        self.assertEqual(sum(times.bucket[slowest + 1:]), 0)

    def test_behaviours_are_counted_by_the_epoch_of_their_begin_and_of_their_end(self):
        client = self.client("--conns=10", "--churn=max", "--workers=2", *weights(clean=3, reset=1, half_close=1))
        mixes = {0: "", 1: " mix=0,1,0", 2: " mix=0,0,1", 3: " mix=1,0,0"}
        for epoch, mix in mixes.items():
            client.page.epoch = epoch
            client.quiet(f"epoch opens=200{mix}")
        client.page.epoch = 4
        client.ask("drain")
        table = behaviours(client.page)
        self.assertEqual(list(table), ["clean", "reset", "half-close", "failed"])
        self.assertEqual([weight for weight, _, _ in table.values()], [3, 1, 1, 0])
        begun = {name: counts[:5] for name, (_, counts, _) in table.items()}
        ended = {name: counts[:5] for name, (_, _, counts) in table.items()}
        # Every connection of an epoch begins in it; the ten it holds at its end, end in the next.
        self.assertEqual([sum(c) for c in zip(*begun.values())], [200, 200, 200, 200, 0])
        self.assertEqual([sum(c) for c in zip(*ended.values())], [190, 200, 200, 200, 10])
        self.assertEqual(begun["reset"][1:], [200, 0, 0, 0])
        self.assertEqual(begun["half-close"][1:], [0, 200, 0, 0])
        self.assertEqual(begun["clean"][1:], [0, 0, 200, 0])
        self.assertEqual(ended["half-close"][2:], [190, 10, 0])
        self.assertEqual(ended["clean"][2:], [0, 190, 10])
        self.assertEqual(sum(begun["failed"]), 0)

    def test_aborts_alone_still_hold_the_stable_set(self):
        client = self.client("--conns=10", "--churn=max", "--workers=1")
        client.quiet("epoch opens=100 mix=1,0,0,0")
        client.page.epoch = 1
        client.quiet("epoch opens=200 mix=0,0,0,1")
        self.assertEqual(client.page.app.established, 10)
        client.page.epoch = 2
        client.quiet("epoch opens=50 mix=1,0,0,0")
        begun = {name: counts[1] for name, (_, counts, _) in behaviours(client.page).items()}
        self.assertEqual(sum(begun.values()), 200)
        self.assertGreaterEqual(begun["mid-handshake"], 190)
        self.assertEqual(begun["mid-handshake"] + begun["clean"], 200)

    def test_mixes_that_make_no_sense_are_refused(self):
        for mix in ("1,2,3", "1,2,3,4,5", "0,0,0,0", "1,,1,1", "1,2,3,x", "-1,1,1,1",
                    "99999999999999999999,1,1,1"):
            with self.subTest(mix=mix):
                client = self.client("--conns=2", "--churn=max")
                self.assertRegex(client.ask(f"epoch opens=10 mix={mix}"), "fatal text=epoch: mix")

    def test_the_oldest_leave_first(self):
        client = self.client("--conns=7", "--churn=100/s", "--workers=2",
                             *weights(clean=1, reset=1))
        client.page.epoch = 4
        self.assertEqual(client.quiet("epoch opens=7")["oldest"], 4)
        client.page.epoch = 5
        self.assertEqual(client.quiet("epoch opens=3")["oldest"], 4)
        client.page.epoch = 6
        self.assertEqual(client.quiet("epoch opens=7")["oldest"], 6)

    def test_an_epoch_of_those_that_stay_replaces_all(self):
        client = self.client("--conns=10", "--churn=200/s", "--workers=1",
                             *weights(clean=1, reset=1, mid_handshake=98))
        client.quiet("epoch opens=100")

        def aborted():
            return sum(behaviours(client.page)["mid-handshake"][1])

        for client.page.epoch in (1, 2, 3):
            before = aborted()
            self.assertEqual(client.quiet("epoch opens=20 stay=1")["oldest"], client.page.epoch)
            self.assertEqual(aborted(), before)
        client.quiet("epoch opens=20")
        self.assertGreater(aborted(), before, "the others stay too")

    def test_it_is_never_faster_than_asked(self):
        client = self.client("--conns=10", "--churn=100/s")
        client.quiet("epoch opens=10")
        begun = time.monotonic()
        client.quiet("epoch opens=100")
        self.assertGreater(time.monotonic() - begun, 0.9)
        app = client.page.app
        self.assertGreaterEqual(app.replacements_due + 10, app.replacements_started)
        self.assertGreaterEqual(app.replacements_started, 90)

    def test_finish_ends_an_epoch_early(self):
        client = self.client("--conns=10", "--churn=200/s")
        client.say("epoch opens=1000000")
        until(lambda: client.page.app.closed > 20)
        quiet = client.quiet("finish")
        self.assertLess(quiet["opened"], 100000)
        self.assertEqual((client.page.app.established, client.page.app.in_flight), (10, 0))

    def test_finish_waits_for_no_stall_and_leaves_the_set_whole(self):
        client = self.client("--conns=10", "--churn=max", "--clean=1", "--stall-client-hello=1",
                             f"--timeout={NEVER}")
        client.say("epoch opens=1000000")
        app = client.page.app
        looks = []

        def every_slot_has_a_stall():
            looks.append(app.opened)
            return app.in_flight == 10 and app.established == 0 and looks[-50:] == 50 * looks[-1:]

        until(every_slot_has_a_stall)
        client.quiet("finish")
        self.assertEqual((app.established, app.in_flight, app.failed), (10, 0, 0))

    def test_its_own_memory_is_the_same_at_every_checkpoint(self):
        # A connection that resumed holds other blocks than one that didn't: all of them, or none.
        for options in (["--tls=1.3"], ["--tls=1.2"], ["--tls=1.3", "--resume=100%"]):
            with self.subTest(options=options):
                client = self.client("--conns=10", "--churn=max", *options)
                client.quiet("epoch opens=600")
                live = []
                for number in range(4):
                    client.quiet("epoch opens=150")
                    self.assertEqual(client.ask(f"settle id={number}"), f"settled id={number}")
                    live.append(live_blocks(client.page))
                self.assertEqual(live, [live[0]] * 4)
                self.assertGreater(live[0], 0)

    def test_asked_to_resume_it_resumes(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                client = self.client("--conns=5", "--churn=max", f"--tls={version}",
                                     "--resume=100%")
                client.quiet("epoch opens=200")
                self.assertGreater(client.page.app.resumed, 100)
                self.assertEqual(client.page.app.failed, 0)

    def test_without_resume_nothing_resumes(self):
        client = self.client("--conns=5", "--churn=max")
        client.quiet("epoch opens=100")
        self.assertEqual(client.page.app.resumed, 0)

    def test_a_large_message_comes_back_whole(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                client = self.client("--conns=4", "--churn=max", f"--tls={version}",
                                     "--payload=1MiB")
                client.quiet("epoch opens=20")
                self.assertEqual(client.page.app.failed, 0)
                self.assertEqual(client.ask("drain"), "drained")

    def test_drain_closes_all_and_quit_ends(self):
        client = self.client("--conns=10", "--churn=max")
        client.quiet("epoch opens=50")
        self.assertEqual(client.ask("drain"), "drained")
        app = client.page.app
        self.assertEqual((app.established, app.in_flight), (0, 0))
        self.assertEqual(app.closed, app.opened)
        self.assertEqual(client.ask("quit"), "")
        self.assertEqual(client.process.wait(WAIT_S), 0)

    def test_quit_in_the_middle_of_an_epoch_frees_everything(self):
        client = self.client("--conns=10", "--churn=max")
        client.say("epoch opens=1000000")
        until(lambda: client.page.app.closed > 20)
        self.assertEqual(client.ask("quit"), "")
        self.assertEqual(client.process.wait(WAIT_S), 0)
        self.assertEqual(client.page.app.closed, client.page.app.opened)

    def test_an_epoch_after_drain_is_fatal(self):
        client = self.client("--conns=2", "--churn=max")
        client.quiet("epoch opens=2")
        client.ask("drain")
        self.assertTrue(client.ask("epoch opens=2").startswith("fatal text="))
        self.assertNotEqual(client.process.wait(WAIT_S), 0)

    def test_the_end_of_the_control_socket_ends_it(self):
        client = self.client("--conns=2", "--churn=100/s")
        client.say("epoch opens=1000000")
        client.control.shutdown(socket.SHUT_RDWR)
        self.assertNotEqual(client.process.wait(WAIT_S), 0)

    def test_it_ends_when_an_agent_that_beat_stands_still(self):
        client = self.client("--conns=2", "--churn=100/s")
        client.say("beat silence=1")
        client.say("epoch opens=1000000")
        self.assertEqual(client.answer(), "fatal text=nothing was heard of the agent for too long")
        self.assertNotEqual(client.process.wait(WAIT_S), 0)

    def test_sigint_is_left_to_soak(self):
        client = self.client("--conns=2", "--churn=max")
        client.process.send_signal(signal.SIGINT)
        self.assertEqual(client.quiet("epoch opens=10")["opened"], 10)

    def test_by_hand_it_ends_after_closed_with_a_summary(self):
        result = by_hand(self.port, "--conns=5", "--churn=max", "--closed=100")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"\A100 connections in .*/s\n")
        self.assertRegex(result.stdout, r"p50 .* ms  p90 .* ms  p99 .* ms  max .* ms")
        self.assertIn("failed      0\n", result.stdout)


class NoServerTest(unittest.TestCase):
    """A dead server must neither look clean nor make a busy loop."""

    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.addCleanup(self.listener.close)

    def client(self, *options):
        client = Client(self.port, "--conns=2", "--churn=max", *options)
        self.addCleanup(client.close)
        client.answer()
        return client

    def test_a_refusing_server_is_tried_ever_more_slowly(self):
        self.listener.close()
        client = self.client("--workers=1")
        client.say("epoch opens=10")
        until(lambda: client.page.app.fail_connect >= 6)
        began, opened = time.monotonic(), client.page.app.opened
        time.sleep(1)
        # From 40 ms on each pause is twice the last: a second holds at most 5, of 2 slots each.
        self.assertLessEqual(client.page.app.opened - opened, 10 * (time.monotonic() - began) + 2)
        client.quiet("finish")
        self.assertEqual(client.page.app.established, 0)
        self.assertIn("refused", client.problems[0])

    def test_a_silent_server_runs_into_the_timeout(self):
        client = self.client("--timeout=200ms")
        client.say("epoch opens=10")
        until(lambda: client.page.app.fail_timeout >= 2)
        client.quiet("finish")
        app = client.page.app
        self.assertEqual((app.established, app.in_flight), (0, 0))
        self.assertIn("took longer than 200ms in ", client.problems[0])

    def test_finish_during_a_silent_handshake_is_answered_within_the_timeout(self):
        def attempt(limit):
            client = self.client(f"--timeout={limit}")
            client.say("epoch opens=10")
            until(lambda: client.page.app.opened >= 2)
            client.quiet("finish")
            self.assertEqual(client.page.app.in_flight, 0)
            return client.page.app.fail_timeout

        # A fourth of the limit is for this test to say it.
        self.assertEqual(within_limits(attempt, lambda failed: failed == 0, LIMITS[1:]), 0)

    def test_finish_waits_for_no_silent_handshake_however_long_it_may_take(self):
        client = self.client(f"--timeout={NEVER}")
        client.say("epoch opens=10")
        until(lambda: client.page.app.opened >= 2)
        client.quiet("finish")
        app = client.page.app
        self.assertEqual((app.established, app.in_flight, app.failed), (0, 0, 0))

    def test_a_drain_after_finish_waits_for_no_silent_server(self):
        server = subprocess.Popen([os.path.join(BIN, "soak-server"), "--listen=127.0.0.1:0"], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait, WAIT_S)
        self.addCleanup(server.kill)
        self.port = int(server.stdout.readline().rsplit(":", 1)[1])
        client = self.client(f"--timeout={NEVER}")
        client.say("epoch opens=1000000")
        until(lambda: client.page.app.closed > 2)
        client.quiet("finish")
        server.send_signal(signal.SIGSTOP)
        self.assertEqual(client.ask("drain"), "drained")
        app = client.page.app
        self.assertEqual((app.established, app.in_flight, app.failed), (0, 0, 0))

    def hang_up(self):
        """On everybody, until the listener is closed."""
        try:
            while True:
                self.listener.accept()[0].close()
        except OSError:
            pass

    def test_a_server_that_hangs_up_is_a_failed_handshake(self):
        thread = threading.Thread(target=self.hang_up, daemon=True)
        thread.start()
        self.addCleanup(thread.join, WAIT_S)
        self.addCleanup(self.listener.shutdown, socket.SHUT_RDWR)
        client = self.client(f"--timeout={2 * WAIT_S}s")
        client.say("epoch opens=10")
        until(lambda: client.page.app.fail_handshake >= 1)
        client.quiet("finish")
        self.assertIn("handshake failed", client.problems[0])


class CommandLineTest(unittest.TestCase):
    def refused(self, *options):
        result = subprocess.run([CLIENT, *options], text=True, capture_output=True,
                                timeout=WAIT_S, check=False)
        self.assertEqual(result.returncode, 2, result)
        return result.stderr

    def test_mistakes_are_refused_with_a_way_out(self):
        to = "--connect=127.0.0.1:1"
        self.assertIn("--connect ADDR:PORT is needed", self.refused())
        self.assertIn("such as 127.0.0.1:4433", self.refused("--connect=127.0.0.1"))
        self.assertIn("--source-net 10.1.2.0: a loopback address",
                      self.refused("--connect=127.0.0.1:1", "--source-net=10.1.2.0"))
        self.assertIn("no peer would do anything", self.refused(to, *weights()))
        self.assertIn("--payload 0B: from 1B", self.refused(to, "--payload=0B"))
        self.assertIn("--conns 0: from 1", self.refused(to, "--conns=0"))
        self.assertIn("did you mean --churn", self.refused(to, "--chrun=1/s"))

    def test_too_few_open_files_is_one_sentence(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
        client = Client(1, "--conns=1000", preexec_fn=limit)
        self.addCleanup(client.close)
        self.assertRegex(client.answer(), r"\Afatal text=--conns 1000: at most 500 .*ulimit -n")
        self.assertNotEqual(client.process.wait(WAIT_S), 0)

    def test_help_names_every_behaviour(self):
        text = subprocess.run([CLIENT, "--help"], text=True, capture_output=True, check=True).stdout
        for name in ("--clean", "--reset", "--half-close", "--mid-handshake", "--control-fd"):
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main()
