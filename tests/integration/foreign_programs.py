# SPDX-License-Identifier: Apache-2.0
"""Programs for --server that go wrong in one way each: `foreign_programs.py WHAT ADDRESS [CERT KEY]`."""

import collections
import contextlib
import ctypes
import itertools
import mmap
import os
import random
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time


RELOADS = {signal.SIGHUP, signal.SIGUSR1}


def listener(address):
    host, port = address.rsplit(":", 1)
    return socket.create_server((host, int(port)), backlog=256)


def echo(connection, context):
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(65536):
                tls.sendall(data)
    except (OSError, ssl.SSLError):
        connection.close()


def serve(address, cert, key, handle=echo, server=None, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    context.load_cert_chain(cert, key)
    server = server or listener(address)
    while True:
        connection, _ = server.accept()
        # A reload's signal must reach the thread that waits in accept(): another only makes a note of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, RELOADS)
        threading.Thread(target=handle, args=(connection, context), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, RELOADS)


def serves_older_versions(address, cert, key):
    """As nginx does before 1.23.4 where nobody says otherwise."""
    serve(address, cert, key, newest=ssl.TLSVersion.TLSv1_2)


def keeps_each_message(address, cert, key):
    """An object of OpenSSL's for each message that a connection brings."""
    kept = []

    def handle(connection, context):
        with context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(65536):
                kept.append(ssl.MemoryBIO())
                tls.sendall(data)
    serve(address, cert, key, handle)


def keeps_a_cache(address, cert, key):
    """An object of OpenSSL's for each of the last 400 connections."""
    kept = collections.deque(maxlen=400)

    def handle(connection, context):
        kept.append(ssl.MemoryBIO())
        echo(connection, context)
    serve(address, cert, key, handle)


def dies_at_once(*_):
    print("no such module", file=sys.stderr)
    sys.exit(3)


def dies_later(address, cert, key):
    """With its hundredth connection."""
    count = itertools.count(1)

    def handle(connection, context):
        if next(count) == 100:
            print("out of luck", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        echo(connection, context)
    serve(address, cert, key, handle)


def hangs(*_):
    print("thinking", flush=True)
    time.sleep(600)


def other_port(address, *_):
    host = address.rsplit(":", 1)[0]
    server = listener(f"{host}:0")
    print(f"listening on {server.getsockname()[1]}", flush=True)
    time.sleep(600)


def daemonise(address, cert, key):
    """Forks twice into a session of its own, as daemon(3) and more, and the parent ends."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    serve(address, cert, key)


def daemonises_with_a_worker(address, cert, key):
    """As nginx does: the master in the background allocates nothing any more."""
    server = listener(address)
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork() == 0:
        serve(address, cert, key, server=server)
    server.close()
    os.wait()


def hands_over(address, cert, key):
    """A daemon whose first process ends once another has served for a while, as in an upgrade."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = listener(address)
    reader, writer = os.pipe()
    if os.fork() or (os.fork() and os.read(reader, 1)):
        os._exit(0)

    def end(*_):
        print("told to end", flush=True)
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    for count in range(1 << 30):
        connection, _ = server.accept()
        if count == 30:
            os.write(writer, b"x")
        threading.Thread(target=echo, args=(connection, context), daemon=True).start()


def ignores_term(address, cert, key):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(address, cert, key)


def prints_megabytes(address, cert, key):
    def talk():
        line = "x" * 1023 + "\n"
        for _ in range(8 * 1024):
            sys.stdout.write(line)
        print("that was all", flush=True)
    threading.Thread(target=talk, daemon=True).start()
    serve(address, cert, key)


def leaves_one_that_prints(address, cert, key):
    """Its child prints for ever, whatever becomes of the others."""
    if os.fork() == 0:
        os.setsid()
        while True:
            os.write(1, b"x" * 65536)
    serve(address, cert, key)


def leaves_one_in_its_group(address, cert, key):
    if os.fork() == 0:
        while True:
            signal.pause()
    serve(address, cert, key)


def signals_its_group(address, cert, key):
    """As a server does that tells its workers to reload."""
    own = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, signal.SIGRTMIN)
    for number in own:
        signal.signal(number, signal.SIG_IGN)
        os.kill(0, number)
    serve(address, cert, key)


def upgrades(address, cert, key, *inherited):
    """Hands its socket to a new process when SIGUSR1 says so, as nginx does, and gives it a clean environment."""
    server = socket.socket(fileno=int(inherited[0])) if inherited else listener(address)

    def upgrade(*_):
        words = [sys.executable, __file__, "upgrades", address, cert, key, str(server.fileno())]
        subprocess.Popen(words, env={}, pass_fds=[server.fileno()])  # pylint: disable=consider-using-with # it stays
        os._exit(0)
    signal.signal(signal.SIGUSR1, upgrade)
    serve(address, cert, key, server=server)


def starts_anew_without_its_environment(address, cert, key, *inherited):
    """In its own place, after 100 connections, on the socket that it listens on."""
    server = socket.socket(fileno=int(inherited[0])) if inherited else listener(address)
    served = []

    def handle(connection, context):
        echo(connection, context)
        served.append(connection)
        if len(served) == 100 and not inherited:
            os.set_inheritable(server.fileno(), True)
            os.execve(sys.executable, [sys.executable, *sys.argv, str(server.fileno())], {})
    serve(address, cert, key, handle, server)


def stops_its_guard(_address, _cert, _key):
    os.kill(os.getppid(), signal.SIGSTOP)
    print("alone", flush=True)
    while True:
        signal.pause()


def has_more_processes_than_places(address, cert, key):
    """The probe has 256 places: each child has asked for one before the server begins."""
    ready, said = os.pipe()
    for _ in range(300):
        if os.fork() == 0:
            ssl.MemoryBIO()
            os.write(said, b".")
            while True:
                signal.pause()
    for _ in range(300):
        os.read(ready, 1)
    serve(address, cert, key)


def needs_a_terminal(*_):
    if not sys.stdin.isatty():
        sys.exit("stdin is not a terminal")


def never_rests(address, cert, key):
    """OpenSSL allocates all the time, whatever the peers do."""
    def work():
        while True:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            time.sleep(0.02)
    threading.Thread(target=work, daemon=True).start()
    serve(address, cert, key)


def keeps_busy(address, cert, key):
    """A process beside the server that only computes."""
    if os.fork() == 0:
        while True:
            pass
    serve(address, cert, key)


def works_by_forks(address, cert, key):
    """A process for each connection, with the more files the later it comes: they go with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = listener(address)
    for served in itertools.count():
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            for _ in range(served // 10):
                os.open(os.devnull, os.O_RDONLY)
            echo(connection, context)
            os._exit(0)
        connection.close()


def libcrypto():
    """The one that ssl uses."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        path = next(line.split()[-1] for line in maps if "/libcrypto.so" in line)
    library = ctypes.CDLL(path)
    library.CRYPTO_malloc.argtypes = (ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int)
    return library


def one_of_three_leaks(address, cert, key):
    """Three processes accept; the last of them loses a block with each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = listener(address)
    leaks = os.fork() and os.fork()
    library = libcrypto()
    if not leaks:
        with open("/proc/self/comm", "w", encoding="utf-8") as comm:
            comm.write("worker")
    while True:
        connection, _ = server.accept()
        if leaks:
            library.CRYPTO_malloc(32, b"planted.c", 7)
        threading.Thread(target=echo, args=(connection, context), daemon=True).start()


def serves_by_a_worker(address, cert, key):
    """The program itself only watches over the one process that accepts, as a master does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server = listener(address)
    library = libcrypto()
    if os.fork():
        server.close()
        os.wait()
    context.load_cert_chain(cert, key)
    while True:
        connection, _ = server.accept()
        library.CRYPTO_malloc(32, b"planted.c", 7)
        threading.Thread(target=echo, args=(connection, context), daemon=True).start()


def hand_over(address, cert, key, inherited, hides, keeps):
    """Connections go to a child that has a clean environment; with `keeps` only every second one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def begin(connection):
        threading.Thread(target=echo, args=(connection, context), daemon=True).start()
    if inherited:
        line = socket.socket(fileno=int(inherited[0]))
        if hides:
            hide()
        while True:
            begin(socket.socket(fileno=socket.recv_fds(line, 1, 1)[1][0]))
    here, there = socket.socketpair()
    words = [sys.executable, *sys.argv, str(there.fileno())]
    child = subprocess.Popen(words, env={}, pass_fds=[there.fileno()])  # pylint: disable=consider-using-with
    server = listener(address)
    while child.poll() is None:
        if keeps:
            connection, _ = server.accept()
            begin(connection)
        connection, _ = server.accept()
        with connection:
            socket.send_fds(here, [b"x"], [connection.fileno()])


def serves_half_by_one_without_the_probe(address, cert, key, *inherited):
    hand_over(address, cert, key, inherited, hides=False, keeps=True)


def serves_by_a_hidden_one_without_the_probe(address, cert, key, *inherited):
    hand_over(address, cert, key, inherited, hides=True, keeps=False)


def hide():
    """What it has open is shown to those alone that may trace any process."""
    set_dumpable = 4
    if ctypes.CDLL(None).prctl(set_dumpable, 0, 0, 0, 0) != 0:
        raise OSError("prctl")


def serves_hidden(address, cert, key):
    hide()
    serve(address, cert, key)


def has_a_family(address, cert, key):
    """A worker, and one that wants to be left alone in a session of its own."""
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
    serve(address, cert, key)


def reloads(address, cert, key, on_reload=None):
    """Makes its SSL_CTX anew at each SIGHUP, and cuts the connections that stand."""
    current, standing = [], []

    def renew(*_):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        if current and on_reload:
            on_reload()
        current[:] = [context]
        while standing:
            os.write(standing.pop(), b"x")

    def handle(connection, _):
        """Until it is cut, as a worker closes what is idle when it is told to go."""
        cut, end = os.pipe()
        with connection, contextlib.suppress(OSError), \
                current[0].wrap_socket(connection, server_side=True) as tls:
            standing.append(end)
            while cut not in select.select([tls, cut], [], [])[0] and (data := tls.recv(65536)):
                tls.sendall(data)
        if end in standing:
            standing.remove(end)
        os.close(cut)
        os.close(end)

    renew()
    signal.signal(signal.SIGHUP, renew)
    serve(address, cert, key, handle)


def reloads_beside_a_worker(address, cert, key):
    """Makes its SSL_CTX anew at each SIGHUP, and has a child that serves."""
    server, current = listener(address), []

    def renew(*_):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        current[:] = [context]

    renew()
    signal.signal(signal.SIGHUP, renew)
    if os.fork() == 0:
        serve(address, cert, key, server=server)
    server.close()
    while True:
        signal.pause()


def starts_anew_with_a_reload(address, cert, key):
    """As haproxy's master does."""
    reloads(address, cert, key, lambda: os.execv(sys.executable, [sys.executable, *sys.argv]))


def loses_with_each_reload(address, cert, key):
    library = libcrypto()
    reloads(address, cert, key, lambda: library.CRYPTO_malloc(32, b"planted.c", 9))


def shuts_with_a_reload(address, cert, key):
    """Listens no more once it is told to reload."""
    server = listener(address)

    def shut(*_):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.close()
    signal.signal(signal.SIGHUP, shut)
    with contextlib.suppress(OSError):
        serve(address, cert, key, server=server)
    while True:
        signal.pause()


def dies_of_a_reload(address, cert, key):
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
    serve(address, cert, key)


def scribbles(address, cert, key):
    """On the probe's page, in every table of it, as long as it is read."""
    from probe_page import Page  # pylint: disable=import-outside-toplevel # nobody else needs it

    said = dict(word.split("=", 1) for word in os.environ["SOAK_PROBE"].split(","))
    size = ctypes.sizeof(Page)
    with open(said["path"], "r+b", buffering=0) as file:
        page = mmap.mmap(file.fileno(), size)
    tables = [getattr(Page, name) for name, *_ in Page._fields_]
    chance = random.Random(7)

    def scribble():
        print("scribbled", file=sys.stderr, flush=True)
        while True:
            for _ in range(200):
                table = chance.choice(tables)
                # Near a table's begin mostly: pages of memory, of which all together are many.
                reach = min(table.size, 4096 if chance.random() < 0.9 else 1 << 20) - 7
                at = table.offset + chance.randrange(max(reach, 1)) // 8 * 8
                value = chance.choice((0, 1, 255, 1 << 31, (1 << 63) - 1, (1 << 64) - 1, chance.getrandbits(64)))
                page[at:at + 8] = value.to_bytes(8, "little")
            time.sleep(0.01)

    def handle(connection, context):
        if threading.active_count() > 3 and not begun.is_set():
            begun.set()
            threading.Thread(target=scribble, daemon=True).start()
        echo(connection, context)
    begun = threading.Event()
    serve(address, cert, key, handle)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
