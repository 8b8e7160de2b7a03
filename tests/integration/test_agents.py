# SPDX-License-Identifier: Apache-2.0
"""A run whose load comes from agents, here on this machine: exact counts over all of them, one verdict, an
agent that is lost, and strangers at both ends of the channel."""

import hashlib
import hmac
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

import soak_run
import test_robust
from patience import IN_VAIN, LIMITS, PATIENCE_S, until, within_limits
from processes import children_named

LOAD = ("--conns", "40", "--churn", "max", "--seed", "7f3a")
NGINX = os.path.join(soak_run.ROOT, "scenarios", "servers", "nginx.soak")
TOKEN = "0123456789abcdef0123456789abcdef"


class Agents(test_robust.Live):
    """Runs on 127.0.0.1, at a port of the kernel's choice."""

    def setUp(self):
        super().setUp()
        self.token = os.path.join(self.results, "token")
        with open(self.token, "w", encoding="ascii") as f:
            f.write(TOKEN + "\n")
        os.chmod(self.token, 0o600)

    def begin(self, count, *options, token=True):
        """A run that waits for its agents; its stderr is a file, which says where."""
        self.said = os.path.join(self.results, "stderr")
        given = ("--token-file", self.token) if token else ()
        with open(self.said, "w", encoding="utf-8") as f:
            process = subprocess.Popen(
                self.command("run", *LOAD, "--agents", str(count), "--agents-listen", "127.0.0.1:0", *given, *options),
                stdout=subprocess.PIPE, stderr=f, text=True, env=soak_run.defect_environment(options))
        self.addCleanup(self.stop, process)
        self.run_process = process
        return process

    def stderr(self):
        with open(self.said, encoding="utf-8") as f:
            return f.read()

    def where(self):
        def told():
            ended = self.run_process.poll() is not None
            said = re.search(r"soak agent --join (\S+)(?: --token-file (\S+))?\n", self.stderr())
            self.assertFalse(ended and not said, self.stderr())
            return said

        return until(told, "the run waits for agents")

    def agent(self, *options, where=None, token=None):
        """One that has joined, or been refused."""
        process = subprocess.Popen([soak_run.SOAK, "agent", "--join", where or self.where()[1], "--token-file",
                                    token or self.token, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(self.stop, process)
        return process

    def agents(self, count):
        return [self.agent() for _ in range(count)]

    def end(self, process):
        out, _ = process.communicate(timeout=PATIENCE_S)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, self.stderr())
        return soak_run.Run(done, self.last())

    def left(self, agent):
        out, err = agent.communicate(timeout=PATIENCE_S)
        return agent.returncode, out, err

    def assert_exact(self, run, conns=40):
        """At every checkpoint both ends count the same, to the connection; but for what a lost agent knew."""
        for checkpoint in run.checkpoints():
            server, client = (checkpoint[side]["connections"] for side in ("server", "client"))
            self.assertEqual((client["established"], client["in_flight"]), (conns, 0))
            self.assertEqual(checkpoint["server"]["census"]["SSL"], conns)
            self.assertEqual((server["opened"], server["closed"]), (client["opened"], client["closed"]))
        self.assertEqual(run.result["run"]["errors"]["total"], 0)


class Together(Agents):
    def test_a_clean_run_counts_exactly_over_all_agents(self):
        process = self.begin(2, "--closed", "1k")
        agents = self.agents(2)
        run = self.end(process)
        self.assertEqual(run.exit, 0, run.explain())
        self.assert_exact(run)
        rows = run.result["agents"]
        self.assertEqual(sum(row["connections"] for row in rows), run.checkpoints()[-1]["client"]["connections"]["opened"])
        self.assertEqual([(row["failed"], row["lost"]) for row in rows], [(0, None), (0, None)])
        self.assertTrue(all(row["handshake_p50_ns"] > 0 for row in rows))
        self.assertEqual([subject["name"] for subject in run.result["subjects"]], ["server"])
        self.assertGreater(run.result["subjects"][0]["sensitivity"]["one_in"], 10)
        self.assertEqual([self.left(agent)[0] for agent in agents], [0, 0])

    def test_a_leak_has_its_rate_and_its_behaviour_has_its_count(self):
        process = self.begin(2, "--closed", "1500", "--defect", "lost-state:1/3", "--mix", "clean,reset")
        agents = self.agents(2)
        run = self.end(process)
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_exact(run)
        site = run.subject()["sites"][0]
        self.assertEqual((site["file"], site["kind"]), ("server/defect.c", "side-allocation-lost"))
        self.assertAlmostEqual(site["per_conn_blocks"], 1 / 3, delta=0.03)
        self.assertEqual([self.left(agent)[0] for agent in agents], [0, 0])

    @unittest.skipUnless(soak_run.HAS_PROBE, soak_run.NO_PROBE)
    @unittest.skipUnless(shutil.which("nginx"), "SKIP: no nginx(8)")
    def test_a_program_that_is_not_soaks_is_measured(self):
        process = self.begin(2, NGINX, "--closed", "500")
        agents = self.agents(2)
        run = self.end(process)
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertEqual({c["client"]["connections"]["established"] for c in run.checkpoints()}, {40})
        self.assertEqual([self.left(agent)[0] for agent in agents], [0, 0])

    def test_held_connections_are_operated_on_by_their_agents(self):
        process = self.begin(2, "--operate", "request", "--closed", "800")
        self.agents(2)
        run = self.end(process)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.checkpoints()[-1]["client"]["connections"]["opened"], 40)

    def test_a_text_of_several_lines_reaches_the_agents(self):
        """And one of more than a line of the channel, whose parts end within it."""
        text = "  one\ntwo \\r\\n\\x41\r\n" + "three\n" * 140 + " "
        process = self.begin(1, "--operate", "request", "--say", text, "--closed", "320")
        agent = self.agent()
        client = until(lambda: children_named(agent.pid, "soak-client"), "the agent's client")[0]
        with open(f"/proc/{client}/cmdline", encoding="utf-8", newline="") as f:
            self.assertIn("--say=" + text.replace("\n", "\\n"), f.read().split("\0"))
        run = self.end(process)
        self.assertEqual(run.exit, 0, run.explain())

    def test_a_token_of_the_runs_own_is_private_and_gone_with_it(self):
        process = self.begin(1, "--closed", "1k", token=False)
        address, token = self.where().groups()
        self.assertEqual(os.stat(token).st_mode & 0o777, 0o600)
        self.agent(where=address, token=os.path.abspath(token))
        run = self.end(process)
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertFalse(os.path.exists(token))

    def test_the_token_can_come_by_the_environment(self):
        given = dict(os.environ, SOAK_JOIN_TOKEN=TOKEN)
        self.said = os.path.join(self.results, "stderr")
        with open(self.said, "w", encoding="utf-8") as f:
            process = subprocess.Popen(self.command(*LOAD, "--agents", "1", "--agents-listen", "127.0.0.1:0", "--closed",
                                                    "1k"), stdout=subprocess.PIPE, stderr=f, text=True, env=given)
        self.addCleanup(self.stop, process)
        self.run_process = process
        done = subprocess.run([soak_run.SOAK, "agent", "--join", self.where()[1]], capture_output=True, text=True,
                              timeout=PATIENCE_S, env=given, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.end(process).exit, (0, 3))


    def test_a_token_that_others_can_read_is_told_on_both_sides(self):
        os.chmod(self.token, 0o644)
        process = self.begin(2, "--closed", "1k", "--agents-wait", IN_VAIN)
        _, _, err = self.left(self.agent())
        self.end(process)
        for said in (err, self.stderr()):
            self.assertEqual(said.count(f"other users may use the join token: {self.token} has mode 0644; chmod 600"), 1, said)


