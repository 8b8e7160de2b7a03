# SPDX-License-Identifier: Apache-2.0
"""threads_server.py PORT CERT KEY: an echo over TLS, a thread for each connection."""

import socket
import ssl
import sys
import threading


def serve(connection, context):
    try:
        with context.wrap_socket(connection, server_side=True) as secure:
            while data := secure.recv(65536):
                secure.sendall(data)
    except (OSError, ssl.SSLError):
        pass  # the peer left rudely
    finally:
        connection.close()


def main(port, cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", int(port)), backlog=1024) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, context), daemon=True).start()


main(*sys.argv[1:])
