# SPDX-License-Identifier: Apache-2.0
"""A port on the loopback with a thread per connection: what every server written for a test stands on."""

import contextlib
import socket
import threading

from patience import PATIENCE_S as WAIT_S


class Listener:
    """Each connection has a number, in the order of their arrival. `arrived(number, peer)` is called
    before its thread starts, one after the other; `talk(sock, number)` is the thread. What it raises is
    kept in `errors`."""

    def __init__(self):
        self.errors, self.threads = [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def arrived(self, number, peer):
        """Nothing is kept of it."""

    def talk(self, sock, number):
        """What the server does with a connection."""
        raise NotImplementedError

    def close(self):
        """Nobody waits in accept() then: a signal would let them go on with whatever has the descriptor's
        number next, such as the next test's port."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join(WAIT_S)
        self.listener.close()

    def ended(self):
        """Waits for the connections so far and returns what their threads raised."""
        for thread in list(self.threads):
            thread.join(WAIT_S)
        return self.errors

    def _accept(self):
        number = 0
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            sock.settimeout(WAIT_S)
            self.arrived(number, peer[0])
            thread = threading.Thread(target=self._run, args=(sock, number), daemon=True)
            self.threads.append(thread)
            thread.start()
            number += 1

    def _run(self, sock, number):
        with sock:
            try:
                self.talk(sock, number)
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(repr(error))
