# SPDX-License-Identifier: Apache-2.0
"""libsoakprobe.so in programs that people run: handshakes leave the count of blocks as it was."""

import shutil
import socket
import ssl
import tempfile
import time
import unittest
from pathlib import Path

from probed import HOOKS, PATIENCE, PYTHON, Probed
from fixtures import free_port, make_certificate
from patience import until


def handshake(port, message=b""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s, context.wrap_socket(s) as t:
        t.sendall(message)
        return t.recv(100) if message else b""


class ProgramsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="soak preload ")
        cls.addClassCleanup(folder.cleanup)
        cls.here = Path(folder.name)
        make_certificate(cls.here, "cert")

    def quiet(self, probed, closed):
        """All connections have gone, and the count stands still."""
        until(lambda: probed.page.app.closed >= closed, f"{closed} are closed")
        last, same = None, 0
        while same < 5:
            now = (probed.total("allocs"), probed.total("frees"), probed.blocks())
            last, same = now, same + 1 if now == last else 0
            time.sleep(0.02)
        return now[2]

    def churn(self, probed, port, count):
        closed = probed.page.app.closed
        for _ in range(count):
            handshake(port)
        return self.quiet(probed, closed + count)

    def serve(self, probed, *command):
        port = free_port()
        child = probed.start(*[word.replace("{port}", str(port)) for word in map(str, command)], cwd=self.here)

        def answers():
            self.assertIsNone(child.poll(), "it ended")
            try:
                handshake(port)
            except OSError:
                return False
            return True
        until(answers, "it answers")
        self.assertEqual({row.mode for row in probed.processes()}, {HOOKS})
        before = self.churn(probed, port, 20)
        self.assertEqual(self.churn(probed, port, 20), before)
        self.assertEqual(probed.objects("SSL"), 0)
        self.assertEqual(probed.page.app.opened, probed.page.app.closed)
        self.assertGreaterEqual(probed.page.app.opened, 41)
        self.assertEqual(probed.page.sites_lost + probed.page.blocks_lost + probed.page.bad_frees, 0)

    def test_openssl_s_server(self):
        with Probed() as probed:
            self.serve(probed, "openssl", "s_server", "-accept", "{port}", "-cert", "cert.pem",
                       "-quiet", "-no_cache", "-num_tickets", "0")

    def test_python_opens_libcrypto_later(self):
        program = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem")
context.options |= ssl.OP_NO_TICKET
context.num_tickets = 0
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    try:
        with listener.accept()[0] as s, context.wrap_socket(s, server_side=True) as t:
            t.recv(1)
    except OSError:
        pass
"""
        with Probed() as probed:
            self.serve(probed, PYTHON, "-c", program, "{port}")

    def test_curl_frees_what_it_had(self):
        if not shutil.which("curl"):
            self.skipTest("curl isn't installed (package curl)")
        with Probed() as probed:
            probed.run("curl", "--version")
            self.assertEqual(probed.processes()[0].mode, HOOKS)
            self.assertGreater(probed.total("allocs"), 1000)
            self.assertEqual(probed.total("frees"), probed.total("allocs"))

    def test_s_client_frees_what_it_had(self):
        with Probed() as probed:
            probed.run("openssl", "s_client", "-help")
            self.assertEqual(probed.processes()[0].mode, HOOKS)
            self.assertEqual(probed.total("frees"), probed.total("allocs"))


if __name__ == "__main__":
    unittest.main()
