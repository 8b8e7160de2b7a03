# SPDX-License-Identifier: Apache-2.0
"""--server with programs that go wrong: one sentence, a log that is kept, and nothing is left running."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from fixtures import free_port, make_certificate
from patience import PATIENCE_S, until, until_said, within_limits
from processes import children_named, family
from soak_run import Run, SoakTest

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign_programs.py")
RUN = ("--closed", "200", "--conns", "10", "--churn", "max", "--seed", "7f3a")


# A TLS server of Java alone: echoes. Its arguments are port, certificate and key.
JAVA = """
import java.io.*;
import java.net.InetAddress;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.*;
public class Echo {
    static PrivateKey key(String path) throws Exception {
        String text = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----|\\\\s", "");
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
    }
    static void echo(java.net.Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            System.err.println(e);
        }
    }
    public static void main(String[] args) throws Exception {
        var chain = CertificateFactory.getInstance("X.509").generateCertificates(new FileInputStream(args[1]));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("it", key(args[2]), new char[1], chain.toArray(new java.security.cert.Certificate[0]));
        var keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, new char[1]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        var listener = context.getServerSocketFactory().createServerSocket(Integer.parseInt(args[0]), 50,
                                                                           InetAddress.getByName("127.0.0.1"));
        while (true) {
            java.net.Socket socket = listener.accept();
            new Thread(() -> echo(socket)).start();
        }
    }
}
"""


class ForeignTest(SoakTest):
    def server(self, what, *options, command=None, connect=None):
        """Runs soak with a program that goes wrong; whatever comes of it, nothing stays."""
        mark = uuid.uuid4().hex
        line = command or f"{sys.executable} {PROGRAMS} {what} {{address}} {{cert}} {{key}}"
        where = ("--connect", connect) if connect else ()
        run = self.soak("--server", line, *where, "--env", f"SOAK_TEST_MARK={mark}", *RUN, *options)
        self.assertEqual(family(mark), [], run.explain())
        return run

    def broken(self, run):
        self.assertEqual(run.exit, 4, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID", run.explain())
        return run.result["broken"]

    def log(self, run):
        with open(os.path.join(run.folder, "server.log"), encoding="utf-8") as f:
            return f.read()


class WrongUseTest(ForeignTest):
    def test_one_that_dies_at_once(self):
        run = self.server("dies_at_once")
        self.assertRegex(self.broken(run), r"^server exited with status 3 before it was ready; it said: "
                                           r'"no such module"; its log: .*/server.log$')
        self.assertEqual(self.log(run), "no such module\n")

    def test_one_that_dies_later(self):
        run = self.server("dies_later", "--for", "1m", "--closed", "1000000")
        self.assertRegex(self.broken(run), r"^server exited with signal 11 \(SIGSEGV\) after [\d,]+ "
                                           r'connections; it said: "out of luck"; its log: ')

    def server_that_writes(self, what, seen=""):
        """One that isn't ready in time, has written a line by then, and of which soak has seen so much."""
        return within_limits(lambda limit: self.server(what, "--ready-timeout", limit),
                             lambda run: self.log(run) and seen in self.broken(run))

    def test_one_that_never_listens(self):
        run = self.server_that_writes("hangs")
        self.assertRegex(self.broken(run),
                         r"^server: nothing listened on 127.0.0.1:\d+ within \S+ \(--ready-timeout\); it "
                         r"listens on no port; its log: .*/server.log$")
        self.assertEqual(self.log(run), "thinking\n")

    def test_one_that_listens_elsewhere(self):
        run = self.server_that_writes("other_port", seen="it listens on 127.0.0.1")
        port = self.log(run).split()[-1]
        self.assertRegex(self.broken(run),
                         rf"within \S+ \(--ready-timeout\); it listens on 127.0.0.1:{port}; its log: ")

    def test_one_that_stops_its_guard(self):
        run = self.server_that_writes("stops_its_guard")
        self.assertRegex(self.broken(run), r"^server: nothing listened on .*\(--ready-timeout\)")

    def test_one_that_needs_a_terminal(self):
        run = self.server("needs_a_terminal")
        self.assertIn('server exited with status 1 before it was ready; it said: "stdin is not a '
                      'terminal"; its log: ', self.broken(run))

    def test_one_without_the_version_that_is_spoken(self):
        """What soak speaks by default is newer than what some servers do."""
        run = self.server("serves_older_versions")
        self.assertRegex(self.broken(run), r"a handshake failed: .*protocol version; --tls any takes what the server has$")
        self.assertIn("--tls any takes what the server has", " ".join(run.out.split()))
        run = self.server("serves_older_versions", "--tls", "any")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())

    def test_a_command_that_is_not_there(self):
        run = self.server("", command="no-such-server {port}")
        self.assertEqual(run.exit, 2, run.explain())
        self.assertEqual(run.err, "soak: --server: no-such-server: No such file or directory\n")
        self.assertIsNone(run.folder)

    def test_what_a_file_asks_for_and_is_not_there_is_told_with_its_line(self):
        path = os.path.join(self.results, "mine.soak")
        for lines, said in ((["server = no-such-server {port}"], "2: --server: no-such-server: No such file"),
                            (["template = nope.conf", "server = true"], "2: --template nope.conf: No such file")):
            with self.subTest(said):
                with open(path, "w", encoding="utf-8") as file:
                    file.write("\n".join(["[server]", *lines, ""]))
                run = self.soak("run", path)
                self.assertEqual(run.exit, 2, run.explain())
                self.assertTrue(run.err.startswith(f"soak: {path}:{said}"), run.err)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            run = self.server("serve", connect=f"127.0.0.1:{port}")
        self.assertEqual(run.exit, 2, run.explain())
        self.assertEqual(run.err, f"soak: --connect 127.0.0.1:{port}: something listens there already; end it, or "
                                  "give another port\n")
        self.assertIsNone(run.folder)


