# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a run: crashes, hangs, signals, limits. Nothing measured is lost, nothing is
called PASS, no child is left behind."""

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import termios
import unittest

import soak_run
from patience import until
from processes import (LIBTSAN_HANGS, children_of, gone, hangs_in_libtsan, is_cleaner, memory_group,
                       where_it_sleeps)

SCENARIOS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "scenarios")
BUSY = ("--conns", "20", "--churn", "300/s", "--seed", "7f3a")
QUICK = (*BUSY, *soak_run.RESUMED, "--churn", "max", "--closed", "1500")
# What no machine is silent for, however slow, and a test can wait for.
WATCHDOG = "10s"
LOOK_S, LOOKS = 5, 3  # seconds between looks at a process, and how many alike say that it hangs
PIPE_BYTES = 4096  # the smallest pipe: less than a document


def in_pipe(fd):
    """How many bytes nobody has read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


class Live(soak_run.SoakTest):
    """A run that goes on while the test does something to it."""

    def start(self, *options, before=None, out=subprocess.PIPE):
        # pylint: disable=subprocess-popen-preexec-fn # the test has one thread
        process = subprocess.Popen(self.command(*options), stdout=out,
                                   stderr=subprocess.PIPE, text=True, preexec_fn=before)
        self.addCleanup(self.stop, process)
        process.said = b""
        return process

    def stuck(self, process, what):
        """Fails with where a process sleeps that doesn't do what it should, and ends it."""
        where = where_it_sleeps(process.pid)
        process.kill()
        if soak_run.HAS_LIBTSAN and hangs_in_libtsan(where):
            self.skipTest(LIBTSAN_HANGS)
        self.fail(f"waited in vain for {what}\n{where}")

    def wait_said(self, process, text):
        """Waits until its stderr has the text."""
        end = process.stderr.fileno()

        def has_said():
            while select.select([end], [], [], 0)[0] and (more := os.read(end, 65536)):
                process.said += more
            return text.encode() in process.said or process.poll() is not None
        try:
            until(has_said, text)
        except AssertionError:
            self.stuck(process, text)
        self.assertIn(text, process.said.decode())

    def stop_at_once(self, process):
        """By two SIGINTs: the second comes when the first was heard, as two that come at once are one to the kernel."""
        process.send_signal(signal.SIGINT)
        self.wait_said(process, "once more stops at once")
        process.send_signal(signal.SIGINT)

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def samples(self, kind):
        folder = self.last()
        path = os.path.join(folder, "samples.jsonl") if folder else ""
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8") as f:
            return sum(f'"kind":"{kind}"' in line for line in f)

    def wait_checkpoints(self, count):
        until(lambda: self.samples("checkpoint") >= count, f"{count} checkpoints")

    def await_end(self, process, patience):
        """A build with libtsan is looked at meanwhile: its known hang would last as long as all patience."""
        hung = 0
        while True:
            part = min(LOOK_S, patience) if soak_run.HAS_LIBTSAN else patience
            try:
                return process.communicate(timeout=part)
            except subprocess.TimeoutExpired:
                patience -= part
                hung = hung + 1 if hangs_in_libtsan(where_it_sleeps(process.pid)) else 0
                if patience <= 0 or (soak_run.HAS_LIBTSAN and hung == LOOKS):
                    self.stuck(process, "its end")

    def finish(self, process, patience=soak_run.PATIENCE_S):
        process.out, process.err = self.await_end(process, patience)
        process.err = getattr(process, "said", b"").decode() + (process.err or "")
        completed = subprocess.CompletedProcess(process.args, process.returncode, process.out,
                                                process.err)
        return soak_run.Run(completed, self.last())

    def child(self, process, name):
        return until(lambda: children_of(process.pid).get(name), name)


