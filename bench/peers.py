# SPDX-License-Identifier: Apache-2.0
"""Two programs at the same time on one core: whatever else the machine does, and whatever its clock rate,
hits both, so the ratio of their CPU times stands where the times themselves don't. Servers beside clients,
ours and others' (openssl s_time, nginx, tls-perf)."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
OPEN = 30
KEYS = {"p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa2048": ["rsa:2048"]}
NGINX = """
daemon off;
worker_processes 1;
pid {here}/pid-{port};
error_log stderr crit;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here};
    uwsgi_temp_path {here}; scgi_temp_path {here};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {here}/cert.pem;
        ssl_certificate_key {here}/key.pem;
        location / {{ return 204; }}
    }}
}}
"""


def make_certificate(here, key):
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", "-days", "2", "-newkey", *KEYS[key],
                    "-keyout", f"{here}/key.pem", "-out", f"{here}/cert.pem"], check=True, capture_output=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx_command(here, port):
    """nginx with the certificate of that folder, which gets its configuration too."""
    configuration = f"{here}/nginx-{port}.conf"
    with open(configuration, "w", encoding="ascii") as f:
        f.write(NGINX.format(here=here, port=port))
    return ["nginx", "-e", "stderr", "-p", here, "-c", configuration]


def await_server(port, process, name):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench: {name} doesn't answer")


class Pinned:
    """A program on one core. Its CPU time, and that of its children, is known when it has ended."""

    def __init__(self, core, command):  # or several cores, with commas between them
        self.name = os.path.basename(command[0])
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT)

    def end(self, how=None):
        """Ends it by a signal, or waits until it ends by itself. CPU microseconds, and its output."""
        if how:
            self.process.send_signal(how)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.output.seek(0)
        return (used.ru_utime + used.ru_stime) * 1e6, self.output.read()


def cores():
    """The core of the two that are compared, and one for what serves them."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextlib.contextmanager
def serving(core, command, port):
    server = Pinned(core, command)
    try:
        await_server(port, server.process, server.name)
        yield server
    finally:
        if server.process.returncode is None:
            server.end(signal.SIGTERM)


def soak_server(folder, port):
    return [os.path.join(folder, "soak-server"), "--listen", f"127.0.0.1:{port}"]


def soak_client(folder, port, how, *more, count=OPEN):
    return [os.path.join(folder, "soak-client"), "--connect", f"127.0.0.1:{port}", "--conns", str(count),
            "--workers", "1", "--tls", "1.3", "--churn", "max", "--mix", how, *more]


def least(folder, role, port, *more, case="full", ledger="bare"):
    """The server, or the client, of which bench/least.c tells."""
    return [os.path.join(folder, "least"), role, str(port), case, ledger, *more]


def least_server(folder, port):
    return least(folder, "server", port, "epoll")


def least_server_on_libuv(folder, port):
    return least(folder, "server", port, "libuv", ledger="ledger")


COUNTED = {"least": r"^(\d+) connections", "soak-client": r"^([\d,]+) connections in", "openssl": r"^(\d+) connections in \d+ real",
           "tls-perf": r"HANDSHAKES (\d+)"}


def connections_of(program, output):
    found = re.search(COUNTED[program.name], output, re.M)
    count = int(found[1].replace(",", "")) if found else 0
    if not count:
        sys.exit(f"bench: {program.name} made no connections: {output.strip()[-500:]}")
    return count


def start_up(core, command):
    """CPU microseconds of a run that does next to nothing: what is no connection's."""
    return Pinned(core, command).end()[0]


def soak(folder, how):
    """soak-client, which leaves as `how` says."""
    return lambda port: (soak_client(folder, port, how, "--closed", "1", count=1), soak_client(folder, port, how))


def least_client(folder, how, way="step", ledger="bare"):
    def command(port, *count):
        return least(folder, "client", port, way, how, *count, ledger=ledger)
    return lambda port: (command(port, "1"), command(port))


