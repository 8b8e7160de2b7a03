# SPDX-License-Identifier: Apache-2.0
"""Witnesses of the dialogues before TLS: a relay that writes down the bytes, and servers of the
eight protocols, written from their documents and in the words of well-known ones."""

import socket
import ssl
import threading

from listener import WAIT_S, Listener

TLS_NS = "urn:ietf:params:xml:ns:xmpp-tls"


def tell(sock, data, piece):
    """Sends in pieces, so that nothing may rely on a line coming whole."""
    for at in range(0, len(data), piece):
        sock.sendall(data[at:at + piece])


class Relay(Listener):
    """Between a client and the server on `port`: `seen` holds [from client, from server, how the
    client ended: "fin" or "rst"] for each connection."""

    def __init__(self, port):
        self.to, self.seen = port, []
        super().__init__()

    def arrived(self, number, peer):
        self.seen.append([b"", b"", ""])

    def talk(self, client, number):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seen = self.seen[number]
        with socket.create_connection(("127.0.0.1", self.to), timeout=WAIT_S) as server:
            back = threading.Thread(target=self._back, args=(server, client, seen), daemon=True)
            back.start()
            try:
                while data := client.recv(65536):
                    seen[0] += data
                    server.sendall(data)
                seen[2] = "fin"
                server.shutdown(socket.SHUT_WR)
            except ConnectionError:
                seen[2] = "rst"
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                server.shutdown(socket.SHUT_RDWR)
            except OSError:  # the server has closed
                seen[2] = seen[2] or "fin"
            back.join(WAIT_S)

    @staticmethod
    def _back(server, client, seen):
        try:
            while data := server.recv(65536):
                seen[1] += data
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass


# (what the server says, what it must hear then) until TLS begins.
SCRIPTS = {
    "smtp": [(b"220-mx.example.org ESMTP Exim 4.96\r\n220 no bulk mail\r\n", b"EHLO [127.0.0.1]\r\n"),
             (b"250-mx.example.org Hello\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250 HELP\r\n",
              b"STARTTLS\r\n"),
             (b"220 TLS go ahead\r\n", b"")],
    "imap": [(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n", b"a1 CAPABILITY\r\n"),
             (b"* CAPABILITY IMAP4rev1 IDLE STARTTLS LOGINDISABLED\r\na1 OK done.\r\n",
              b"a2 STARTTLS\r\n"),
             (b"a2 OK Begin TLS negotiation now.\r\n", b"")],
    "pop3": [(b"+OK Dovecot ready.\r\n", b"STLS\r\n"), (b"+OK Begin TLS negotiation now.\r\n", b"")],
    "ftp": [(b"220-Welcome\r\n to the archive\r\n220 ProFTPD ready\r\n", b"AUTH TLS\r\n"),
            (b"234 AUTH TLS successful\r\n", b"")],
    "postgres": [(b"", bytes.fromhex("0000000804d2162f")), (b"S", b"")],
    "mysql": [(bytes.fromhex("4a0000000a") + b"8.0.36\0" + bytes.fromhex("0b000000") + b"saltsalt\0" +
               bytes.fromhex("ffffff0200ffdf15") + bytes(10) + b"twelve bytes\0"
               b"caching_sha2_password\0",
               bytes.fromhex("20000001008a0000000000012d") + bytes(23))],
    "ldap": [(b"", bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"),
             (bytes.fromhex("308400000010020101788400000007" "0a010004000400"), b"")],
    "xmpp": [(b"", b"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' "
              b"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"),
             (f"<?xml version='1.0'?><stream:stream id='1' from='localhost'>\n<stream:features>"
              f"<starttls xmlns='{TLS_NS}'><required/></starttls><mechanisms><mechanism>PLAIN"
              f"</mechanism></mechanisms></stream:features>".encode(),
              f"<starttls xmlns='{TLS_NS}'/>".encode()),
             (f"<proceed xmlns='{TLS_NS}'/>".encode(), b"")],
}


class Scripted(Listener):
    """Speaks a script, `piece` bytes at a time, then TLS, and echoes."""

    def __init__(self, certificate, script, piece):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.script, self.piece, self.echoed = script, piece, 0
        super().__init__()

    def talk(self, sock, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for said, wanted in self.script:
            tell(sock, said, self.piece)
            heard = b""
            while len(heard) < len(wanted):
                more = sock.recv(len(wanted) - len(heard))
                if not more:
                    raise AssertionError(f"ended after {heard!r}")
                heard += more
            if heard != wanted:
                raise AssertionError(f"{heard!r} instead of {wanted!r}")
        with self.context.wrap_socket(sock, server_side=True) as tls:
            while data := tls.recv(65536):
                tls.sendall(data)
                self.echoed += len(data)
