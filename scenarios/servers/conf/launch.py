# SPDX-License-Identifier: Apache-2.0
"""launch.py [--echo SOCKET] [--as-root WORDS] -- COMMAND...: become COMMAND, with what it needs.

--echo makes an echo listen at a Unix socket, for programs that only pass data on. It runs in a
process of its own, without a probe, and ends after COMMAND has ended. --as-root adds WORDS to
COMMAND when root runs this, for programs that want to be told which user to become."""

import argparse
import os
import selectors
import socket
import subprocess
import sys

PROBE = ("LD_PRELOAD", "SOAK_PROBE")


def pass_back(connection, selector):
    try:
        data = connection.recv(65536)
        if data:
            connection.sendall(data)
            return
    except OSError:
        pass
    selector.unregister(connection)
    connection.close()


def serve(listener_fd, alive_fd):
    """Echoes until `alive_fd` ends, which COMMAND and its children hold open."""
    listener = socket.socket(fileno=listener_fd)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(alive_fd, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == alive_fd:
                    return
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                else:
                    pass_back(key.fileobj, selector)


def start_echo(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(1024)
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    env = {name: value for name, value in os.environ.items() if name not in PROBE}
    words = [sys.executable, "-I", __file__, "--serve", str(listener.fileno()), str(read_end)]
    subprocess.Popen(words, env=env, pass_fds=(listener.fileno(), read_end), close_fds=True)


def main():
    if sys.argv[1] == "--serve":
        serve(*map(int, sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--echo", metavar="SOCKET")
    parser.add_argument("--as-root", metavar="WORDS", default="")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    if args.echo:
        start_echo(args.echo)
    if os.geteuid() == 0:
        args.command[1:1] = args.as_root.split()
    os.execvp(args.command[0], args.command)


main()