class Crashes(Live):
    def test_killed_server_is_a_broken_run_with_a_sentence_and_a_result(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(4)
        os.kill(self.child(process, "soak-server"), signal.SIGKILL)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        said = " ".join((run.out + run.err).split())
        self.assertRegex(said, r"server exited with signal 9 \(SIGKILL\) after [\d,]+ connections")
        self.assertEqual(run.result["exit"], 4)
        self.assertGreaterEqual(len(run.checkpoints()), 4)
        self.assertNotEqual(run.result["verdict"], "PASS")
        self.assert_nothing_is_called_judged(run)

    def assert_nothing_is_called_judged(self, run):
        """What grew until then is told; no row of a run that broke is called level."""
        self.assertRegex(run.result["headline"], r"; until then OpenSSL blocks [\d,]+ → [\d,]+$")
        self.assertIn("not judged", run.out)
        for subject in run.result["subjects"]:
            states = {m["id"]: m["state"] for m in subject["metrics"]}
            self.assertIn("openssl_blocks", states)
            self.assertEqual(set(states.values()), {"not-judged"}, states)

    def test_killed_client_is_a_broken_run(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        os.kill(self.child(process, "soak-client"), signal.SIGKILL)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("client exited with signal 9", run.out + run.err)

    def test_hanging_server_is_ended_by_the_watchdog(self):
        process = self.start(*BUSY, "--watchdog", WATCHDOG)
        self.wait_checkpoints(2)
        server = self.child(process, "soak-server")
        os.kill(server, signal.SIGSTOP)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("nothing moved for", run.out + run.err)
        self.assertTrue(gone(server))

    def test_children_never_outlive_a_soak_killed_by_sigkill(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        pids = [self.child(process, "soak-server"), self.child(process, "soak-client")]
        process.kill()
        process.wait()
        for pid in pids:
            until(lambda p=pid: gone(p), f"process {pid} to end")


    def test_nor_does_the_footprint(self):
        # It waits for the end of its stdin, which never comes here, as it holds the other end too.
        starter = ("import socket, subprocess, sys, time\n"
                   "a, b = socket.socketpair()\n"
                   "p = subprocess.Popen(sys.argv[1:], stdin=b, pass_fds=[a.fileno()])\n"
                   "print(p.pid, flush=True)\n"
                   "time.sleep(3600)\n")
        program = os.path.join(soak_run.BIN, "soak-footprint")
        process = subprocess.Popen([sys.executable, "-c", starter, program, "--conns", "3"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, process)
        said = []
        while "done" not in said:
            said.append(process.stdout.readline().strip())
            self.assertTrue(said[-1], said)
        pid = next(int(line) for line in said if line.isdigit())
        self.addCleanup(Generations.kill, pid)
        self.assertFalse(gone(pid))
        process.kill()
        process.wait()
        until(lambda: gone(pid), "soak-footprint to end")


class MemoryLimit(Live):
    """A control group of the test's own, in which the kernel ends what needs too much."""

    BYTES = 256 << 20  # soak and its client need a third of it; each SSL object that stays 48 KB

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a sanitizer's memory is another")
    def test_what_grew_is_told_when_a_real_limit_ends_the_server(self):
        group = memory_group()
        if not group:
            self.skipTest("no control group with a memory limit can be made here")
        self.addCleanup(group.remove)
        group.limit(self.BYTES)

        def enter():
            with open(os.path.join(group.folder, "cgroup.procs"), "w", encoding="utf-8") as f:
                f.write("0")

        run = self.finish(self.start("--conns", "20", "--churn", "max", "--closed", "100000",
                                     "--keep-going", "--defect", "ssl-retained", before=enter))
        said = " ".join(run.out.split())
        self.assertIn("server was ended by the kernel's OOM killer at its memory limit after", said, run.explain())
        self.assertIn(run.result["verdict"], ("LEAK", "INVALID"))
        self.assertEqual(run.exit, 1 if run.result["verdict"] == "LEAK" else 4)


class Convictions(Live):
    """What was judged stands, whatever ends the run afterwards; a crash is told with its stack."""

    LEAKS = (*QUICK, "--closed", "3000", "--defect", "lost-state")

    def crash(self, *options):
        """A run whose server crashes when all has been measured."""
        script = os.path.join(self.results, "crash.sh")
        with open(script, "w", encoding="utf-8") as f:
            f.write("kill -SEGV $1\nsleep 3600\n")
        return self.soak(*options, "--on-drain", f"sh {script} {{pid}}",
                         env=soak_run.sanitizers_told(soak_run.UNCAUGHT))

    def test_a_leak_stands_beside_a_crash(self):
        run = self.crash(*self.LEAKS)
        self.assertEqual(run.exit, 1, run.explain())
        self.assertEqual((run.result["verdict"], run.result["exit"]), ("LEAK", 1))
        self.assertRegex(run.result["broken"],
                         r"^server exited with signal 11 \(SIGSEGV\) after [\d,]+ connections(, in \w+)?;"
                         r".* its log: /.*/server\.log$")
        self.assertRegex(" ".join(run.out.split()), r"signal 11 \(SIGSEGV\)")

    @unittest.skipUnless(soak_run.HAS_CRASH_STACKS, soak_run.NO_CRASH_STACKS)
    def test_a_crash_is_told_with_its_stack(self):
        run = self.crash(*self.LEAKS)
        self.assertRegex(run.result["broken"], r" after [\d,]+ connections, in \w+;")
        crash = run.result["crash"]
        self.assertEqual((crash["subject"], crash["signal"]), ("server", signal.SIGSEGV))
        self.assertTrue(any("server_run" in frame for frame in crash["stack"]), crash)
        self.assertIn("server_run", " ".join(run.out.split()))

    def test_beside_a_leak_a_program_of_a_run_that_broke_is_invalid(self):
        run = self.crash(*self.LEAKS)
        self.assertEqual({subject["name"]: subject["verdict"] for subject in run.result["subjects"]},
                         {"server": "LEAK", "client": "INVALID"}, run.explain())

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a sanitizer's runtime wants to be the first library")
    def test_a_leak_stands_beside_a_library_that_crashes_when_it_is_freed(self):
        library = os.path.join(soak_run.BIN, "libcrash-at-free.so")
        run = self.soak(*self.LEAKS, "--env", f"LD_PRELOAD={library}")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertEqual(run.result["verdict"], "LEAK")
        self.assertRegex(run.result["broken"], r"^server exited with signal 11 \(SIGSEGV\)")
        self.assertTrue(any("SSL_CTX_free" in frame for frame in run.result["crash"]["stack"]),
                        run.result["crash"])
        self.assertIn("SIGSEGV", " ".join(run.out.split("\n\n")[0].split()))

    def test_without_a_leak_it_is_invalid(self):
        run = self.crash(*QUICK)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID")
        self.assertIn("SIGSEGV", " ".join(run.out.split("\n\n")[0].split()))

    def test_a_leak_stands_beside_a_failing_command(self):
        run = self.soak(*self.LEAKS, "--on-drain", "false")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertIn("--on-drain", run.result["broken"])

    def test_no_crash_no_stack(self):
        run = self.soak(*self.LEAKS)
        self.assertEqual(run.exit, 1, run.explain())
        self.assertIsNone(run.result["crash"])


class Signals(Live):
    def test_first_sigint_judges_what_there_is(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(6)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertTrue(run.result["interrupted"])
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"))
        if run.result["verdict"] == "PASS":
            self.assertGreaterEqual(run.result["sensitivity"]["one_in"], 1)
        self.assertTrue(any(s["kind"] == "drained" for s in run.samples))

    def test_second_sigint_stops_at_once_and_keeps_the_files(self):
        process = self.start(*BUSY, "--churn", "50/s")
        self.wait_checkpoints(1)
        server = self.child(process, "soak-server")
        os.kill(server, signal.SIGSTOP)  # so that the epoch can't end by itself
        self.stop_at_once(process)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIsNotNone(run.result)
        self.assertTrue(gone(server))

    def test_a_signal_after_the_last_child_has_gone_loses_nothing(self):
        """What a connection costs is measured then; the run itself is whole, and written."""
        process = self.start(*QUICK, "--footprint")
        os.kill(self.child(process, "soak-footprint"), signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertRegex(run.out, r"^PASS +nothing grows")
        self.assertIn("footprint: interrupted", run.err)
        self.assertEqual((run.result["verdict"], run.result["interrupted"]), ("PASS", False))

    def test_a_signal_ends_a_run_whose_output_nobody_reads(self):
        """What was measured is kept before."""
        end, out = os.pipe()
        self.addCleanup(os.close, end)
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        process = self.start(*QUICK, "--json=-", out=out)
        os.close(out)
        until(lambda: in_pipe(end) == PIPE_BYTES or process.poll() is not None, "a full pipe")
        process.send_signal(signal.SIGTERM)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertEqual((run.result["verdict"], run.result["exit"]), ("PASS", 0))

    def assert_stops_at_once(self, number):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        process.send_signal(number)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIn("interrupted", run.out)
        self.assertTrue(run.result["interrupted"])
        self.assertGreaterEqual(len(run.checkpoints()), 2)

    def test_sigterm_stops_at_once_and_keeps_the_files(self):
        self.assert_stops_at_once(signal.SIGTERM)

    def test_sighup_of_a_closed_terminal_does_so_too(self):
        self.assert_stops_at_once(signal.SIGHUP)

    def test_sighup_that_the_caller_ignores_is_ignored(self):
        process = self.start(*BUSY, "--closed", "1500", before=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN))
        self.wait_checkpoints(2)
        process.send_signal(signal.SIGHUP)
        run = self.finish(process)
        self.assertEqual(run.exit, 0, run.explain())


class Stuck(Live):
    """A process that doesn't end fails its test, which says where it sleeps."""

    def command(self, *options):
        return ["sleep", "3600"]

    def test_what_does_not_end_is_told_with_where_it_sleeps_and_ended(self):
        process = self.start()
        with self.assertRaisesRegex(AssertionError, r"for its end\nwchan: .*\nsyscall: .*\nstatus: Name:(.*\n)*SigBlk:"):
            self.finish(process, patience=0)
        until(lambda: gone(process.pid), "its end")

    def test_the_known_hang_of_libtsan_is_a_read_of_a_pipe_with_all_signals_blocked(self):
        known = "wchan: anon_pipe_read\nsyscall: 0 0x4 0x7ffe 0x1\nstatus: Name:\tsoak\nSigBlk:\tfffffffe7ffbfeff\nSigIgn:\t0"
        self.assertTrue(hangs_in_libtsan(known))
        self.assertTrue(hangs_in_libtsan(known.replace("anon_pipe", "pipe")))
        self.assertFalse(hangs_in_libtsan(known.replace("pipe_read", "pipe_write")))
        self.assertFalse(hangs_in_libtsan(known.replace("fffffffe7ffbfeff", "0000000000004003")))


class Limits(Live):
    def test_port_in_use_is_one_sentence(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            run = self.soak(*BUSY, "--listen", f"127.0.0.1:{port}")
        self.assertEqual((run.exit, run.out), (2, ""), run.explain())
        self.assertEqual(run.err, f"soak: port {port} on 127.0.0.1 is in use; choose another with "
                                  "--listen 127.0.0.1:0\n")
        self.assertEqual(os.listdir(self.results), [])

    def test_what_openssl_refuses_is_refused_before_the_run(self):
        for options, said in (
                (("--groups", "X25519:X25519"), "--groups X25519:X25519: can't set the groups: "),
                (("--groups", "P-256:bogus"), "--groups P-256:bogus: can't set the groups: "),
                (("--ciphers", "AES128-SHA:bogus", "--tls", "1.2"),
                 "OpenSSL knows no cipher 'bogus'"),
                (("--ciphers", "TLS_BOGUS", "--tls", "1.3"), "can't set the cipher suites of TLS 1.3"),
                (("--ciphers", "AES128-SHA", "--tls", "1.2"),
                 "none of them goes with the server's key; give --key both")):
            run = self.soak(*BUSY, *options)
            self.assertEqual((run.exit, run.out), (2, ""), run.explain())
            self.assertRegex(run.err, rf"\Asoak: {options[0]} {options[1]}: .*\n\Z")
            self.assertIn(said, run.err)
            self.assertEqual(os.listdir(self.results), [])

    def test_a_mix_that_the_client_cannot_do_is_refused_before_the_run(self):
        check = subprocess.run([os.path.join(soak_run.BIN, "soak-client"), "--connect=127.0.0.1:1",
                                "--mix=group-ml-kem", "--check"], capture_output=True, text=True)
        if check.returncode == 0:
            self.skipTest("this OpenSSL can do every behaviour")
        run = self.soak(*BUSY, "--mix", "group-ml-kem")
        self.assertEqual((run.exit, run.out), (2, ""), run.explain())
        self.assertRegex(run.err, r"\Asoak: none of the behaviours asked for can be done here: "
                                  r"this OpenSSL has no X25519MLKEM768, .*\n\Z")
        self.assertEqual(os.listdir(self.results), [])

    def test_as_many_workers_as_are_allowed_work(self):
        run = self.soak("--conns", "64", "--churn", "max", "--closed", "3000", "--workers", "32",
                        "--client-workers", "32")
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())

    def test_unwritable_results_folder_is_refused_before_anything_starts(self):
        path = os.path.join(self.results, "file")
        with open(path, "w", encoding="utf-8"):
            pass
        process = subprocess.run([soak_run.SOAK, *BUSY, "--results", os.path.join(path, "runs")],
                                 capture_output=True, text=True, check=False,
                                 timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn(path, process.stderr)

    def test_low_descriptor_limit_is_one_sentence(self):
        command = " ".join(self.command("--conns", "1000", "--churn", "100/s"))
        process = subprocess.run(["bash", "-c", f"ulimit -n 512; exec {command}"],
                                 capture_output=True, text=True, check=False,
                                 timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn("ulimit", process.stderr)
        self.assertEqual(len(process.stderr.strip().splitlines()), 1)

    def test_descriptors_of_the_client_s_threads_count_too(self):
        for workers, exit_code in (("4", 2), ("1", 0)):
            command = " ".join(self.command("--conns", "300", "--churn", "max", "--closed", "1300",
                                            "--client-workers", workers))
            process = subprocess.run(["bash", "-c", f"ulimit -n 1024; exec {command}"],
                                     capture_output=True, text=True, check=False,
                                     timeout=soak_run.PATIENCE_S)
            if exit_code:
                self.assertEqual(process.returncode, exit_code, process.stderr)
                self.assertRegex(process.stderr, r"\Asoak: --conns 300 needs \d+ open files in one process and "
                                 r"the hard limit is 1024; .*or give --client-workers 1\n\Z")
            else:
                self.assertNotIn("are allowed", process.stderr + process.stdout)
                self.assertIn(process.returncode, (0, 3), process.stderr + process.stdout)

    def test_failing_handshakes_are_never_a_pass(self):
        run = self.soak(*BUSY, "--handshake-timeout", "1ms", "--watchdog", "5s", "--closed",
                        "2000", "--conns", "200", "--churn", "max")
        self.assertIn(run.exit, (3, 4), run.explain())
        self.assertNotEqual(run.result["verdict"], "PASS")

    def test_run_in_which_nearly_all_fail_ends_as_soon_as_it_cannot_become_valid(self):
        # A default of OpenSSL's that the server leaves alone: it asks for a certificate, and no
        # client has one.
        settings = os.path.join(self.results, "openssl.cnf")
        with open(settings, "w", encoding="utf-8") as f:
            f.write("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = peers\n"
                    "[peers]\nVerifyMode = Require\n")
        run = self.soak(*BUSY, "--mix", "clean", "--conns", "200", "--churn", "max", "--closed", "20000",
                        "--env", f"OPENSSL_CONF={settings}")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID")
        errors, first = run.result["run"]["errors"], run.result["first_failure"]
        self.assertGreater(errors["total"], 200, run.explain())
        self.assertLess(errors["total"], 10000, run.explain())
        self.assertRegex(run.result["broken"], r"^[\d,]+ of [\d,]+ connections failed, so that no "
                                               rf"verdict can come any more; the first, {first['behaviour']}: ")
        self.assertIn(first["text"], run.result["broken"])
        self.assertIn("connections failed", " ".join(run.out.split("\n\n")[0].split()))

    def test_run_folder_is_private(self):
        run = self.soak(*QUICK)
        self.assertEqual(stat.S_IMODE(os.stat(run.folder).st_mode), 0o700)
        for name in ("manifest.json", "samples.jsonl", "result.json", "server.log", "client.log"):
            mode = stat.S_IMODE(os.stat(os.path.join(run.folder, name)).st_mode)
            self.assertEqual(mode & 0o077, 0, name)


class Environment(Live):
    """Server and client run in a known environment, whatever the caller's is."""

    HOSTILE = {"MALLOC_CONF": "abort_conf:true,nonsense:1", "OPENSSL_CONF": "/nonexistent",
               "OPENSSL_MODULES": "/nonexistent", "LD_BIND_NOW": "1", "UV_USE_IO_URING": "1",
               "UV_THREADPOOL_SIZE": "64", "GLIBC_TUNABLES": "glibc.malloc.check=3",
               "MALLOC_ARENA_MAX": "1", "MALLOC_PERTURB_": "165"}

    def test_a_hostile_environment_changes_nothing_and_is_told(self):
        openssl_conf = os.path.join(self.results, "openssl.cnf")
        with open(openssl_conf, "w", encoding="utf-8") as file:
            file.write("openssl_conf = broken\n[broken]\nssl_conf = s\n[s]\nsystem_default = d\n"
                       "[d]\nMinProtocol = TLSv1.3\nGroups = nonsense\nCipherString = NONSENSE\n")
        keys = os.path.join(self.results, "keys")
        hostile = dict(self.HOSTILE, OPENSSL_CONF=openssl_conf, SSLKEYLOGFILE=keys)
        run = self.soak("--conns", "10", "--churn", "max", "--closed", "1500", "--tls", "1.2",
                        "--client-auth", "require", env=hostile)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertFalse(os.path.exists(keys))
        aside = run.manifest["environment"]["set_aside"]
        for name, value in hostile.items():
            self.assertEqual(aside.get(name), value, name)
        line = next(line for line in run.err.splitlines() if "set aside" in line)
        self.assertIn("MALLOC_CONF", line)

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a build without jemalloc has another allocator")
    def test_what_env_passes_on_arrives_and_is_in_the_manifest(self):
        run = self.soak("--conns", "5", "--churn", "max", "--closed", "100", "--env",
                        "MALLOC_CONF=abort_conf:true,nonsense:1", "--env", "OTHER=a b")
        self.assertEqual(run.exit, 2, run.explain())  # jemalloc says what it doesn't know, and aborts
        self.assertRegex(run.err, r"ended with signal 6; it said: .*jemalloc.*conf")
        path = os.path.join(self.results, "with.soak")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[server]\nenv = MALLOC_CONF=narenas:1\nenv = OTHER=a b\n")
        run = self.soak(path, "--conns", "5", "--churn", "max", "--closed", "100", "--env", "OTHER=c")
        self.assertEqual(run.manifest["environment"]["passed_on"],
                         {"MALLOC_CONF": "narenas:1", "OTHER": "c"}, run.explain())

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a sanitizer's runtime wants to be the first library")
    def test_a_preloaded_library_works_with_libc_s_malloc(self):
        run = self.soak("--conns", "5", "--churn", "max", "--closed", "300", "--malloc", "libc",
                        "--env", "LD_PRELOAD=libm.so.6")
        self.assertEqual(run.exit, 0, run.explain())


class Descriptors(Live):
    """Descriptors 0, 1 and 2 that are closed: no file of the run may take their place."""

    def test_any_of_them_closed(self):
        for closed in range(1, 8):
            fds = [fd for fd in range(3) if closed >> fd & 1]
            redirections = " ".join(f"{fd}>&-" for fd in fds)
            command = " ".join(self.command(*QUICK, "--closed", "500"))
            with self.subTest(closed=fds):
                process = subprocess.run(["bash", "-c", f"exec {command} {redirections}"],
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True, check=False, timeout=soak_run.PATIENCE_S)
                run = soak_run.Run(process, self.last())  # reads every line of samples.jsonl
                self.assertIn(run.exit, (0, 3), run.explain())
                self.assertEqual(run.result["exit"], run.exit)
                self.assertEqual(bool(run.out), 1 not in fds)
                self.assertEqual(bool(run.err), 2 not in fds)
                with open(os.path.join(run.folder, "server.log"), encoding="utf-8") as f:
                    self.assertEqual(f.read(), "")

    def test_the_other_programs(self):
        for name in ("soak-server", "soak-client", "soak-footprint"):
            command = f"exec {os.path.join(soak_run.BIN, name)} --version 0>&- 2>&-"
            process = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                                     check=False, timeout=soak_run.PATIENCE_S)
            self.assertEqual(process.returncode, 0, name)
            self.assertIn(name, process.stdout)


class Stack(Live):
    """A small limit of the stack is raised; where it can't be, one sentence says so."""

    NEEDS = r"^soak: the stack limit is \d+ KiB and 1024 KiB are needed; .*'ulimit -s \d+'$"
    # With 16 KiB the loader may die before the program begins, so its launcher looks first. With
    # less the launcher's own does.
    LAUNCHER = os.path.join(soak_run.ROOT, "soak")

    def limited(self, limit, program, *options):
        """Without the right to raise a hard limit."""
        command = " ".join([program, *options, "--results", self.results])
        enter = ["setpriv", "--bounding-set=-sys_resource"] if os.geteuid() == 0 else []
        return subprocess.run([*enter, "bash", "-c", f"ulimit {limit}; exec {command}"], text=True,
                              capture_output=True, check=False, timeout=soak_run.PATIENCE_S)

    def test_soft_limit_is_raised(self):
        for kib in (64, 256):
            process = self.limited(f"-Ss {kib}", soak_run.SOAK, *QUICK, "--workers", "2")
            self.assertEqual(process.returncode, 0, process.stdout + process.stderr)

    def test_hard_limit_is_one_sentence(self):
        for program in (soak_run.SOAK, self.LAUNCHER):
            process = self.limited("-s 64", program, *BUSY)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertRegex(process.stderr.strip(), self.NEEDS)

    def test_launcher_says_it_where_the_loader_could_not(self):
        process = self.limited("-s 32", self.LAUNCHER, *BUSY)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr.strip(), self.NEEDS)


class Addresses(Live):
    """IPv6 from end to end; it has one source address, whose ports must do."""

    def setUp(self):
        super().setUp()
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError as why:
                self.skipTest(f"this machine has no ::1: {why}")

    def test_ipv6_works_with_the_client(self):
        run = self.soak("--conns", "20", "--churn", "max", "--closed", "3000", "--listen", "[::1]:0")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())

    def test_a_server_by_hand_prints_what_a_client_can_be_given(self):
        with subprocess.Popen([os.path.join(soak_run.BIN, "soak-server"), "--listen=[::1]:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
            self.addCleanup(server.kill)
            line = server.stdout.readline()
            self.assertRegex(line, r"\Alistening on \[::1\]:[1-9][0-9]*\n\Z", line)
            address = line.split()[-1]
            client = self.program("soak-client", f"--connect={address}", "--closed=50", "--conns=5")
            self.assertEqual(client.returncode, 0, client.stdout + client.stderr)
            second = self.program("soak-server", f"--listen={address}")
            self.assertIn("is in use; choose another with --listen [::1]:0", second.stderr)
            server.terminate()
            server.communicate(timeout=soak_run.PATIENCE_S)

    def program(self, name, *options):
        return subprocess.run([os.path.join(soak_run.BIN, name), *options], capture_output=True,
                              text=True, timeout=soak_run.PATIENCE_S, check=False)


class Extensions(Live):
    """Every option value has its name wherever a run is told; and a scenario with most of them."""

    def test_both_keys_are_named(self):
        run = self.soak("--conns", "5", "--churn", "max", "--closed", "100", "--key", "both", "--tls",
                        "any")
        self.assertEqual((run.result["run"]["tls"], run.result["run"]["key"]), ("any", "both"))

    def test_the_scenario_of_extensions(self):
        run = self.soak(os.path.join(SCENARIOS, "features", "extensions.soak"), "--closed", "1000")
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())


class Drain(Live):
    def test_on_drain_command_gets_the_servers_pid(self):
        marker = os.path.join(self.results, "pid-{pid}")
        run = self.soak(*QUICK, "--on-drain", f"touch {marker}")
        self.assertEqual(run.exit, 0, run.explain())
        made = [n for n in os.listdir(self.results) if n.startswith("pid-")]
        self.assertEqual(len(made), 1)
        self.assertTrue(made[0][4:].isdigit())

    def test_failing_on_drain_command_is_a_broken_run(self):
        run = self.soak(*QUICK, "--on-drain", "false")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("--on-drain", run.out + run.err)

    # A command that starts another one, as scripts do: both must go. What they are is told by the
    # file that they are given.
    def slow_command(self):
        script = os.path.join(self.results, "slow.sh")
        with open(script, "w", encoding="utf-8") as f:
            f.write("sleep 3600 &\necho $$ $! > $1.new && mv $1.new $1\nwait\n")
        return script, os.path.join(self.results, "pids")

    def start_slow(self):
        script, pids = self.slow_command()
        process = self.start(*QUICK, "--on-drain", f"sh {script} {pids}")
        until(lambda: os.path.exists(pids), "the command")
        with open(pids, encoding="utf-8") as f:
            found = [int(word) for word in f.read().split()]
        for pid in found:
            self.addCleanup(Generations.kill, pid)
        return process, found

    def assert_all_gone(self, pids):
        for pid in pids:
            until(lambda p=pid: gone(p), f"process {pid} to end")

    def test_sigterm_ends_a_slow_command_with_all_that_it_started(self):
        for stop in (lambda process: process.send_signal(signal.SIGTERM), self.stop_at_once,
                     lambda process: process.send_signal(signal.SIGHUP)):
            process, pids = self.start_slow()
            stop(process)
            run = self.finish(process)
            self.assertEqual(run.exit, 130, run.explain())
            self.assertIsNotNone(run.result)
            self.assert_all_gone(pids)
            os.remove(os.path.join(self.results, "pids"))

    def test_sigkill_ends_a_slow_command_with_all_that_it_started(self):
        process, pids = self.start_slow()
        process.kill()
        process.wait()
        self.assert_all_gone(pids)

    def test_command_that_does_not_exist_is_told_before_anything_starts(self):
        plain = os.path.join(self.results, "plain")
        with open(plain, "w", encoding="utf-8"):
            pass
        for command in ("no-such-program {pid}", "/no/such/program", plain, self.results, " "):
            process = subprocess.run(self.command(*BUSY, "--on-drain", command), text=True,
                                     capture_output=True, check=False,
                                     timeout=soak_run.PATIENCE_S)
            self.assertEqual(process.returncode, 2, process.stdout + process.stderr)
            self.assertEqual(process.stdout, "")
            self.assertIn("--on-drain", process.stderr)
            self.assertEqual(os.listdir(self.results), ["plain"])


class Generations(Live):
    """A command that starts soak for its runs: when it dies, so do all below it."""

    def below(self, pid):
        """But for what outlives soak to remove its files."""
        found = {}
        for name, child in children_of(pid).items():
            if is_cleaner(child):
                continue
            found[name] = child
            found.update(self.below(child))
        return found

    @staticmethod
    def kill(pid):
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)

    def whole(self, process):
        """The pids of a run under way below the process; None: there is none yet."""
        self.assertIsNone(process.poll(), "it ended before it ran anything")
        found = self.below(process.pid)
        return found if {"soak", "soak-server", "soak-client"} <= found.keys() else None

    def stopped(self, process):
        """The same, of a run that stands still, so that none of them ends by itself."""
        found = self.whole(process) or {}
        done = []
        try:
            for pid in found.values():
                os.kill(pid, signal.SIGSTOP)
                done.append(pid)
        except ProcessLookupError:  # that run was over before
            for pid in done:
                os.kill(pid, signal.SIGCONT)
            return None
        return found

    def assert_ends_with(self, *words):
        process = subprocess.Popen([soak_run.SOAK, *words], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=self.results,
                                   env=dict(os.environ, TMPDIR=self.results,
                                            SOAK_ROOT=soak_run.ROOT))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        found = until(lambda: self.stopped(process), "a run")
        for pid in found.values():
            self.addCleanup(self.kill, pid)
        process.kill()
        process.wait()
        for name, pid in found.items():
            # One that was stopped before it could ask to die with its parent must get to see that this is gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            until(lambda p=pid: gone(p), f"{name} to end")

    def test_suite(self):
        self.assert_ends_with("suite", "smoke", "--results", self.results)

    def test_selftest(self):
        self.assert_ends_with("selftest")

    def test_calibrate(self):
        self.assert_ends_with("calibrate", "--runs", "8", "--closed", "1000")

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a build without jemalloc has one allocator")
    def test_compare(self):
        self.assert_ends_with("compare", "smoke", "--malloc", "jemalloc,libc", "--repeat", "1",
                              "--results", self.results)


if __name__ == "__main__":
    unittest.main(verbosity=2)