class Refused(Agents):
    """What can't be is refused before anything is started."""

    def refused(self, *options, **environment):
        done = subprocess.run(self.command("run", *LOAD, "--agents", "1", *options), capture_output=True, text=True,
                              timeout=PATIENCE_S, env=dict(os.environ, **environment), check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_a_token_that_is_none(self):
        here = ("--agents-listen", "127.0.0.1:0")
        self.assertIn("SOAK_JOIN_TOKEN: a join token has 32", self.refused(*here, SOAK_JOIN_TOKEN="short"))
        with open(self.token, "w", encoding="ascii") as f:
            f.write("short\n")
        self.assertIn(f"--token-file {self.token}: a join token has 32", self.refused(*here, "--token-file", self.token))

    def test_an_address_where_none_can_listen(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            at = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assertIn(f"--agents-listen {at}: the port is in use", self.refused("--agents-listen", at))
        self.assertIn("--agents-listen 192.0.2.1:0: ", self.refused("--agents-listen", "192.0.2.1:0"))


class Lost(Agents):
    """An agent that is killed: its clients end with it, and its share goes on elsewhere."""

    def test_one_of_two_costs_its_epoch_only(self):
        process = self.begin(2, "--for", "1h", "--keep-going", "--defect", "lost-state:1/3")
        agents = self.agents(2)
        self.wait_checkpoints(5)
        client = until(lambda: children_named(agents[1].pid, "soak-client"), "the agent's client")[0]
        agents[1].kill()
        until(lambda: test_robust.gone(client), "its client has ended, too")
        seen = self.samples("checkpoint")
        self.wait_checkpoints(seen + 2)
        process.send_signal(signal.SIGINT)
        run = self.end(process)
        self.assertEqual(run.result["verdict"], "LEAK", run.explain())
        self.assertRegex(run.err, r"lost agent \d \(.*\): .*; its share goes to agent \d \(.*\), and this epoch doesn't")
        self.assertEqual(len([row for row in run.result["agents"] if row["lost"]]), 1)
        disturbed = [c for c in run.checkpoints() if c.get("disturbed")]
        self.assertEqual(len(disturbed), 1)
        self.assertEqual({c["client"]["connections"]["established"] for c in run.checkpoints()[:-1]
                          if not c.get("disturbed")}, {40})
        epochs = run.subject()["epochs"]
        self.assertFalse(epochs[disturbed[0]["epoch"]]["measured"])
        self.assertTrue(epochs[disturbed[0]["epoch"] + 1]["measured"])
        self.assertAlmostEqual(run.subject()["sites"][0]["per_conn_blocks"], 1 / 3, delta=0.03)
        self.assertEqual(self.left(agents[0])[0], 0)

    def test_without_any_the_run_says_why_and_keeps_what_it_has(self):
        process = self.begin(1, "--for", "1h")
        agent = self.agent()
        self.wait_checkpoints(5)
        agent.kill()
        run = self.end(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(run.result["headline"], r"no agent is left: lost agent 1 \(.*\): \w")
        self.assertGreaterEqual(len(run.checkpoints()), 5)

    def test_an_agent_that_is_interrupted_leaves_with_its_client(self):
        process = self.begin(1, "--for", "1h")
        agent = self.agent()
        client = until(lambda: children_named(agent.pid, "soak-client"), "the agent's client")[0]
        agent.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process).exit, 4)
        self.assertEqual(self.left(agent)[0], 130)
        self.assertTrue(test_robust.gone(client))

    def test_one_that_leaves_before_all_have_joined_makes_room(self):
        process = self.begin(2, "--closed", "1k")
        early = self.agent()
        until(lambda: "agents: 1 of 2 joined" in self.stderr(), "the first has joined")
        early.send_signal(signal.SIGINT)
        until(lambda: re.search(r"agents: agent 1 \(.*\) left again: \w", self.stderr()), "it has left")
        agents = self.agents(2)
        run = self.end(process)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual([row["lost"] for row in run.result["agents"]], [None, None])
        self.assertEqual([self.left(agent)[0] for agent in (early, *agents)], [130, 0, 0])

    def test_an_agent_whose_client_was_killed_says_so(self):
        process = self.begin(1, "--for", "1h")
        agent = self.agent()
        os.kill(until(lambda: children_named(agent.pid, "soak-client"), "the agent's client")[0], signal.SIGKILL)
        self.assertEqual(self.end(process).exit, 4)
        code, _, err = self.left(agent)
        self.assertEqual(code, 1)
        self.assertIn("soak: agent: the run goes on without this agent: its client ended: client exited with signal 9", err)

    def test_agents_that_do_not_come_are_waited_for_so_long(self):
        def one_of_two(limit):
            process = self.begin(2, "--closed", "1k", "--agents-wait", limit)
            agent = self.agent()
            return self.end(process), agent

        run, agent = within_limits(one_of_two, lambda _: "agents: 1 of 2 joined" in self.stderr(), LIMITS[1:])
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("1 of 2 agents didn't join within --agents-wait", run.result["headline"])
        self.assertEqual(self.left(agent)[0], 1)

    def test_an_agent_ends_with_its_run(self):
        process = self.begin(1, "--for", "1h")
        agent = self.agent()
        client = until(lambda: children_named(agent.pid, "soak-client"), "the agent's client")[0]
        process.kill()
        code, _, err = self.left(agent)
        self.assertEqual(code, 1)
        self.assertIn("soak: agent: the run is gone", err)
        until(lambda: test_robust.gone(client), "its client has ended")


@unittest.skipUnless(shutil.which("openssl"), "SKIP: no openssl(1)")
class Strangers(Agents):
    """Whoever isn't an agent of this run is refused with one line, and whoever isn't a run, too."""

    KEY = hmac.new(b"soak-agent join token", TOKEN.encode(), hashlib.sha256).hexdigest()

    def talk(self, text, *options):
        """What openssl's client hears that has the key, or another."""
        return subprocess.run(["openssl", "s_client", "-connect", self.where()[1], "-tls1_3", "-psk_identity",
                               "soak-agent", "-quiet", "-no_ign_eof", *options], input=text, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    def refusal(self, said):
        """What the run answers to one that has the token and says this."""
        peer = subprocess.Popen(["openssl", "s_client", "-connect", self.where()[1], "-tls1_3", "-psk_identity",
                                 "soak-agent", "-quiet", "-psk", self.KEY], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop, peer)
        peer.stdin.write(said)
        peer.stdin.flush()
        heard = [line for line in peer.stdout if line.startswith("refused text=")]
        self.assertTrue(heard)
        return heard[0].removeprefix("refused text=").strip()

    def test_an_agent_that_waits_says_for_what(self):
        with socket.socket() as port:
            port.bind(("127.0.0.1", 0))  # and nothing listens
            where = f"127.0.0.1:{port.getsockname()[1]}"
            missing = os.path.join(self.results, "missing")
            agent = self.agent("--wait", f"{PATIENCE_S}s", where=where, token=missing)
            waits = r"^soak: agent: waiting for up to \S+ \(--wait\): "
            self.assertRegex(agent.stderr.readline(), f"{waits}--token-file {missing}: No such file or directory\n")
            os.rename(self.token, missing)
            self.assertRegex(agent.stderr.readline(), f"{waits}--join {where}: Connection refused\n")
            agent.kill()
            self.assertEqual(agent.communicate(timeout=PATIENCE_S), ("", ""))

    def test_none_of_them_joins_or_ends_a_run(self):
        process = self.begin(1, "--closed", "1k")
        host, port = self.where()[1].split(":")
        with socket.create_connection((host, int(port))) as silent, socket.create_connection((host, int(port))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.talk("hello\n", "-psk", "00" * 32)
            wrong = os.path.join(self.results, "wrong")
            with open(wrong, "w", encoding="ascii") as f:
                f.write("f" * 64)
            refused = self.agent(token=wrong)
            self.assertIn("soak: agent: can't join: it has another join token, or isn't a run (", self.left(refused)[2])
            until(lambda: self.stderr().count("was refused") >= 3, "three were refused")
            self.assertIn("it has another join token", self.stderr())
            self.assertIn("it doesn't speak the protocol of agents", self.stderr())
            self.agent()
            run = self.end(process)
            silent.close()
        self.assertIn(run.exit, (0, 3), run.explain())

    def test_another_version_is_told_so(self):
        process = self.begin(1, "--closed", "1k")
        self.assertRegex(self.refusal("hello protocol=soak-agent/9 version=0.0 name=old\n"),
                         r"the run is soak \S+ \(soak-agent/1\), and this is soak 0.0 \(soak-agent/9\)")
        self.agent()
        self.assertIn(self.end(process).exit, (0, 3))

    def test_an_agent_that_speaks_out_of_turn_is_let_go(self):
        """With the token: before it has a share, what no agent says, and with words for a terminal."""
        self.begin(2, "--closed", "1k")
        version = subprocess.run([soak_run.SOAK, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        hello = f"hello protocol=soak-agent/1 version={version} name=x\n"
        for line in ("app opened=5\n", "\x1b[2J\n"):
            self.assertEqual(self.refusal(hello + line), "it counts before it has a share")
        self.assertIn("and this is soak", self.refusal("hello protocol=soak-agent/1 version=\x1b[2J name=x\n"))
        until(lambda: "and this is soak" in self.stderr(), "the refusal is told")
        self.assertNotIn("\x1b", self.stderr())

    def test_an_agents_words_steer_no_terminal_and_no_page(self):
        """One that has the token, joins, and isn't one: its name and what it says stand in what the run leaves."""
        process = self.begin(1, "--closed", "1k")
        version = subprocess.run([soak_run.SOAK, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        self.refusal(f"hello protocol=soak-agent/1 version={version} name=<script>\x1b[2J</script>\n\x1b]0;x\x07<img src=x>\n")
        run = self.end(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("1 of 1 joined: <script>", run.err)
        with open(os.path.join(run.folder, "report.html"), encoding="utf-8") as f:
            page = f.read()
        self.assertIn("&lt;script&gt;", page)
        for text in (run.out, run.err, page):
            self.assertNotRegex(text, r"[\x00-\x08\x0b-\x1f\x7f]")
        self.assertNotRegex(page, r"<img|<script>\\x1b")

    def test_a_run_has_no_file_and_no_program_of_an_agent(self):
        """One that has the token and asks for more than a client's options."""
        for option in ("--client-cert=/etc/hostname", "--control-fd=1", "--log=/tmp/x", "-h", "/bin/true"):
            with self.subTest(option=option), socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = listener.getsockname()[1]
                listener.close()
                run = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_3", "-nocert", "-psk",
                                        self.KEY, "-psk_identity", "soak-agent", "-quiet"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                self.addCleanup(self.stop, run)
                agent = self.agent(where=f"127.0.0.1:{port}")
                self.assertIn("hello protocol=soak-agent/1 version=", run.stdout.readline())
                run.stdin.write(f"welcome agent=1 of=1 silence=30\noption share=0 text={option}\nstart share=0\n")
                run.stdin.flush()
                code, _, err = self.left(agent)
                self.assertEqual(code, 1)
                self.assertIn(f"the run gave an option that an agent doesn't take: '{option}'", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
