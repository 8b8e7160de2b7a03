# SPDX-License-Identifier: Apache-2.0
"""A TLS echo server on plain sockets that writes down what its peers do, TCP's FIN and RST too.

TLS runs in memory (ssl.MemoryBIO), so that the socket is ours and nothing hides how it ends.
"""

import socket
import ssl
import time

from listener import Listener


class Recorder(Listener):
    """`events` holds a list per connection, in the order of their arrival, such as
    ["hello", "handshake", "together", "echo", "close_notify", "fin"]."""

    def __init__(self, certificate, corrupt=(), drop=()):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.corrupt, self.drop = set(corrupt), set(drop)
        self.events, self.peers = [], []
        super().__init__()

    def ended(self):
        """Waits for the connections so far and returns their events."""
        super().ended()
        return self.events

    def arrived(self, number, peer):
        self.events.append([])
        self.peers.append(peer)

    def talk(self, connection, number):
        events = self.events[number]
        try:
            self._talk(connection, number, events)
        except (ConnectionResetError, BrokenPipeError):
            events.append("rst")
        except TimeoutError:
            events.append("silence")

    def _talk(self, connection, number, events):
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(arrived, leaving, server_side=True)
        shaken = False
        while True:
            chunk = connection.recv(65536)
            if not chunk:
                events.append("fin")
                self._after_fin(connection, events)
                return
            arrived.write(chunk)
            if not shaken:
                shaken = self._handshake(tls, events)
                first_read = shaken
            if shaken and not self._echo(tls, number, events, first_read):
                connection.sendall(leaving.read())
                continue
            first_read = False
            dropped = "echo" in events and number in self.drop
            if dropped:  # with its echo, before it can be replaced
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.sendall(leaving.read())
            if dropped:
                events.append("dropped")
                return

    @staticmethod
    def _handshake(tls, events):
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            events.append("hello")
            return False
        events.append("handshake")
        return True

    def _echo(self, tls, number, events, first_read):
        """Echoes what there is. Returns False when the peer has said goodbye."""
        try:
            while True:
                data = bytearray(tls.read(65536))
                if not data:
                    raise ssl.SSLZeroReturnError()
                if number in self.corrupt:
                    data[len(data) // 2] ^= 1
                tls.write(data)
                events.append("together" if first_read else "apart")
                events.append("echo")
        except ssl.SSLWantReadError:
            return True
        except ssl.SSLZeroReturnError:
            events.append("close_notify")
            try:
                tls.unwrap()
            except ssl.SSLError:
                pass
            return False

    @staticmethod
    def _after_fin(connection, events):
        """Whether the peer, having sent FIN, still receives: to a closed socket the first bytes
        bring an RST, and the second can't be sent."""
        if "close_notify" in events or "handshake" not in events:
            return
        for _ in range(2):
            connection.sendall(b"\x15\x03\x03\x00\x02")
            time.sleep(0.05)
        events.append("still-open")
