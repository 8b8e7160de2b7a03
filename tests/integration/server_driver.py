# SPDX-License-Identifier: Apache-2.0
"""Drives one soak-server from a test: its control socket, its probe page, its clients."""

import os
import resource
import signal
import socket
import ssl
import subprocess

from patience import PATIENCE_S as PATIENCE, until
from probe_page import page_make, page_threads
from soak_run import defect_environment

BIN = os.environ["SOAK_BIN"]

def client_context(version=None, alpn=None, cert=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    if cert:
        context.load_cert_chain(cert)
    return context


def reset(sock):
    """Leaves by RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


class Server:
    """soak-server under control, as soak starts it; `with` ends it by `quit` and wants exit 0."""

    def __init__(self, *options, control=True, preload=None, files=None):
        """With `preload`, a library, and at most `files` descriptors."""
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        self.context = client_context()
        self.lines = []
        self.settles = 0
        self.connected = 0  # by this test; one in the backlog is still to be accepted
        arguments = [BIN + "/soak-server", *options]
        environment = defect_environment(options) | ({"LD_PRELOAD": preload} if preload else {})
        begin = {"env": environment, "stderr": subprocess.PIPE, "preexec_fn": limit if files else None}
        if control:
            self.control, theirs = socket.socketpair()
            page_fd, self.page = page_make()
            arguments += ["--control-fd", str(theirs.fileno()), "--page-fd", str(page_fd)]
            self.process = subprocess.Popen(arguments, pass_fds=(theirs.fileno(), page_fd), **begin)
            theirs.close()
            os.close(page_fd)
            self.control.settimeout(PATIENCE)
            self.reader = self.control.makefile("r")
            self.port = int(self.expect("ready").split("port=")[1].split()[0])
        else:
            self.control = None
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, **begin)
            self.said = self.process.stdout.readline().decode()
            self.port = int(self.said.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        elif self.process.poll() is None:
            self.quit()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        if self.control:
            self.reader.close()
            self.control.close()

    def say(self, line):
        self.control.sendall(line.encode() + b"\n")

    def expect(self, word):
        """The next line whose first word is `word`; others are kept in `lines`."""
        while True:
            line = self.reader.readline()
            if not line:
                raise AssertionError(f"no '{word}' came; stderr: " +
                                     self.process.stderr.read().decode())
            line = line.rstrip("\n")
            if line.split()[0] == word:
                return line
            self.lines.append(line)

    def ask(self, line, word):
        self.say(line)
        return self.expect(word)

    def settle(self):
        self.settles += 1
        said = self.ask(f"settle id={self.settles}", "settled")
        assert said == f"settled id={self.settles}", said

    def quit(self):
        if self.control:
            self.say("quit")
        else:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        assert code == 0, (code, self.process.stderr.read().decode())

    def all_closed(self):
        app = self.page.app
        until(lambda: app.opened >= self.connected and app.opened == app.closed, "all connections are gone")

    def tcp(self):
        self.connected += 1
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return sock

    def tls(self, context=None, session=None, name="localhost"):
        return (context or self.context).wrap_socket(self.tcp(), server_hostname=name,
                                                     suppress_ragged_eofs=False, session=session)

    def echo(self, sock, message=b"hello"):
        sock.sendall(message)
        got = b""
        while len(got) < len(message):
            more = sock.recv(65536)
            assert more, "the server closed before its echo was complete"
            got += more
        return got

    def visit(self, context=None, session=None):
        """A whole clean connection; returns its session."""
        sock = self.tls(context, session)
        self.echo(sock)
        session = sock.session
        sock.unwrap().close()
        return session

    def visits(self, count):
        opened = self.page.app.opened + count
        for _ in range(count):
            self.visit()
        until(lambda: self.page.app.opened >= opened, "all visits are counted")
        self.all_closed()

    def live(self, file=None):
        """(blocks, bytes) alive, of the sites whose file ends so, or of all but libuv's."""
        blocks = size = 0
        page = self.page
        for s in range(page.sites):
            name = page.site[s].file.decode()
            if name == "libuv" or (file and not name.endswith(file)):
                continue
            for thread in page_threads(page):
                blocks += thread.cell[page.epoch][s].blocks
                size += thread.cell[page.epoch][s].bytes
        return blocks, size

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
