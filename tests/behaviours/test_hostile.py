# SPDX-License-Identifier: Apache-2.0
"""Hostile peers and stalls: each is proved by what the server's SSL object saw (--log), and where
that can't show it by the bytes on the wire, which a relay writes down."""

import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from behaviour_case import ENDS, ends_so
from listener import Listener  # behaviour_case says where it is
from patience import LIMITS, PATIENCE_S as WAIT_S, within_limits

BIN = os.environ["SOAK_BIN"]
NOTHING = [f"--{name}=0" for name in ("clean", "reset", "half-close", "mid-handshake")]
TLS = ("1.2", "1.3")
CLOSED = 40

FLIGHT = {"1.2": "<CH >SH >CERT >SKE >SHD", "1.3": "<CH >SH >CCS >EE >CERT >CV >FIN"}
# As far as the server's end of the handshake; NewSessionTicket is part of it.
WHOLE = {"1.2": FLIGHT["1.2"] + " <CKE <CCS <FIN >NST >CCS >FIN",
         "1.3": FLIGHT["1.3"] + " <CCS <FIN >NST×2"}

# What the log says of each refused connection; {"1.2": ..., "1.3": ...} where it depends.
NO_HELLO = {"saw": "-", "state": "error", "done": "0", "ended": "error"}
HELLO = {**NO_HELLO, "saw": "<CH"}
REFUSED = {
    "plain-http": {**NO_HELLO, "in": "18", "alerts-out": "0"},
    "random-bytes": {**NO_HELLO, "in": "512", "alerts-out": "0"},
    "truncated-client-hello": {**NO_HELLO, "ended": "fin", "alert-out": "decode_error"},
    "oversized-client-hello": {**NO_HELLO, "in": "69", "alert-out": "illegal_parameter"},
    "oversized-record": {**NO_HELLO, "in": "16390", "alert-out": "record_overflow"},
    "alert-flood": {"saw": FLIGHT, "alerts-in": "5", "alert-in": "user_canceled", "done": "0",
                    "alert-out": "unexpected_message"},
    "empty-records": {**NO_HELLO, "empty-in": "33", "alert-out": "unexpected_message"},
    "bad-mac-data": {"saw": WHOLE, "done": "1", "alert-out": "bad_record_mac", "ended": "error"},
    "bad-mac-finished": {"saw": {v: FLIGHT[v] + extra for v, extra in
                                 (("1.2", " <CKE <CCS"), ("1.3", " <CCS"))},
                         "done": "0", "alert-out": "bad_record_mac", "ended": "error"},
    "wrong-version": {**HELLO, "alert-out": "protocol_version"},
    "wrong-record-version": {**NO_HELLO, "in": "63", "alerts-out": "0"},
    "no-shared-cipher": {**HELLO, "alert-out": "handshake_failure"},
    "unexpected-message": {**NO_HELLO, "in": "21", "alert-out": "unexpected_message"},
    "duplicate-client-hello": {"saw": FLIGHT, "done": "0", "alert-out": "unexpected_message"},
    "early-ccs": {"saw": {"1.2": FLIGHT["1.2"] + " <CCS", "1.3": FLIGHT["1.3"] + " <CCS×33"},
                  "done": "0", "alert-out": "unexpected_message"},
    "garbage-extensions": {**HELLO, "alert-out": "decode_error"},
}
HELD = ("huge-client-hello", "fragmented-client-hello", "dribbled-client-hello")
TIMEOUT = {"ended": "timeout", "done": "0", "alerts-out": "0"}
BEFORE = "before SSL initialization"
STALLED = {
    "slowloris": {**TIMEOUT, "saw": "-", "state": BEFORE},
    "half-open": {**TIMEOUT, "saw": "-", "in": "0", "state": BEFORE},
    "stall-client-hello": {**TIMEOUT, "saw": "-", "state": BEFORE},
    "stall-server-flight": {**TIMEOUT, "saw": FLIGHT},
    "stall-key-exchange": {**TIMEOUT, "saw": {"1.2": FLIGHT["1.2"] + " <CKE"}},
}