class CleanTest(ForeignTest):
    """What two runs of a server that does well show: a plain one, and one with a command of each kind."""

    @classmethod
    def setUpClass(cls):
        host = cls()  # whose folder both use
        host.setUp()
        cls.addClassCleanup(host.doCleanups)
        cls.plain = host.server("serve")
        cls.commanded = host.server("serve", "--on-checkpoint", "touch {work}/looked-{pid}", "--on-drain", "true")

    def test_a_clean_one_passes_with_its_meter_checked(self):
        run = self.plain
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"])
        self.assertEqual(run.metric("openssl_blocks")["per_conn"], 0)
        self.assertGreater(run.metric("openssl_blocks")["end"], 1000)
        self.assertTrue(all(c["still"] for c in run.checkpoints()))

    def test_a_cache_that_is_expected_is_no_leak_while_it_fills(self):
        run = self.server("keeps_a_cache", "--settle", "50ms", "--closed", "300", "--expect-cache", "400")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertRegex(run.subject()["reasons"][0], r": 2\d\d of the 400 entries of --expect-cache; full after ")

    def test_a_cache_that_is_expected_and_full_passes(self):
        run = self.server("keeps_a_cache", "--settle", "50ms", "--closed", "1000", "--expect-cache", "400")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())

    def test_its_process_is_told_with_how_it_is_counted(self):
        run = self.plain
        process, = run.subject()["processes"]
        self.assertEqual((process["mode"], process["flags"], process["verdict"], process["ssl_objects"]),
                         ("set_mem_functions", "", "PASS", 10), process)
        self.assertIn("libcrypto.so", process["libcrypto"])
        self.assertEqual(process["blocks_end"], run.metric("openssl_blocks")["end"])
        self.assertRegex(run.out, r"(?s)counted +each block of OpenSSL's by set_mem_functions; not\s+seen: ")

    def test_a_command_before_each_sample_and_one_on_drain(self):
        """What frees on drain is measured afterwards, and before that the checkpoint's command runs."""
        self.assertEqual(self.commanded.result["verdict"], "PASS", self.commanded.explain())
        written = os.listdir(os.path.join(self.commanded.folder, "work"))
        self.assertEqual([name.rsplit("-", 1)[0] for name in written], ["looked"])

    def test_keys_go_and_what_the_program_wrote_stays(self):
        process, = self.commanded.subject()["processes"]
        self.assertEqual(os.listdir(os.path.join(self.commanded.folder, "work")), [f"looked-{process['pid']}"])
        self.assertFalse(os.path.exists(os.path.join(self.plain.folder, "work")))


