# SPDX-License-Identifier: Apache-2.0
"""What a program writes to a terminal of a given width."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

from patience import PATIENCE_S


def shown(columns, words, **options):
    """Its stdout as the terminal is written, and its exit code. `options` are Popen's."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    text = b""
    with subprocess.Popen(words, stdout=child, **options) as process:
        os.close(child)
        try:
            while piece := os.read(parent, 65536):
                text += piece
        except OSError:
            pass  # the end of a terminal whose last writer has gone
        os.close(parent)
        code = process.wait(timeout=PATIENCE_S)
    return text.decode().replace("\r\n", "\n"), code