class Server:
    """soak-server with a log; `lines(n)` waits for n more closed connections."""

    def __init__(self, folder, name, *options):
        self.path = os.path.join(folder, name + ".log")
        self.read = 0
        self.process = subprocess.Popen(
            [BIN + "/soak-server", "--listen=127.0.0.1:0", f"--log={self.path}", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def lines(self, count):
        end = time.monotonic() + WAIT_S
        while True:
            with open(self.path, encoding="utf-8") as f:
                lines = f.read().splitlines()[self.read:]
            if len(lines) >= count:
                break
            if time.monotonic() > end:
                raise AssertionError(f"{len(lines)} of {count} connections are in the log")
            time.sleep(0.01)
        self.read += len(lines)
        return [dict((k, v.strip('"')) for k, v in re.findall(r'([\w-]+)=("[^"]*"|\S+)', line))
                for line in lines]

    def close(self):
        self.process.terminate()
        code = self.process.wait(WAIT_S)
        self.process.stdout.close()
        if code != 0:
            raise AssertionError(f"the server ended with {code}")


class Relay(Listener):
    """Passes connections on and keeps what the client sent: `sent` holds per connection the bytes
    of each read and the number of data segments that had come by then (TCP_INFO)."""

    SEGMENTS_AT = 152  # tcpi_data_segs_in in struct tcp_info, linux/tcp.h

    def __init__(self, port):
        self.port_behind, self.sent = port, []
        super().__init__()

    def ended(self):
        """Waits for the connections so far and returns what they sent."""
        super().ended()
        return self.sent

    def arrived(self, number, peer):
        self.sent.append([])

    def talk(self, client, number):
        with socket.create_connection(("127.0.0.1", self.port_behind)) as server:
            back = threading.Thread(target=self._pump, args=(server, client, None), daemon=True)
            back.start()
            self._pump(client, server, self.sent[number])
            back.join(WAIT_S)

    def _pump(self, source, sink, reads):
        try:
            while True:
                data = source.recv(65536)
                if reads is not None and data:
                    info = source.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                    segments = struct.unpack_from("I", info, self.SEGMENTS_AT)[0]
                    reads.append((data, segments, time.monotonic()))
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def records(data):
    """[(type, version, content)] as far as they are whole."""
    found = []
    while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big"):
        end = 5 + int.from_bytes(data[3:5], "big")
        found.append((data[0], data[1:3], data[5:end]))
        data = data[end:]
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def server(self, name, *options):
        server = Server(self.folder.name, name, *options)
        self.addCleanup(server.close)
        return server

    def client(self, port, name, *options, conns=3, closed=CLOSED):
        process = subprocess.Popen(
            [BIN + "/soak-client", f"--connect=127.0.0.1:{port}", f"--closed={closed}",
             f"--conns={conns}", "--churn=max", "--workers=1", *NOTHING, f"--{name}=1", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finished(self, client, intended):
        out, err = client.communicate(timeout=WAIT_S)
        self.assertEqual(client.returncode, 0, out + err)
        self.assertIn(f"{intended} aborted as intended\n", out)
        self.assertRegex(out, r"(?m)^failed +0$")
        return out

    def all_say(self, lines, expected, version):
        for line in lines:
            for key, value in expected.items():
                value = value[version] if isinstance(value, dict) else value
                self.assertEqual(line[key], value, f"{key} in {line}")

    def all_end_so(self, lines, name):
        for line in lines:
            self.assertTrue(ends_so(line, ENDS[name]), f"{name} is {ENDS[name]}: {line}")

    def through_relay(self, name, *options, conns=1, closed=6, server=()):
        relay = Relay(self.server(name, *server).port)
        self.addCleanup(relay.close)
        out = self.client(relay.port, name, *options, conns=conns, closed=closed).communicate(
            timeout=WAIT_S)[0]
        self.assertRegex(out, r"(?m)^failed +0$")
        return relay.ended()


class LogTest(Case):
    def test_each_refusal_comes_where_it_should_and_by_its_alert(self):
        for version in TLS:
            server = self.server(version, f"--tls={version}")
            for name, expected in REFUSED.items():
                with self.subTest(version=version, name=name):
                    client = self.client(server.port, name, f"--tls={version}")
                    self.finished(client, CLOSED - 3)
                    lines = server.lines(CLOSED)
                    refused = [line for line in lines if line["ended"] != "close-notify"]
                    self.assertEqual(len(refused), CLOSED - 3)
                    self.all_say(refused, expected, version)
                    self.all_end_so(refused, name)

    def test_odd_but_legal_hellos_are_served(self):
        for version in TLS:
            server = self.server(version, f"--tls={version}")
            for name in HELD:
                with self.subTest(version=version, name=name):
                    client = self.client(server.port, name, f"--tls={version}")
                    self.finished(client, 0)
                    lines = server.lines(CLOSED)
                    self.assertEqual(len(lines), CLOSED)
                    self.all_say(lines, {"saw": WHOLE, "done": "1", "ended": "close-notify",
                                         "alert-out": "close_notify"}, version)
                    self.all_end_so(lines, name)
                    if name == "huge-client-hello":
                        self.assertTrue(all(int(line["in"]) > 57000 for line in lines))

    def test_a_large_message_is_damaged_too(self):
        for version in TLS:
            with self.subTest(version=version):
                server = self.server(version, f"--tls={version}")
                client = self.client(server.port, "bad-mac-data", "--payload=1MiB", closed=10)
                self.finished(client, 7)
                refused = [x for x in server.lines(10) if x["ended"] != "close-notify"]
                self.all_say(refused, REFUSED["bad-mac-data"], version)

    def test_resuming_peers_are_refused_alike(self):
        for name in ("bad-mac-finished", "bad-mac-data", "duplicate-client-hello"):
            for version in TLS:
                with self.subTest(name=name, version=version):
                    server = self.server(name + version, f"--tls={version}")
                    client = self.client(server.port, name, "--clean=1", "--resume=100%",
                                         f"--tls={version}")
                    client.communicate(timeout=WAIT_S)
                    self.assertEqual(client.returncode, 0)
                    lines = server.lines(CLOSED)
                    self.assertTrue(any(x["ended"] == "error" and x["resumed"] == "1"
                                        for x in lines), lines)

    def stall(self, cases, limit):
        """Lets them stall, all at once, for each would wait for the same time. Returns those whose
        peers hadn't come to where they stall, or to the end of a clean handshake, when the server's time
        was over."""
        runs, late = [], []
        for version, name in cases:
            server = self.server(name + version + limit, f"--tls={version}",
                                 f"--handshake-timeout={limit}")
            runs.append((version, name, server,
                         self.client(server.port, name, f"--tls={version}",
                                     f"--timeout={2 * WAIT_S}s", conns=8, closed=16)))
        for version, name, server, client in runs:
            with self.subTest(version=version, name=name):
                client.wait(WAIT_S)
                stalled = [x for x in server.lines(16) if x["ended"] != "close-notify"]
                slow = client.returncode or any(self.is_late(x, name, version) for x in stalled)
                if slow and limit != LIMITS[-1]:
                    late.append((version, name))
                    continue
                self.finished(client, 8)
                self.assertEqual(len(stalled), 8)
                self.all_say(stalled, STALLED[name], version)
                self.all_end_so(stalled, name)
                self.assertTrue(all((line["in"] == "0") == (name == "half-open")
                                    for line in stalled))
        return late

    @staticmethod
    def is_late(line, name, version):
        """Whether the connection was ended on its way to where it was to stall."""
        saw = STALLED[name]["saw"]
        saw = saw[version] if isinstance(saw, dict) else saw
        nothing = line["in"] == "0" and name != "half-open"
        on_its_way = line["saw"] != saw and saw.startswith(line["saw"].strip("-"))
        return line["ended"] == "timeout" and (nothing or on_its_way)

    def test_stalls_last_until_the_servers_time_is_over(self):
        left = [(version, name) for version in TLS for name in STALLED
                if not isinstance(STALLED[name]["saw"], dict) or version in STALLED[name]["saw"]]
        for limit in LIMITS:
            left = left and self.stall(left, limit)
        self.assertEqual(left, [])


class WireTest(Case):
    """What the server's SSL object can't tell."""

    def first(self, reads):
        return b"".join(data for data, _, _ in reads)

    def seconds(self, reads):
        return reads[-1][2] - reads[0][2] if reads else 0

    def test_plain_http_is_a_request(self):
        sent = self.through_relay("plain-http")
        self.assertEqual(self.first(sent[0]), b"GET / HTTP/1.0\r\n\r\n")

    def test_random_bytes_differ_and_begin_no_record(self):
        sent = [self.first(reads) for reads in self.through_relay("random-bytes", closed=20)][:19]
        self.assertEqual(len(set(sent)), 19)
        for data in sent:
            self.assertEqual((len(data), data[0] & 0x80, data[1] & 0x80), (512, 0, 0x80))

    def test_a_fragmented_hello_is_in_small_records(self):
        for reads in self.through_relay("fragmented-client-hello"):
            pieces = [content for kind, _, content in records(self.first(reads)) if kind == 22]
            length = 4 + int.from_bytes(pieces[0][1:4], "big")
            hello = -(-length // 7)
            self.assertGreater(hello, 20)
            self.assertEqual([len(p) for p in pieces[:hello - 1]], [7] * (hello - 1))
            self.assertEqual(sum(len(p) for p in pieces[:hello]), length)

    def test_a_dribbled_hello_is_in_many_segments(self):
        sent = self.through_relay("dribbled-client-hello")
        for reads in sent:
            hello = 5 + int.from_bytes(self.first(reads)[3:5], "big")
            data, segments = b"", 0
            for read, so_far, _ in reads:
                if len(data) < hello:
                    data, segments = data + read, so_far
            self.assertEqual(len(data), hello)
            self.assertGreaterEqual(segments, 20)

    def test_a_huge_hello_is_one_message_in_full_records(self):
        for reads in self.through_relay("huge-client-hello"):
            found = records(self.first(reads))
            message = b"".join(content for _, _, content in found[:4])
            self.assertEqual([len(c) for _, _, c in found[:3]], [16384] * 3)
            self.assertEqual(message[0], 1)
            self.assertEqual(int.from_bytes(message[1:4], "big") + 4, len(message))
            self.assertGreater(len(message), 57000)

    def test_slowloris_says_a_byte_at_a_time(self):
        reads = within_limits(
            lambda limit: self.through_relay("slowloris", closed=2, server=(f"--handshake-timeout={limit}",))[0],
            lambda reads: len(self.first(reads)) >= 4 and self.seconds(reads) > 0.3, LIMITS[1:])
        said = self.first(reads)
        self.assertEqual(said[:3], b"\x16\x03\x01")
        # Several bytes may be read at once where the relay is slow; they were sent one by one.
        self.assertGreaterEqual(reads[-1][1], len(said))
        self.assertGreater(self.seconds(reads), 0.3)

    def test_empty_records_are_empty(self):
        sent = self.through_relay("empty-records")
        found = records(self.first(sent[0]))
        self.assertEqual(found, [(22, b"\x03\x03", b"")] * 64)

    def test_records_and_messages_beyond_their_bounds(self):
        sent = self.first(self.through_relay("oversized-record")[0])
        self.assertEqual(sent[3:5], (16385).to_bytes(2, "big"))
        sent = self.first(self.through_relay("oversized-client-hello")[0])
        self.assertEqual(sent[5:9], b"\x01\xff\xff\xff")
        sent = self.first(self.through_relay("wrong-record-version")[0])
        self.assertEqual(sent[:3], b"\x16\x05\x05")

    def test_garbage_is_of_seven_kinds(self):
        sent = self.through_relay("garbage-extensions", closed=16)
        hellos = {self.first(reads) for reads in sent[:15]}
        self.assertEqual(len(hellos), 7)


if __name__ == "__main__":
    unittest.main()