class JudgedTest(ForeignTest):
    HELD = ("--tls", "1.3", "--operate", "key-update", "--say", "hello")

    def reasons(self, run):
        return " ".join(run.subject()["reasons"])

    def test_operations_on_held_connections_are_counted_for_it(self):
        run = self.server("serve", *self.HELD)
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"])

    def test_what_grows_with_each_operation_leaks(self):
        run = self.server("keeps_each_message", *self.HELD)
        self.assertEqual(run.result["verdict"], "LEAK", run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"])
        self.assertIn("object retained: 136.00 bytes in 1.0000 blocks per operation", self.reasons(run))
        self.assertIn("kept per operation in BIO objects", run.out)

    def test_the_one_of_several_processes_that_leaks_is_told(self):
        run = self.server("one_of_three_leaks", "--closed", "600")
        self.assertEqual((run.exit, run.result["verdict"]), (1, "LEAK"), run.explain())
        site = run.subject()["sites"][0]
        self.assertEqual((site["file"], site["line"], site["kind"]), ("planted.c", 7, "side-allocation-lost"))
        processes = run.subject()["processes"]
        self.assertEqual(len(processes), 3, processes)
        leaking = [p for p in processes if p["verdict"] == "LEAK"]
        self.assertEqual([p["survivors"] > 5 for p in leaking], [True], processes)
        self.assertEqual([p["survivors"] for p in processes if p not in leaking], [0, 0], processes)
        self.assertIn(f"{leaking[0]['name']} {leaking[0]['pid']} ({leaking[0]['survivors']} blocks kept)",
                      " ".join(run.out.split()))

    def test_the_processes_that_are_judged_can_be_chosen(self):
        """The leaking one is the program itself; the others have been given a name. Which of them takes a
        connection is chance, so that a table of theirs may grow late: of them only the leak is asked."""
        for which, leaks in (("main", True), ("worker", False)):
            with self.subTest(which):
                run = self.server("one_of_three_leaks", "--closed", "600", "--processes", which)
                self.assertEqual(run.result["verdict"] == "LEAK", leaks, run.explain())
                self.assertEqual(any(site["file"] == "planted.c" for site in run.subject()["sites"]), leaks,
                                 run.explain())
                self.assertTrue(run.subject()["selfcheck"]["ok"], run.subject()["selfcheck"])
                self.assertGreater(run.metric("openssl_blocks")["end"], 0)

    def test_processes_that_hold_no_connection_show_nothing(self):
        """A master is as level as can be, whatever its worker loses."""
        run = self.server("serves_by_a_worker", "--closed", "400", "--processes", "main")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        judged, left_out = run.subject()["processes"]
        self.assertEqual([p["left_out"] for p in (judged, left_out)], [False, True], run.explain())
        self.assertIn(f"--processes main leaves out {left_out['name']} (process {left_out['pid']}), which holds "
                      "connections; --processes all judges it too", self.reasons(run))
        said = " ".join(run.out.split())
        self.assertIn("in 1 of 2 processes, by --processes main, by set_mem_functions", said)
        self.assertIn("missing a run of all its processes: --processes all", said)

    def test_a_process_that_serves_and_is_not_counted_lets_nothing_pass(self):
        run = self.server("serves_half_by_one_without_the_probe", "--closed", "400")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertRegex(self.reasons(run), r"^\S+ \(process \d+\) holds connections, and nothing of it is counted")
        self.assertIn("that is counted: it was started with an environment of its own", run.result["missing"])

    def test_processes_that_are_not_there_are_told_with_those_that_are(self):
        run = self.server("one_of_three_leaks", "--processes", "nginx")
        self.assertRegex(self.broken(run), r"^--processes nginx: none that is counted; there is \S+, worker$|"
                                           r"^--processes nginx: none that is counted; there is worker, \S+$")

    def test_a_main_process_that_has_gone_to_the_background_is_told(self):
        run = self.server("daemonises_with_a_worker", "--processes", "main")
        self.assertRegex(self.broken(run), r"^--processes main: none that is counted; there is \S+; the program that was "
                                           r"started has ended: let it stay in the foreground$")

    def test_one_that_never_rests_has_no_steady_state(self):
        # What gets no processor for as long as that rests, too.
        run = within_limits(lambda limit: self.server("never_rests", "--settle", limit, "--closed", "40"),
                            lambda run: not any(c["still"] for c in run.checkpoints()), ("100ms", "1s"))
        self.assertEqual(run.result["verdict"], "INCONCLUSIVE", run.explain())
        self.assertRegex(self.reasons(run), r"NO STEADY STATE: \d+ blocks were made and \d+ freed in")
        self.assertFalse(any(c["still"] for c in run.checkpoints()))

    def test_one_that_computes_has_no_steady_state(self):
        # The kernel adds what it waited for a processor once it has got one.
        run = within_limits(lambda limit: self.server("keeps_busy", "--settle", limit, "--closed", "40"),
                            lambda run: run.result["verdict"] == "INCONCLUSIVE", ("500ms", "2s"))
        self.assertEqual(run.result["verdict"], "INCONCLUSIVE", run.explain())
        self.assertRegex(self.reasons(run), r"NO STEADY STATE: it wants \d+ % of a processor with nothing")

    def test_what_ended_processes_lost_is_not_held_against_the_meter(self):
        run = self.server("works_by_forks", "--no-close-notify", "0")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        check = run.subject()["selfcheck"]
        self.assertEqual((check["ok"], check["sentence"]),
                         (None, "the process that lost a block on purpose has ended since"))

    def test_one_with_more_processes_than_the_probe_has_places_for_does_not_pass(self):
        run = self.server("has_more_processes_than_places", "--ready-timeout", "5m")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertEqual(run.subject()["reasons"][0],
                         "the program had more processes and threads at a time than the probe has places for: "
                         "what those that ended held still counts")

    def test_one_that_does_not_load_the_probe_is_not_judged(self):
        run = self.server("", command=f"env -i {sys.executable} {PROGRAMS} serve {{address}} {{cert}} {{key}}")
        self.assertRegex(self.broken(run),
                         r"^nothing of the server's allocations is counted: \S+ \(process \d+\) was started "
                         r"with an environment of its own, without LD_PRELOAD and SOAK_PROBE; let them "
                         r"through; soak help servers$")

    def test_one_that_executes_another_without_the_probe_in_its_place_is_not_judged(self):
        run = self.server("starts_anew_without_its_environment")
        self.assertRegex(self.broken(run), r"the server's figures are old: python3\S* \(process \d+\) has executed "
                                           "another program in its place, which was started with an environment of "
                                           "its own, without LD_PRELOAD and SOAK_PROBE; let them through")

    def test_one_that_another_without_the_probe_replaces_is_not_judged(self):
        third = "sh -c 'n=$(ls {work} | grep -c ^n); touch {work}/n$n; test $n -ne 3 || kill -USR1 {pid}'"
        run = self.server("upgrades", "--on-checkpoint", third)
        self.assertRegex(self.broken(run),
                         r"^at the run's end nothing of the server's allocations is counted: \S+ \(process \d+\) was "
                         r"started with an environment of its own, without LD_PRELOAD and SOAK_PROBE; let them "
                         r"through; soak help servers$")

    def test_the_tls_of_a_jvm_is_not_judged_and_has_no_use_for_malloc_hooks(self):
        if not shutil.which("javac"):
            self.skipTest("SKIP: javac is not installed: openjdk-17-jdk-headless")
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "Echo.java")
            with open(source, "w", encoding="ascii") as f:
                f.write(JAVA)
            run = self.server("", "--ready-timeout", "5m", command=f"java {source} {{port}} {{cert}} {{key}}")
        self.assertRegex(self.broken(run),
                         r"^nothing of the server's allocations is counted: java \(process \d+\) is a JVM without a "
                         r"libcrypto of OpenSSL: what its own TLS \(JSSE\) keeps is on the Java heap, where soak "
                         r"doesn't look; netty-tcnative and the like are counted; soak help servers$")

    def preloads_jemalloc(self, *options, **more):
        """With a malloc that stands before the probe's."""
        folder = subprocess.run(["pkg-config", "--variable=libdir", "jemalloc"], capture_output=True, text=True,
                                check=True).stdout.strip()
        run = self.server("serve", *options, "--malloc-hooks", "--env", f"LD_PRELOAD={folder}/libjemalloc.so.2", **more)
        self.assertEqual(self.broken(run),
                         "nothing of the server's calls of malloc is counted: the probe is loaded, and malloc is the "
                         "program's own, another preloaded library's, or that of a tool such as valgrind")

    def test_one_whose_malloc_is_not_the_probes_is_not_judged(self):
        if not shutil.which("gnutls-serv"):
            self.skipTest("SKIP: gnutls-serv is not installed (gnutls-bin)")
        command = "gnutls-serv --echo -p {port} --x509certfile {cert} --x509keyfile {key} --quiet"
        say = ("--say", r"hello\n", "--answer", "hello", "--closed", "20", "--conns", "1", "--mix", "clean")
        self.preloads_jemalloc(*say, command=command)
        run = self.server("", *say, "--malloc-hooks", command=command)
        self.assertNotEqual(run.result["verdict"], "INVALID", run.explain())

    def test_nor_is_one_whose_openssl_alone_is_counted_then(self):
        self.preloads_jemalloc()

    def test_one_that_another_user_runs_is_not_judged(self):
        if os.geteuid() != 0:
            self.skipTest("SKIP: only root can start a process as another user")
        python = shutil.which("python3", path="/usr/bin")
        reads = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "cat", python or "/", PROGRAMS,
                                os.environ["SOAK_BIN"] + "/soak"], capture_output=True)
        if reads.returncode:
            self.skipTest("SKIP: another user can't read this folder, or there is no /usr/bin/python3")
        with tempfile.TemporaryDirectory() as folder:
            certificate = make_certificate(folder, "anybody")
            os.chmod(folder, 0o755)
            os.chmod(certificate, 0o644)
            start = "import subprocess, sys; subprocess.run(sys.argv[1:], user=65534, close_fds=True)"
            run = self.server("", command=f"{python} -c '{start}' {python} {PROGRAMS} serve "
                                          f"{{address}} {certificate} {certificate}")
        self.assertRegex(self.broken(run),
                         "nothing of the server's allocations is counted: python3.* has the probe loaded, and it "
                         "can't reach its page, which is open to soak's user alone; let it run as that user, or "
                         "soak as the program's")

    def limited(self, limit):
        """Runs one that comes with a limit. busybox is static: what it sets no probe sees."""
        return self.server("", command=f"busybox sh -c 'ulimit {limit}; exec {sys.executable} {PROGRAMS} serve "
                                       "{address} {cert} {key}'")

    def test_one_without_room_for_the_page_is_not_judged(self):
        for limit, sentence in (("-v 900000", "address space for its page \\(RLIMIT_AS\\); let it have 2 GiB: ulimit -v 2097152"),
                                ("-d 900000", "memory for its tables \\(RLIMIT_DATA\\); let it have 1 GiB: ulimit -d 1048576")):
            with self.subTest(limit):
                self.assertRegex(self.broken(self.limited(limit)),
                                 "nothing of the server's allocations is counted: python3.* has the probe loaded, "
                                 f"and too little {sentence}")

    def test_one_that_limits_itself_is_judged_as_any_other(self):
        run = self.server("", command=f"prlimit --as=600000000 --data=600000000 {sys.executable} {PROGRAMS} serve "
                                      "{address} {cert} {key}")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())

    def test_one_in_a_namespace_of_its_own_is_not_judged(self):
        if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
            self.skipTest("SKIP: unshare(1) may not make a PID namespace here")
        run = self.server("", command=f"unshare --pid --fork --kill-child {sys.executable} {PROGRAMS} serve "
                                      "{address} {cert} {key}")
        self.assertEqual(self.broken(run),
                         "a process of the program is in a PID or time namespace of its own (a container, "
                         "unshare), where it can't be told when one ends; start it without")


