# SPDX-License-Identifier: Apache-2.0
"""Operations on held connections: what the client does, by what the server's SSL object saw of it,
and the verdicts of runs whose unit is the operation."""

import os
import socket
import ssl
import subprocess
import threading
import unittest

import soak_run
from listener import Listener
from load_case import LoadCase
from server_driver import Server
from patience import until
from test_client import Client, by_hand

BIN = os.environ["SOAK_BIN"]
KEY_UPDATE, CLIENT_HELLO, FINISHED = 24, 1, 20
# SSL_OP_ALLOW_CLIENT_RENEGOTIATION: OpenSSL 3 refuses it otherwise; older versions allow it anyway.
ALLOW_CLIENT_RENEGOTIATION = 0x100 if ssl.OPENSSL_VERSION_INFO >= (3,) else 0


class Echo(Listener):
    """A TLS echo server that counts what its SSL objects saw: connections, messages, and handshake
    messages by direction and type. `answer` is sent instead of an echo; the connections in `drop`
    end when they have had so many messages."""

    def __init__(self, certificate, version, answer=None, drop=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.minimum_version = self.context.maximum_version = version
        self.context.options |= ALLOW_CLIENT_RENEGOTIATION
        self.context._msg_callback = self._message
        self.answer, self.drop = answer, drop or {}
        self.messages, self.seen = [], {}
        self.lock = threading.Lock()
        super().__init__()

    def arrived(self, number, peer):
        self.messages.append(0)

    def _message(self, _ssl, direction, _version, content, kind, _data):
        if content == ssl._TLSContentType.HANDSHAKE:
            key = (direction, int(kind))
            with self.lock:
                self.seen[key] = self.seen.get(key, 0) + 1

    def talk(self, sock, number):
        try:
            with self.context.wrap_socket(sock, server_side=True) as tls:
                self._talk(tls, number)
        except (OSError, ssl.SSLError):
            pass

    def _talk(self, tls, number):
        while True:
            data = tls.recv(65536)
            if not data:
                tls.unwrap().close()
                return
            first = self.messages[number] == 0
            self.messages[number] += 1
            if self.messages[number] == self.drop.get(number):
                tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            tls.sendall(data if first or not self.answer else self.answer)


class OperationsTest(LoadCase):
    """The client by hand."""

    def operate(self, what, version, *options, **server):
        echo = Echo(self.certificate, version, **server)
        self.addCleanup(echo.close)
        done = by_hand(echo.port, f"--operate={what}", "--conns=4", "--churn=500/s", "--closed=40",
                       "--workers=1", *options)
        return echo, done

    def assert_done(self, echo, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"operations +40,")
        self.assertEqual(len(echo.messages), 4)
        self.assertEqual(sum(echo.messages), 4 + 40)
        # All had a turn; how many more is up to the scheduler, as a slow one isn't idle.
        self.assertGreaterEqual(min(echo.messages), 2, echo.messages)

    def test_requests_are_messages_on_the_same_connections(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            echo, done = self.operate("request", version)
            self.assert_done(echo, done)
            self.assertEqual(echo.seen[("read", CLIENT_HELLO)], 4)
            self.assertNotIn(("read", KEY_UPDATE), echo.seen)

    def test_key_updates_go_both_ways(self):
        echo, done = self.operate("key-update", ssl.TLSVersion.TLSv1_3, "--tls=1.3")
        self.assert_done(echo, done)
        self.assertEqual(echo.seen[("read", KEY_UPDATE)], 40)
        self.assertEqual(echo.seen[("write", KEY_UPDATE)], 40)
        self.assertEqual(echo.seen[("read", CLIENT_HELLO)], 4)

    def test_renegotiations_are_whole_handshakes(self):
        echo, done = self.operate("renegotiate", ssl.TLSVersion.TLSv1_2, "--tls=1.2")
        self.assert_done(echo, done)
        self.assertEqual(echo.seen[("read", CLIENT_HELLO)], 4 + 40)
        self.assertEqual(echo.seen[("read", FINISHED)], 4 + 40)

    def test_an_operation_that_is_refused_is_a_failure(self):
        with Server("--tls", "1.2", control=False) as server:
            process = subprocess.Popen(
                [os.path.join(BIN, "soak-client"), f"--connect=127.0.0.1:{server.port}",
                 "--operate=renegotiate", "--tls=1.2", "--conns=2", "--churn=max", "--closed=4",
                 "--workers=1"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            self.addCleanup(process.stderr.close)
            self.assertIn("no renegotiation", process.stderr.readline())
            process.kill()
            process.wait()

    def test_a_ticket_that_does_not_come_is_a_failure(self):
        cases = ((b"soak:done\n", "was asked for a ticket and sent none"),
                 (None, "doesn't answer requests for tickets"))
        for answer, why in cases:
            echo = Echo(self.certificate, ssl.TLSVersion.TLSv1_3, answer=answer)
            self.addCleanup(echo.close)
            process = subprocess.Popen(
                [os.path.join(BIN, "soak-client"), f"--connect=127.0.0.1:{echo.port}",
                 "--operate=ticket", "--conns=2", "--churn=max", "--closed=4", "--workers=1"],
                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            self.addCleanup(process.stderr.close)
            self.assertIn(why, process.stderr.readline())
            process.kill()
            process.wait()

    def test_a_lost_connection_is_replaced_and_its_operation_made_up_for(self):
        echo, done = self.operate("request", ssl.TLSVersion.TLSv1_3, drop={1: 2})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"operations +40,")
        self.assertIn("failed      1 ", done.stdout)
        self.assertEqual(len(echo.messages), 5)
        self.assertEqual(sum(echo.messages), 5 + 40 + 1)  # the one that wasn't answered

    def test_the_last_operation_of_an_epoch_is_made_up_for_too(self):
        echo, done = self.operate("request", ssl.TLSVersion.TLSv1_3, "--conns=1", drop={0: 41})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"operations +40,")
        self.assertEqual(echo.messages, [41, 2])

    def test_what_cannot_be_is_refused(self):
        for options, why in ((["--operate=renegotiate"], "only TLS 1.2 renegotiates"),
                             (["--operate=key-update", "--tls=1.2"], "TLS 1.2 has no such thing"),
                             (["--operate=request", "--payload=1MiB"], "at most 16KiB"),
                             (["--operate=nothing"], "--operate")):
            done = by_hand(1, *options)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


class ControlTest(unittest.TestCase):
    """The client under control, against soak-server, which counts what it is sent."""

    def setUp(self):
        self.server = Server("--session", "none")
        self.addCleanup(self.server.__exit__, None)
        self.server.__enter__()

    def client(self, *options):
        client = Client(self.server.port, *options)
        self.addCleanup(client.close)
        self.assertTrue(client.answer().startswith("ready"))
        return client

    def test_an_epoch_does_exactly_as_many_operations(self):
        client = self.client("--operate=key-update", "--conns=6", "--churn=max", "--workers=2")
        done = 0
        for epoch, count in enumerate((6, 100, 7, 31)):
            client.page.epoch = epoch
            quiet = client.quiet(f"epoch opens={count}")
            done += count
            self.assertEqual(client.page.app.operations, done)
            self.assertEqual((quiet["opened"], quiet["closed"]), (6, 0))
            self.assertEqual(self.server.page.app.operations, 6 + done)
            row = client.page.behaviour[0]
            self.assertEqual((row.name, row.weight, row.begun[epoch], row.ended[epoch]),
                             (b"key-update", 0, count, count))
        self.assertEqual(client.page.behaviours, 2)
        app = client.page.app
        self.assertEqual((app.established, app.in_flight, app.failed), (6, 0, 0))
        self.assertEqual(client.ask("drain"), "drained")
        self.assertEqual((app.opened, app.closed), (6, 6))
        self.server.connected += 6
        self.server.all_closed()

    def test_the_oldest_is_the_epoch_of_the_last_operation(self):
        client = self.client("--operate=request", "--conns=4", "--churn=max", "--workers=1")
        client.page.epoch = 3
        self.assertEqual(client.quiet("epoch opens=4")["oldest"], 3)
        client.page.epoch = 4
        self.assertEqual(client.quiet("epoch opens=3")["oldest"], 3)  # one had no turn
        client.page.epoch = 5
        self.assertEqual(client.quiet("epoch opens=1")["oldest"], 4)  # now it had
        client.page.epoch = 6
        self.assertEqual(client.quiet("epoch opens=4")["oldest"], 6)

    def test_finish_ends_an_epoch_early(self):
        client = self.client("--operate=request", "--conns=4", "--churn=200/s")
        client.say("epoch opens=1000000")
        until(lambda: client.page.app.operations > 20)
        client.quiet("finish")
        self.assertLess(client.page.app.operations, 100000)
        self.assertEqual((client.page.app.established, client.page.app.closed), (4, 0))
        self.assertLessEqual(client.page.app.replacements_started, client.page.app.replacements_due)

    def test_its_own_memory_is_the_same_at_every_checkpoint(self):
        client = self.client("--operate=key-update", "--conns=4", "--churn=max", "--workers=1")
        client.quiet("epoch opens=40")
        live = []
        for number in range(3):
            client.quiet("epoch opens=60")
            self.assertEqual(client.ask(f"settle id={number}"), f"settled id={number}")
            live.append(client.page.total("allocs") - client.page.total("frees"))
        self.assertEqual(live, [live[0]] * 3)


HELD = ("--conns", "10", "--churn", "max", "--closed", "2500")


class Verdicts(soak_run.SoakTest):
    def assert_leak(self, run, kind, site):
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        self.assertEqual((subject["verdict"], subject["kind"]), ("LEAK", kind), run.explain())
        guilty = subject["sites"][0]
        self.assertTrue(guilty["file"].endswith(site), run.explain())
        self.assertEqual((guilty["per_conn_blocks"], guilty["per_conn_bytes"]), (1, 40))
        self.assertEqual(run.subject("client")["verdict"], "PASS", run.explain())
        self.assertTrue(subject["selfcheck"]["ok"], run.explain())

    def test_a_clean_server_passes_exactly(self):
        for what in (("request",), ("key-update",), ("ticket",),
                     ("renegotiate", "--tls", "1.2", "--closed", "1000")):
            run = self.soak(*HELD, "--operate", *what)
            self.assertEqual(run.exit, 0, run.explain())
            self.assertEqual(run.result["run"]["unit"], "operation")
            self.assertGreaterEqual(run.result["run"]["closed"], 1000)
            for subject in run.result["subjects"]:
                self.assertEqual(subject["sites"], [], run.explain())
                self.assertTrue(subject["selfcheck"]["ok"], run.explain())
            last = run.checkpoints()[-1]["server"]
            self.assertEqual((last["connections"]["opened"], last["connections"]["closed"]), (10, 0))
            blocks = {c["server"]["openssl"]["blocks"] for c in run.checkpoints()[2:]}
            self.assertEqual(len(blocks), 1, run.explain())
            self.assertRegex(run.result["headline"], r"operations \(10 held, ")

    def test_what_the_connection_holds_is_told_from_what_is_lost(self):
        run = self.soak(*HELD, "--operate", "request", "--defect", "per-operation")
        self.assert_leak(run, "held-by-connection", "defect_stores.c")
        self.assertIn(" B block per operation, ", run.out)
        self.assertIn("with every operation; all were alike: request", run.out)
        run = self.soak(*HELD, "--operate", "key-update", "--defect", "operation-lost")
        self.assert_leak(run, "side-allocation-lost", "defect.c")

    def test_connections_that_come_and_go_do_not_show_what_they_hold(self):
        churn = ("--conns", "5", "--churn", "max", "--closed", "600", "--mid-handshake", "0")
        run = self.soak(*churn, "--defect", "per-operation")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.result["run"]["unit"], "connection")
        self.assert_leak(self.soak(*churn, "--defect", "operation-lost"), "side-allocation-lost",
                         "defect.c")


if __name__ == "__main__":
    unittest.main(verbosity=2)
