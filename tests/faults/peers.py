# SPDX-License-Identifier: Apache-2.0
"""A program under test that serves until a file is there and goes wrong from then on:
`peers.py HOW FILE ADDRESS CERT KEY`. With `leaks` as HOW it keeps 64 KB of each connection."""

import os
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from foreign_programs import echo, listener  # pylint: disable=wrong-import-position

KEPT_BYTES = 65536
kept, held = [], []


def silent(connection):
    held.append(connection)


def garbage(connection):
    connection.sendall(os.urandom(4096))
    held.append(connection)


def closes(connection):
    connection.close()


def growing(connection, context):
    kept.append((bytearray(KEPT_BYTES), ssl.MemoryBIO()))
    echo(connection, context)


def refuses(server):
    server.close()
    while True:
        time.sleep(60)


def main(how, flag, address, cert, key):
    if how == "late":
        print("not yet", flush=True)
        while not os.path.exists(flag):
            time.sleep(0.01)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = listener(address)
    handle = growing if how in ("leaks", "grows") else echo
    turned = {"silent": silent, "garbage": garbage, "closes": closes}
    server.settimeout(0.05)
    while True:
        if how == "refuses" and os.path.exists(flag):
            refuses(server)
        try:
            connection, _ = server.accept()
        except socket.timeout:
            continue
        connection.setblocking(True)
        if how in turned and os.path.exists(flag):
            turned[how](connection)
        else:
            threading.Thread(target=handle, args=(connection, context), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