class RunningTest(SoakTest):
    """A server that runs already: churned, never judged, and left as it is."""

    def setUp(self):
        super().setUp()
        self.certificate = make_certificate(self.results, "localhost")
        self.serve("serve")

    def serve(self, what):
        self.address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            [sys.executable, PROGRAMS, what, self.address, self.certificate, self.certificate])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        until(self.is_listening, "it listens")

    def is_listening(self):
        host, port = self.address.split(":")
        with socket.socket() as s:
            return s.connect_ex((host, int(port))) == 0

    def test_it_is_churned_and_not_judged(self):
        run = self.soak("--connect", self.address, *RUN)
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertEqual(run.subject()["reasons"],
                         ["--connect alone makes load: the server's memory isn't looked at"])
        self.assertRegex(run.out, r"^INCONCLUSIVE  nothing can be judged over [\d,]+ connections")
        self.assertNotIn("per connection", run.out)
        self.assertGreaterEqual(run.result["run"]["closed"], 200)
        self.assertEqual((run.result["next"], run.result["missing"]),
                         ([], "a server that soak itself starts, by --server; soak help servers"))
        self.assertIsNone(self.process.poll())

    def test_its_process_is_looked_at_from_outside(self):
        run = self.soak("--connect", self.address, "--pid", str(self.process.pid), *RUN)
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertEqual(run.subject()["reasons"],
                         [f"process {self.process.pid} is seen from outside only, which shows no block"])
        self.assertGreater(run.metric("rss")["end"], 1 << 20)
        self.assertIsNone(self.process.poll())

    def test_the_report_has_what_was_seen_of_its_process_and_of_nothing_else(self):
        run = self.soak("--connect", self.address, "--pid", str(self.process.pid), *RUN)
        self.assertRegex(run.out, r"^INCONCLUSIVE  nothing can be judged over [\d,]+ connections")
        table = re.findall(r"(?m)^  (\S+(?: \S+)?)  +[\d.]+(?: [KMG]iB)?  .*  not judged$", run.out)
        self.assertEqual(table, ["RSS", "open files", "threads"], run.explain())
        self.assertRegex(run.err, r"(?m)^soak: .* measuring, .*, errors 0, RSS [\d.]+ MiB")
        with open(os.path.join(run.folder, "report.html"), encoding="utf-8") as file:
            sections = {part.partition('"')[0]: part for part in file.read().split('<section id="')[1:]}
        for section in ("growth-0", "time"):
            self.assertIn(">RSS</", sections[section])
            self.assertNotIn("OpenSSL", sections[section])
            self.assertNotIn("heap", sections[section])

    def test_one_whose_end_comes_during_the_run_is_told_as_that(self):
        """Not by the failures that come of it; and nothing of it was counted until then."""
        self.serve("dies_later")
        run = self.soak("--connect", self.address, "--pid", str(self.process.pid), *RUN, "--closed", "100k")
        self.assertEqual((run.exit, run.result["verdict"]), (4, "INVALID"), run.explain())
        self.assertRegex(run.result["broken"], rf"^the process of --pid, \S+ \(process {self.process.pid}\), has ended$")
        self.assertNotIn("OpenSSL", run.out)

    def test_one_that_serves_nothing_is_told_with_the_one_that_does(self):
        run = self.soak("--connect", self.address, "--pid", str(os.getpid()), *RUN)
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        reason, = run.subject()["reasons"]
        self.assertRegex(reason, rf"^process {os.getpid()}, which is seen from outside, holds none of the connections: "
                                 rf"\S+ \(process {self.process.pid}\) does$")

    def test_one_that_is_not_there_is_told(self):
        self.process.kill()
        self.process.wait()
        run = self.soak("--connect", self.address, *RUN)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn(f"soak: --connect {self.address}: Connection refused; start the server, or let "
                      "--server COMMAND do it", run.err)


