# SPDX-License-Identifier: Apache-2.0
"""What many tests need before they can begin. (tests/placement has a link to this file.)"""

import os
import socket
import subprocess

from patience import PATIENCE_S


def make_certificate(folder, name="recorder"):
    """Returns a PEM file, NAME.pem, with a fresh key and a self-signed certificate for it; the key alone is in
    NAME.pem.key."""
    path = os.path.join(folder, name + ".pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", f"/CN={name}", "-days", "2", "-keyout", path + ".key", "-out", path],
        check=True, capture_output=True, timeout=PATIENCE_S)
    with open(path, "ab") as out, open(path + ".key", "rb") as key:
        out.write(key.read())
    return path


def free_port():
    """One of 127.0.0.1 that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return holder.getsockname()[1]
