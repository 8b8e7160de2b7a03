# SPDX-License-Identifier: Apache-2.0
"""python_client.py ADDRESS:PORT CA [session]: says a request over TLS and reads the answer, again and
again.

With `session` it looks at each connection's session once, as a client does that wants to resume it.
"""

import socket
import ssl
import sys

HOST, PORT = sys.argv[1].rsplit(":", 1)
LOOKS = sys.argv[3:] == ["session"]
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.load_verify_locations(sys.argv[2])

while True:
    with CONTEXT.wrap_socket(socket.create_connection((HOST, int(PORT))), server_hostname=HOST) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            connection.recv(4096)
            if LOOKS:
                connection.session  # pylint: disable=pointless-statement
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