class HiddenTest(ForeignTest):
    """Soak may not see what some of the processes have open, as root in a container whose server has workers of
    another user."""

    def command(self, *options):
        enter = ["setpriv", "--bounding-set=-sys_ptrace"] if os.geteuid() == 0 else []
        return [*enter, *super().command(*options)]

    def test_a_counted_one_that_hides_its_connections_passes_beside_one_that_is_not_counted(self):
        line = f"sh -c '{sys.executable} {PROGRAMS} serves_hidden {{address}} {{cert}} {{key}}; true'"
        run = self.server("", command=line)
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())

    def test_processes_that_are_judged_anyway_are_not_advised(self):
        run = self.server("serves_by_a_hidden_one_without_the_probe")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertEqual(run.subject()["reasons"][0],
                         "no process that is counted and judged holds one of the connections")
        self.assertEqual(run.result["missing"],
                         "a run in which the process that holds them is counted; soak help servers")


class StaysTest(ForeignTest):
    """Programs that would stay, were they not found."""

    def test_a_daemon(self):
        run = self.server("daemonise")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"], run.explain())

    def test_a_daemon_that_hands_over_to_another(self):
        run = self.server("hands_over")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertIn("told to end\n", self.log(run))

    def test_one_that_ignores_the_signal(self):
        before = time.monotonic()
        run = self.server("ignores_term")
        self.assertIsNotNone(run.result, run.explain())
        self.assertGreater(time.monotonic() - before, 5)

    def test_one_with_a_family(self):
        self.assertIsNotNone(self.server("has_a_family").result)

    def test_one_that_prints_megabytes(self):
        run = self.server("prints_megabytes")
        text = self.log(run)
        self.assertLess(len(text), (1 << 20) + (1 << 16) + 100)
        self.assertRegex(text, r"\n\[soak left out \d+ bytes here, of \d+\]\n")

    def test_one_that_signals_its_whole_group(self):
        run = self.server("signals_its_group")
        self.assertIsNone(run.result["broken"], run.explain())

    def interrupted(self, *signals, what="daemonise"):
        """Sends each signal, or does that, once the server has been connected to. The run, and the mark."""
        mark = uuid.uuid4().hex
        line = f"{sys.executable} {PROGRAMS} {what} {{address}} {{cert}} {{key}}"
        process = subprocess.Popen(
            self.command("--server", line, "--env", f"SOAK_TEST_MARK={mark}", *RUN, "--for", "10m",
                         "--closed", "100000000"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until_said(process.stderr, "measuring")
        for number in signals:
            if callable(number):
                number(process)
            else:
                process.send_signal(number)
            time.sleep(0.1)
        process.stdout, process.stderr = process.communicate(timeout=PATIENCE_S)
        return process, mark

    def assert_gone(self, mark):
        until(lambda: not family(mark), "none is left running")

    def test_ctrl_c(self):
        process, mark = self.interrupted(signal.SIGINT)
        self.assertEqual(family(mark), [])
        self.assertEqual(Run(process, self.last()).exit, 130)

    def test_ctrl_c_ends_a_command_that_hangs(self):
        """The fifth one: what was measured before it is judged and kept."""
        mark = uuid.uuid4().hex
        hang = "sh -c 'n=$(ls {work} | grep -c ^n); touch {work}/n$n; test $n -lt 4 || exec sleep 600'"
        with subprocess.Popen(
                self.command("--server", f"{sys.executable} {PROGRAMS} serve {{address}} {{cert}} {{key}}",
                             "--on-checkpoint", hang, *RUN, "--closed", "100000", "--watchdog", "10m"),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=dict(os.environ, SOAK_TEST_MARK=mark)) as process:
            until(lambda: any(self.comm(pid) == "sleep" for pid in family(mark)), "it sleeps")
            process.send_signal(signal.SIGINT)
            ended = subprocess.CompletedProcess(None, None, *process.communicate(timeout=PATIENCE_S))
        ended.returncode = process.returncode
        run = Run(ended, self.last())
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIn("ending the command", run.err)
        self.assertEqual(len(run.checkpoints()), 4)
        self.assertGreater(run.result["run"]["closed"], 100, run.explain())
        self.assertEqual(family(mark), [])

    def comm(self, pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                return f.read().strip()
        except OSError:
            return None

    def test_ctrl_c_twice(self):
        process, mark = self.interrupted(signal.SIGINT, signal.SIGINT)
        self.assertEqual(family(mark), [])
        self.assertEqual(process.returncode, 130)

    def without_its_guard(self, what):
        """soak ends all the same, and says what happened: the mark."""
        def kill_guard(process):
            for pid in children_named(process.pid, "soak-guard"):
                os.kill(pid, signal.SIGKILL)
        process, mark = self.interrupted(kill_guard, what=what)
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in family(mark)])
        self.assertEqual(process.returncode, 4, process.stderr)
        return mark

    def test_the_end_of_its_guard(self):
        self.assert_gone(self.without_its_guard("leaves_one_in_its_group"))

    def test_the_end_of_its_guard_while_one_prints_for_ever(self):
        self.without_its_guard("leaves_one_that_prints")

    def test_the_end_of_soak_itself(self):
        _, mark = self.interrupted(signal.SIGKILL)
        self.assert_gone(mark)


if __name__ == "__main__":
    unittest.main()
