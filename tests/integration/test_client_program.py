# SPDX-License-Identifier: Apache-2.0
"""--client: a client program under the meter, and soak-server as its load."""

import os
import re
import shutil
import socket
import ssl
import sys
import threading
import unittest
from pathlib import Path

from patience import IN_VAIN, until
from soak_run import HAS_PROBE, NO_PROBE, SoakTest

CLIENTS = Path(__file__).parents[2] / "scenarios/clients"
SHORT = ("--closed", "200", "--conns", "1", "--seed", "7f3a")
# tests/servers/planter.c
PLANTER = os.path.join(os.environ["SOAK_BIN"], "libsoak-planter.so")
PLANTED_BYTES = 48
PERL_TLS = Path("/usr/share/perl5/IO/Socket/SSL.pm")
BEHAVIOURS = ["close", "reset", "fin", "close-first", "goaway", "no-ticket", "many-tickets", "many-names",
              "require-cert"]
# Loses a block of the process's own OpenSSL for each certificate of many names.
LOSES_WITH_MANY_NAMES = """
import ctypes, socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
path = next(line.split()[-1] for line in open("/proc/self/maps") if "/libcrypto" in line)
lose = ctypes.CDLL(path).CRYPTO_malloc
while True:
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as tls:
        if len(tls.getpeercert()["subjectAltName"]) > 9:
            lose(48, b"names.c", 1)
        try:
            tls.sendall(b"?")
            while tls.recv(100):
                pass
        except ConnectionResetError:
            pass
"""
# Has three of them open, now and then.
OPENS_THREE = """
import socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
def connect():
    return context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)
def end(tls):
    tls.sendall(b"?")
    while tls.recv(100):
        pass
    tls.close()
some = [connect() for _ in range(3)]
while some:
    end(some.pop())
while True:
    end(connect())
"""
# Goes as soon as it has come.
SAYS_NOTHING = """
import socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
while True:
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as tls:
        tls.unwrap()
"""
# One connection stays open, its own or that of whoever takes the file in which it says where the server is.
STAYS = """
import os, socket, ssl, sys, time
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
def connect():
    return context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)
first = connect() if "itself" in sys.argv else None
for where in (name for name in sys.argv[3:] if name != "itself"):
    with open(where + ".new", "w") as file:
        file.write(sys.argv[1])
    os.rename(where + ".new", where)
    while os.path.exists(where):
        time.sleep(0.01)
while True:
    with connect() as tls:
        tls.sendall(b"?")
        while tls.recv(100):
            pass
"""
# Has a pool of 8 connections, of which the oldest is used and replaced. Of each fourth a block is lost.
POOL = """
import ctypes, socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
path = next(line.split()[-1] for line in open("/proc/self/maps") if "/libcrypto" in line)
lose, pool, made = ctypes.CDLL(path).CRYPTO_malloc, [], 0
while True:
    pool.append(context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host))
    made += 1
    if sys.argv[3] == "leaks" and made % 4 == 0:
        lose(48, b"pool.c", 1)
    if len(pool) > 8:
        with pool.pop(0) as tls:
            tls.sendall(b"?")
            while tls.recv(100):
                pass
"""
# One connection after another; each tenth leaves a thread that never ends.
THREADS = """
import socket, ssl, sys, threading
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
made = 0
while True:
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as tls:
        tls.sendall(b"?")
        while tls.recv(100):
            pass
    made += 1
    if made % 10 == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
# Waits to be spoken to.
WAITS = """
import socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
tls = [context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) for _ in range(3)]
tls[0].recv(1)
"""


class JudgedTest(SoakTest):
    def client(self, command, *options):
        run = self.soak("--client", command, *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def judged(self, run):
        self.assertIsNone(run.result["broken"], run.explain())
        client, server = run.result["subjects"]
        self.assertEqual((client["name"], server["name"]), ("client", "server"))
        self.assertTrue(client["selfcheck"]["planted"]["found"], run.explain())
        return client

    def test_a_clean_one_passes(self):
        for tls in ("1.2", "1.3"):
            run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}", "--tls", tls)
            client = self.judged(run)
            self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
            blocks = {m["id"]: m for m in client["metrics"]}["openssl_blocks"]
            self.assertEqual((blocks["per_conn"], blocks["state"]), (0, "level"), run.explain())
            self.assertEqual(run.result["run"]["closed"], 200)
            self.assertIsNone(run.result["run"]["asked_per_s"])
            # Nobody times the handshakes of another program.
            self.assertIsNone(run.result["run"]["handshake_ns"]["histogram"])
            with open(os.path.join(run.folder, "report.html"), encoding="utf-8") as file:
                self.assertNotIn('id="handshakes"', file.read())

    def test_how_a_program_is_measured_can_be_chosen_for_it_too(self):
        run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}", "--settle", "200ms",
                          "--on-checkpoint", "touch {work}/looked", "--processes", "main", "--stop", "INT",
                          "--malloc-hooks")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual([p["flags"] for p in client["processes"]], ["malloc"], run.explain())
        self.assertEqual(os.listdir(os.path.join(run.folder, "work")), ["looked"])

    def test_a_process_that_has_another_connect_shows_nothing(self):
        program = "import ssl, subprocess, sys; ssl.create_default_context(); subprocess.call(sys.argv[1:])"
        run = self.client(f"{sys.executable} -c '{program}' {sys.executable} {CLIENTS}/conf/python_client.py "
                          "{address} {ca}", "--processes", "main")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertRegex(client["reasons"][0], r"^--processes main leaves out \S+ \(process \d+\), which holds ")

    def scenario(self, name, *options):
        """A run of one of scenarios/clients, which is named for its program."""
        if not shutil.which(f"{name}3" if name == "python" else name) or name == "perl" and not PERL_TLS.exists():
            self.skipTest(f"{name} is not installed (scripts/needs.txt)")
        if not HAS_PROBE:
            self.skipTest(NO_PROBE)
        run = self.soak(str(CLIENTS / f"{name}.soak"), *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def leaks(self, name, objects=1):
        """A block lost with each SSL object, of which a connection has so many, in the program's own
        OpenSSL."""
        run = self.scenario(name, "--env", f"LD_PRELOAD={PLANTER}", "--env", "PLANT=openssl:1:client")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        site = next(s for s in client["sites"] if s["file"] == "planted.c")
        self.assertEqual(site["kind"], "side-allocation-lost", run.explain())
        self.assertEqual(site["bytes"], PLANTED_BYTES * site["blocks"])
        self.assertAlmostEqual(site["per_conn_blocks"], objects, delta=0.05, msg=run.explain())

    def test_a_block_that_curl_loses_is_found(self):
        self.leaks("curl", objects=2)  # it makes one to look at its certificate

    def test_a_block_that_python_loses_is_found(self):
        self.leaks("python")

    def test_a_block_that_node_loses_is_found(self):
        self.leaks("node")

    def test_a_block_that_perl_loses_is_found(self):
        self.leaks("perl")

    def passes(self, name, behaviours):
        """Whatever the server does: all of it was done, and none failed."""
        run = self.scenario(name)
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual([b["name"] for b in client["behaviours"] if b["connections"]], behaviours, run.explain())

    def test_curl_passes(self):
        self.passes("curl", BEHAVIOURS)

    def test_perl_passes(self):
        self.passes("perl", [b for b in BEHAVIOURS if b != "goaway"])

    def test_a_leak_is_charged_to_what_the_server_does(self):
        script = Path(self.results, "client.py")
        script.write_text(LOSES_WITH_MANY_NAMES)
        run = self.client(f"{sys.executable} {script} {{address}} {{ca}}", "--server-mix",
                          "close,reset,many-names", "--cert-names", "30")
        client = self.judged(run)
        self.assertEqual(client["verdict"], "LEAK", run.explain())
        self.assertEqual({b["name"]: b["verdict"] for b in client["behaviours"]},
                         {"close": "innocent", "reset": "innocent", "many-names": "guilty"}, run.explain())
        self.assertEqual(client["behaviours"][2]["blocks"], 1, run.explain())

    def test_a_server_behaviour_that_never_happened_is_not_among_those_that_would_have_shown(self):
        script = Path(self.results, "mute.py")
        script.write_text(SAYS_NOTHING)
        for mix, seen in (("close,reset", ["close", "failed"]), ("reset", ["failed"])):
            run = self.client(f"{sys.executable} {script} {{address}} {{ca}}", "--server-mix", mix)
            rows = self.judged(run)["behaviours"]
            self.assertEqual([row["name"] for row in rows if row["connections"]], seen, run.explain())
            self.assertRegex(run.out, r"of each: (close|failed) \d+(, failed \d+)?\n", run.explain())

    def pool(self, *what):
        script = Path(self.results, "pool.py")
        script.write_text(POOL)
        run = self.client(" ".join([sys.executable, str(script), "{address}", "{ca}", *what]), "--conns", "8")
        return self.judged(run), run

    def test_a_pool_that_stays_open_over_checkpoints_passes(self):
        client, run = self.pool("clean")
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        blocks = {m["id"]: m for m in client["metrics"]}["openssl_blocks"]
        self.assertEqual((blocks["per_conn"], blocks["state"]), (0, "level"), run.explain())

    def test_a_block_that_each_fourth_connection_of_a_pool_loses_is_found(self):
        client, run = self.pool("leaks")
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        self.assertEqual([s["file"] for s in client["sites"]], ["pool.c"], run.explain())
        self.assertAlmostEqual(client["sites"][0]["per_conn_blocks"], 0.25, delta=0.05, msg=run.explain())

    def test_threads_that_never_end_are_no_pool_of_connections_that_it_never_had(self):
        """It has one open; 30 is what --conns would be."""
        script = Path(self.results, "threads.py")
        script.write_text(THREADS)
        run = self.soak("--client", f"{sys.executable} {script} {{address}} {{ca}}", "--closed", "200",
                        "--seed", "7f3a", "--malloc", "libc")
        client = self.judged(run)
        threads = next(metric for metric in client["metrics"] if metric["id"] == "threads")
        self.assertLess(threads["end"] - threads["start"], 30, run.explain())
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        self.assertIn("thread never ended", run.out, run.explain())

    def test_one_that_keeps_its_connections_open_and_says_nothing(self):
        script = Path(self.results, "waits.py")
        script.write_text(WAITS)
        run = self.client(f"{sys.executable} {script} {{address}} {{ca}}", "--watchdog", IN_VAIN)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(run.result["broken"], "while waiting for handshakes, with 3 open that say nothing "
                                               r"\(0 failed connections\)")

    def stays(self, *whose, options=()):
        """A run in which a connection stays open in silence; of whom that is, the report says."""
        script = Path(self.results, "stays.py")
        script.write_text(STAYS)
        run = self.client(" ".join([sys.executable, str(script), "{address} {ca}", *map(str, whose)]), *options)
        self.assertEqual(run.exit, 3, run.explain())
        said = re.fullmatch("an end of the connection that stays open in silence, of (.*): close it, or let "
                            "--idle-timeout do so", run.result["missing"] or "")
        self.assertIsNotNone(said, run.explain())
        return said[1], run

    def beside(self, stranger):
        """Runs it in a thread with the file that STAYS waits for. Returns the file, and this process as soak calls it."""
        where = Path(self.results, "where")
        thread = threading.Thread(target=stranger, args=(where,))
        thread.start()
        self.addCleanup(thread.join)
        name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
        return where, f"{name} (process {os.getpid()}), which isn't the client's"

    @staticmethod
    def address_in(where):
        host, port = until(lambda: where.exists() and where.read_text(encoding="utf-8")).split(":")
        return host, int(port)

    def connected_to(self, where):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(self.address_in(where)))

    def test_a_connection_that_stays_open_in_silence_is_named_with_whose_it_is(self):
        def stay(where):
            with self.connected_to(where) as tls:
                where.unlink()
                tls.recv(1)
        where, ours = self.beside(stay)
        self.assertEqual(self.stays("itself")[0], "the client itself")
        said, run = self.stays(where)
        self.assertEqual(said, ours)
        self.assertIn(f"soak: a connection to the server is of {said}; soak-server takes it for one of", run.err)

    def test_a_process_connected_to_that_port_of_another_address_is_not_taken_for_connected(self):
        ended = threading.Event()

        def stay(where):
            port = self.address_in(where)[1]
            with socket.create_server(("127.99.99.99", port)) as other, socket.create_connection(other.getsockname()):
                where.unlink()
                ended.wait()
        where, _ = self.beside(stay)
        self.addCleanup(ended.set)
        said, run = self.stays("itself", where)
        self.assertEqual(said, "the client itself")
        self.assertNotIn("a connection to the server is of", run.err)

    def test_a_process_that_was_connected_at_a_checkpoint_and_left_is_not_blamed_at_the_end(self):
        seen, looks = Path(self.results, "seen"), Path(self.results, "looks.sh")

        def come_and_go(where):
            with self.connected_to(where):
                where.unlink()
                until(seen.exists)
            seen.unlink()
        looks.write_text('n=$(cat "$1.n" 2>/dev/null); echo $((n + 1)) >"$1.n"\n'
                         '[ "$n" = 1 ] || exit 0\n'
                         'touch "$1"; while [ -e "$1" ]; do sleep 0.01; done\n')
        where, ours = self.beside(come_and_go)
        said, run = self.stays("itself", where, options=("--on-checkpoint", f"sh {looks} {seen}"))
        self.assertEqual(said, "the client itself")
        self.assertIn(f"a connection to the server is of {ours}", run.err)

    def test_a_process_that_the_client_has_left_behind_is_one_of_its_own(self):
        for name, text in (("stays.py", STAYS), ("leaves.sh", '(setsid "$1" "$2" "$4" "$5" itself &)\n'
                                                              'exec "$1" "$3" "$4" "$5"\n')):
            Path(self.results, name).write_text(text)
        run = self.client(f"sh {self.results}/leaves.sh {sys.executable} {self.results}/stays.py "
                          f"{CLIENTS}/conf/python_client.py {{address}} {{ca}}")
        self.assertGreater(run.result["run"]["conns"], 1, run.explain())
        self.assertNotIn("a connection to the server is of", run.err)

    def test_node_is_no_leak(self):
        run = self.scenario("node")  # its heap is too lively for a run so short
        self.assertNotEqual(self.judged(run)["verdict"], "LEAK", run.explain())

    def test_one_that_is_not_counted(self):
        run = self.client(f"/usr/bin/env -i {sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(run.result["broken"], "^nothing of the client's allocations is counted: it "
                                               r"\(process \d+\) was started with an environment of its own, without LD_PRELOAD")

    def test_a_process_for_each_connection_shows_nothing(self):
        script = Path(self.results, "again.sh")
        script.write_text("while :; do curl -s --cacert $2 -o /dev/null https://$1/; done\n")
        run = self.client(f"/bin/sh {script} {{address}} {{ca}}", "--closed", "100")
        # Which, depends on whether a curl was there to be counted when soak looked.
        self.assertIn((run.exit, run.result["verdict"]), ((3, "INCONCLUSIVE"), (4, "INVALID")), run.explain())
        self.assertRegex(" ".join(run.out.split()), "has ended since; one process has to stay|"
                                                    "no process of the client that makes connections lives long enough|"
                                                    "ledger counted nothing")

    def test_the_connections_that_it_had_open_are_told(self):
        one = f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}"
        script = Path(self.results, "client.py")
        script.write_text(OPENS_THREE)
        for command, most in ((one, 1), (f"{sys.executable} {script} {{address}} {{ca}}", 3)):
            run = self.client(command, "--conns", "4")
            self.judged(run)
            self.assertEqual(run.result["run"]["conns"], most, run.explain())
            self.assertRegex(" ".join(run.out.split()), rf"connections,? \(?{most} open")

    def test_one_that_ends_by_itself(self):
        run = self.client(f"{sys.executable} -c print(\"\") {{address}}")
        said = ("client exited with status 0 after 0 connections; it must connect again and again until it is told "
                "to end, or be run with --loop")
        self.assertRegex(run.result["broken"], f"^{said}; its log: .*/client.log$")
        self.assertIn(f"INVALID the run broke: {said} ", " ".join(run.out.split()))

    def test_one_that_dies(self):
        run = self.client(f"{sys.executable} -c import_nothing() {{address}}")
        self.assertRegex(run.result["broken"], "client exited with status 1 after 0 connections; it said: "
                                               "\"NameError: name 'import_nothing' is not defined\"")

    def test_mistakes_are_refused_before_anything_is_started(self):
        for options, said in (
                (("curl https://localhost/",), "nothing says where it is to connect: {address}, or {port}"),
                (("curl {address} {pid}",), "{pid} stands for nothing here"),
                (("curl {address}", "--client-auth", "require"), "--server-mix require-cert"),
                (("curl {address}", "--server-mix", "close,goaway"), "goaway needs --alpn h2"),
                (("curl {address}", "--server", "x"), "there is --server too; leave one of the two out"),
                (("curl {address}", "--mix", "reset", "--churn", "1/s"),
                 "--churn, --mix: soak's own client has this; leave it out with --client"),
                (("--server-mix", "reset"),
                 "to soak-client the server does as --mix says; it is for --client"),
                (("curl {address}", "--server-mix", "close=0"), "nothing would be done; give one a weight"),
                (("--cert-names", "5"), "has a meaning only with --client"),
                (("curl {address}", "--cert-names", "5", "--server-mix", "close,reset"),
                 "--cert-names 5: no certificate with many names is shown; give --server-mix many-names"),
                (("no-such-client {address}",), "--client: no-such-client: No such file or directory")):
            run = self.soak(*(() if options[0].startswith("--") else ("--client",)), *options)
            self.assertEqual((run.exit, run.folder), (2, None), run.explain())
            self.assertIn(said, run.err)


if __name__ == "__main__":
    unittest.main()
