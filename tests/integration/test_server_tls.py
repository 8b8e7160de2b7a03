"""soak-server's TLS options: what its own SSL objects saw (--log) when OpenSSL's client came."""

import os
import re
import subprocess
import tempfile
import unittest

from server_driver import BIN, PATIENCE, Server

PSK = b"soak: both ends know these bytes".hex()


class Visitor:
    """A logging server, and visits by `openssl s_client`."""

    def __init__(self, *options, log=True):
        self.folder = tempfile.TemporaryDirectory()
        self.server = Server("--log", self.path("log"), *options)
        self.lines_read = 0

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)
        self.folder.cleanup()

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def visit(self, *options, lines=(b"hello\n",)):
        """Says each line, awaits the echo of the last, leaves. Returns the log's line as a
        dictionary, and what the client printed."""
        closed = self.server.page.app.closed
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = b""
        try:
            for line in lines:
                client.stdin.write(line)
                client.stdin.flush()
            while lines and not said.endswith(b"\n" + lines[-1]):
                line = client.stdout.readline()
                if not line:
                    break
                said += line
            said += client.communicate(timeout=PATIENCE)[0]
        except BrokenPipeError:
            said += client.stdout.read()
        finally:
            client.kill()
            client.wait()
            client.stdout.close()
            client.stdin.close()
        self.server.wait_until("the visit is over",
                               lambda: self.server.page.app.closed == closed + 1)
        return self.log(), said.decode()

    def log(self):
        with open(self.path("log"), encoding="utf-8") as file:
            line = file.read().splitlines()[-1]
        return {key: value.strip('"')
                for key, value in re.findall(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S+)', line)}


class Tickets(unittest.TestCase):
    def test_as_many_are_sent_as_asked_for(self):
        for number in (0, 1, 5):
            with Visitor("--tickets", str(number)) as server:
                log, said = server.visit("-tls1_3")
                print(log)
                self.assertEqual(said.count("Post-Handshake New Session Ticket arrived"), number)


if __name__ == "__main__":
    unittest.main()
