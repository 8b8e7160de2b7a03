# SPDX-License-Identifier: Apache-2.0
"""A TLS client that looks at each connection's session, as one does that wants to resume it.

python3 python_session_client.py ADDRESS:PORT
"""

import socket
import ssl
import sys

HOST, PORT = sys.argv[1].rsplit(":", 1)
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE

while True:
    with CONTEXT.wrap_socket(socket.create_connection((HOST, int(PORT)))) as connection:
        connection.sendall(b"hello\n")
        connection.recv(4096)
        connection.session  # pylint: disable=pointless-statement
        while connection.recv(4096):
            pass