def least_pair(folder, core, case, count, way):
    """CPU per connection of the least server and client together, both on that core, over `count` connections: by
    `epoll` or `libuv` each, and with the ledger."""
    port = free_port()

    def run(connections):
        how = {"case": case, "ledger": "ledger"}
        with serving(core, least(folder, "server", port, way, **how), port) as server:
            client = Pinned(core, least(folder, "client", port, way, "clean", str(connections), **how))
            cpu, output = client.end()
            made = connections_of(client, output)
            return cpu + server.end(signal.SIGTERM)[0], made
    (first, _), (cpu, made) = run(1), run(count)
    return (cpu - first) / made


def least_churn(folder, count, clients):
    """Connections per second of the least server and so many least clients, each of which has OPEN of them, on all
    processors: on libuv each and with the ledger, as the harness is."""
    port, anywhere = free_port(), ",".join(map(str, sorted(os.sched_getaffinity(0))))
    with serving(anywhere, least_server_on_libuv(folder, port), port):
        began = time.monotonic()
        running = [Pinned(anywhere, least(folder, "client", port, "libuv", "clean", str(count // clients),
                                          ledger="ledger")) for _ in range(clients)]
        made = sum(connections_of(client, client.end()[1]) for client in running)
        return made / (time.monotonic() - began)


def compare_clients(folder, one, other, seconds):
    """CPU per connection of the client `one` (soak, least_client), which goes on until it is ended, and of
    `other` (s_time, tls_perf). Each has a server of its own, and these the other core."""
    core, serving_core = cores()
    ports = [free_port(), free_port()]
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(serving(serving_core, soak_server(folder, port), port))
        (our_short, our_full), (short, full) = one(ports[0]), other(ports[1], seconds)
        before = start_up(core, our_short), start_up(core, short)
        ours, theirs = Pinned(core, our_full), Pinned(core, full)
        their_cpu, their_output = theirs.end()
        cpu, output = ours.end(signal.SIGTERM)
    return ((cpu - before[0]) / connections_of(ours, output),
            (their_cpu - before[1]) / connections_of(theirs, their_output))


def s_time(port, seconds):
    """Two commands: one that makes no connection, or one, and one for so long."""
    def command(to, time_s):
        return ["openssl", "s_time", "-new", "-tls1_3", "-connect", f"127.0.0.1:{to}", "-time", str(time_s)]
    return command(free_port(), 1), command(port, seconds)


def tls_perf(path):
    def commands(port, seconds):
        def command(*much):
            return [path, "-q", "-t", "1", "--tls", "1.3", *much, "127.0.0.1", str(port)]
        return command("-l", "1", "-n", "1"), command("-l", str(OPEN), "-T", str(seconds))
    return commands


def server_start_up(core, command, port):
    with serving(core, command, port) as server:
        return server.end(signal.SIGTERM)[0]


def compare_servers(folder, server, seconds):
    """CPU per connection of a server (soak_server, least), and of nginx with one worker. Both are sent the
    same: clients that say nothing and leave by close_notify."""
    core, other = cores()
    ports = [free_port(), free_port()]
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as here:
        make_certificate(here, "p256")
        commands = [server(folder, ports[0]), nginx_command(here, ports[1])]
        before = [server_start_up(core, *each) for each in zip(commands, ports)]
        with serving(core, commands[0], ports[0]) as ours, serving(core, commands[1], ports[1]) as theirs:
            clients = [Pinned(other, soak_client(folder, port, "clean", "--foreign")) for port in ports]
            time.sleep(seconds)
            counts = [connections_of(c, c.end(signal.SIGTERM)[1]) for c in clients]
            cpus = [server.end(signal.SIGTERM)[0] for server in (ours, theirs)]
    return tuple((cpu - first) / count for cpu, first, count in zip(cpus, before, counts))


def missing(options):
    """What can't be compared here, and why: {row: reason}."""
    reasons = {}
    if not shutil.which("openssl"):
        reasons["s_time"] = "the program openssl isn't installed (package openssl)"
    if not shutil.which("nginx"):
        reasons["nginx"] = "nginx isn't installed (package nginx)"
    if not options.tls_perf:
        reasons["tls-perf"] = "no --tls-perf PATH (github.com/tempesta-tech/tls-perf)"
    return reasons
