# SPDX-License-Identifier: Apache-2.0
"""Stands between client and server and writes down what goes over the wire: `events`, a list of
(connection, "client" or "server", bytes) in the order in which it passed. No bytes: that end is over."""

import selectors
import socket
import struct
import threading


class Tap:
    def __init__(self, port):
        self.target, self.events, self.count = int(port), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.over, self.sockets = False, [self.listener]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.over = True
        self.thread.join()
        for one in self.sockets:
            one.close()
        self.selector.close()

    def of(self, connection, who):
        return b"".join(data for number, end, data in self.events
                        if number == connection and end == who)

    def hellos(self):
        """The first bytes of each client, by connection."""
        ret = {}
        for number, who, data in self.events:
            if who == "client":
                ret.setdefault(number, data)
        return ret

    def _run(self):
        while not self.over:
            for key, _ in self.selector.select(0.05):
                if key.fileobj is self.listener:
                    self._accept()
                else:
                    self._pass(key.fileobj, *key.data)

    def _accept(self):
        near, _ = self.listener.accept()
        far = socket.create_connection(("127.0.0.1", self.target))
        self.sockets += [near, far]
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(near, selectors.EVENT_READ, (self.count, "client", far))
        self.selector.register(far, selectors.EVENT_READ, (self.count, "server", near))
        self.count += 1

    def _pass(self, source, number, who, other):
        try:
            data = source.recv(65536)
        except ConnectionResetError:
            self.events.append((number, who, b""))
            self._reset(source, other)
            return
        self.events.append((number, who, data))
        try:
            if data:
                other.sendall(data)
            else:
                self.selector.unregister(source)
                other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _reset(self, *ends):
        for end in ends:
            if end.fileno() < 0:
                continue
            if end in self.selector.get_map():
                self.selector.unregister(end)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
