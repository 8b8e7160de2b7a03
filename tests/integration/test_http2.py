# SPDX-License-Identifier: Apache-2.0
"""The behaviours over HTTP/2: against a server that writes down the frames it gets, and against those
that people run."""

import re
import shutil
import socket
import ssl
import struct
import subprocess
import unittest
from pathlib import Path

from fixtures import free_port
from listener import Listener
from load_case import CLIENT, LoadCase
from patience import PATIENCE_S as WAIT_S, until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NAMES = {0: "DATA", 1: "HEADERS", 3: "RST_STREAM", 4: "SETTINGS", 6: "PING", 7: "GOAWAY", 8: "WINDOW_UPDATE"}
REQUEST = ["SETTINGS", "WINDOW_UPDATE", "HEADERS"]
BEHAVIOURS = ["h2-goaway", "h2-no-goaway", "h2-reset-stream", "h2-rst-request"]


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Http2(Listener):
    """RFC 9113 for one request. `seen` has the names of each connection's frames, and how it ended."""

    def __init__(self, certificate, protocols=("h2",), answer=True, pieces=1000):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.set_alpn_protocols(list(protocols))
        self.answers, self.pieces, self.seen = answer, pieces, []
        super().__init__()

    def talk(self, sock, number):
        seen = []
        try:
            with self.context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False) as tls:
                self.say(tls, frame(4))
                stream = tls.makefile("rb")
                preface = stream.read(len(PREFACE))
                assert preface in (PREFACE, b""), preface
                while header := stream.read(9):
                    length, (kind, flags, number) = int.from_bytes(header[:3]), struct.unpack(">BBI", header[3:])
                    payload = stream.read(length)
                    seen.append(NAMES[kind] + ("+ACK" if kind in (4, 6) and flags & 1 else ""))
                    self.react(tls, kind, flags, payload)
                seen.append("close_notify")
        except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
            seen.append("cut")  # whoever meets the reset first, OpenSSL's ticket writer passes over it
        self.seen.append(seen)

    def say(self, tls, bytes_):
        for at in range(0, len(bytes_), self.pieces):
            tls.sendall(bytes_[at:at + self.pieces])

    def react(self, tls, kind, flags, payload):
        if kind == 4 and not flags & 1:
            self.say(tls, frame(4, 1))
        elif kind == 6 and not flags & 1:
            self.say(tls, frame(6, 1, 0, payload))
        elif kind == 1 and self.answers:
            assert payload.startswith(b"\x82\x87\x84\x01"), payload
            self.say(tls, frame(1, 4, 1, b"\x88") + frame(0, 0, 1, b"x" * 5000) + frame(0, 1, 1, b"end"))


def load(mix, *options, closed=24):
    return ["--foreign", "--conns=2", "--churn=max", "--workers=1", f"--closed={closed}", f"--mix={mix}", *options]


class Case(LoadCase):
    def succeeds(self, port, mix, *options, **more):
        return self.completes(port, *load(mix, *options, **more))


class FramesTest(Case):
    """By the server's own eyes."""

    def server(self, **options):
        server = Http2(self.certificate, **options)
        self.addCleanup(server.close)
        return server

    def seen(self, mix, **options):
        """The frames of every connection."""
        server = self.server(**options)
        self.succeeds(server.port, mix)
        self.assertEqual(server.ended(), [])
        self.assertEqual(len(server.seen), 24)
        return server.seen

    def test_one_that_says_goaway(self):
        for tls in ("1.2", "1.3"):
            server = self.server()
            self.succeeds(server.port, "h2-goaway", f"--tls={tls}")
            self.assertEqual(server.ended(), [])
            self.assertEqual(server.seen.count([*REQUEST, "SETTINGS+ACK", "GOAWAY", "close_notify"]), 22)

    def test_one_that_says_nothing(self):
        for seen in self.seen("h2-no-goaway"):
            self.assertEqual(seen, [*REQUEST, "SETTINGS+ACK", "close_notify"])

    def test_one_that_resets_its_stream(self):
        seen = self.seen("h2-reset-stream")
        expected = [*REQUEST, "RST_STREAM", "PING", "SETTINGS+ACK", "GOAWAY", "close_notify"]
        self.assertEqual(seen.count(expected), 22)

    def test_one_that_resets_the_connection_with_its_request(self):
        seen = self.seen("h2-rst-request", answer=False)
        cut = [one for one in seen if one[-1] == "cut"]
        self.assertEqual(len(cut), 22)
        self.assertEqual(seen.count(["close_notify"]), 2)  # clean ones hold their places
        for one in cut:  # what was under way may be lost
            self.assertEqual(one[:-1], REQUEST[:len(one) - 1])

    def test_an_answer_may_come_byte_by_byte(self):
        self.assertEqual(len(self.seen("h2-goaway", pieces=1)), 24)

    def test_beside_others_each_does_its_own(self):
        server = self.server(protocols=("h2", "http/1.1"))
        done = self.succeeds(server.port, "h2-goaway,h2-no-goaway,h2-reset-stream,mid-handshake", closed=60)
        self.assertGreater(int(re.search(r"(\d+) aborted as intended", done.stdout)[1]), 0)


class RefusedTest(Case):
    def test_a_server_without_h2_is_told(self):
        server = Http2(self.certificate, protocols=("http/1.1",))
        self.addCleanup(server.close)
        self.assertIn("the server doesn't choose h2 by ALPN", self.fails(server.port, *load("h2-goaway")))

    def test_soak_server_is_not_asked(self):
        done = subprocess.run([CLIENT, "--connect=127.0.0.1:1", "--mix=h2-goaway"], text=True,
                              capture_output=True, timeout=WAIT_S, check=False)
        self.assertIn("it needs a server that speaks HTTP/2, and soak-server echoes", done.stderr)


NGINX = """daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 100; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        location / {{ return 200 "hello"; }}
    }}
}}
"""
NODE = """const http2 = require('http2'), pem = require('fs').readFileSync('{certificate}');
http2.createSecureServer({{cert: pem, key: pem}}, (request, response) => response.end('hello'))
    .listen({port}, '127.0.0.1');
"""


class RealTest(Case):
    """What others have written understands it, too."""

    def program(self, name):
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
        if not path:
            self.skipTest(f"{name} is not installed (scripts/needs.txt)")
        return path

    def start(self, text, name, *arguments):
        port = free_port()
        path = Path(self.folder.name) / name
        path.write_text(text.format(folder=self.folder.name, port=port, certificate=self.certificate),
                        encoding="utf-8")
        server = subprocess.Popen([*arguments, str(path)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait, WAIT_S)
        self.addCleanup(server.terminate)
        until(lambda: self.listens(port, server), f"{name} listens")
        return port

    def listens(self, port, server):
        self.assertIsNone(server.poll(), "it has ended")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            return False

    def test_nginx(self):
        port = self.start(NGINX, "nginx.conf", self.program("nginx"), "-p", self.folder.name, "-c")
        for tls in ("1.2", "1.3"):
            self.succeeds(port, ",".join(BEHAVIOURS), f"--tls={tls}", closed=100)

    def test_node(self):
        port = self.start(NODE, "server.js", self.program("node"))
        for tls in ("1.2", "1.3"):
            self.succeeds(port, ",".join(BEHAVIOURS), f"--tls={tls}", closed=100)


if __name__ == "__main__":
    unittest.main()
