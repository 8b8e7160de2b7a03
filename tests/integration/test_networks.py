# SPDX-License-Identifier: Apache-2.0
"""A run whose agents are in network namespaces of their own, as on other machines: 1 ms of delay each way and
0.1 % loss between them and the server. Needs root. The delay is tc's netem where the kernel has it, else
tests/tools/slow_link.c. 30 connections here; with SOAK_NETWORKS=whole 5,000, too, and every case of both."""

import os
import re
import shutil
import signal
import subprocess
import unittest

import soak_run
import test_agents
from patience import PATIENCE_S

SOURCE = soak_run.ROOT
WHOLE = os.environ.get("SOAK_NETWORKS") == "whole"
ADDRESS = {"server": "10.77.0.1", "one": "10.77.0.2", "two": "10.77.0.3"}
DELAY_US, LOSS_PER_MILLION = 1000, 1000
NGINX_CONF = os.path.join(SOURCE, "scenarios", "servers", "conf", "nginx.conf")


def open_text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def ip(*words, check=True):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check).returncode == 0


def why_not():
    if os.geteuid() != 0:
        return "SKIP: network namespaces with a link between them need root"
    if not shutil.which("ip"):
        return "SKIP: no ip(8)"
    name = f"soak-try-{os.getpid()}"
    if not ip("netns", "add", name, check=False):
        return "SKIP: ip netns add is refused here"
    ip("netns", "delete", name)
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK) and not has_netem():
        return "SKIP: neither netem nor /dev/net/tun"
    return None


def has_netem():
    """Tried where it would be used."""
    name = f"soak-try-{os.getpid()}"
    if not shutil.which("tc") or not ip("netns", "add", name, check=False):
        return False
    tried = subprocess.run(["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay",
                            "1ms"], capture_output=True, check=False)
    ip("netns", "delete", name)
    return tried.returncode == 0


class Network(test_agents.Agents):
    """Three namespaces and the way between them."""

    WHY_NOT = why_not()

    def setUp(self):
        if self.WHY_NOT:
            self.skipTest(self.WHY_NOT)
        super().setUp()
        self.names = {role: f"soak-{os.getpid()}-{role}" for role in ADDRESS}
        for name in self.names.values():
            ip("netns", "add", name)
            self.addCleanup(ip, "netns", "delete", name, check=False)
        if has_netem():
            self.join_by_bridge()
        else:
            self.join_by_tool()
        for name in self.names.values():
            for word in ("ip_local_port_range=1024 65535", "tcp_tw_reuse=1"):
                subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv4.{word}"], check=True)

    def set_up(self, role, device):
        name = self.names[role]
        ip("-n", name, "address", "add", ADDRESS[role] + "/24", "dev", device)
        ip("-n", name, "link", "set", device, "txqueuelen", "10000", "up")
        ip("-n", name, "link", "set", "lo", "up")

    def join_by_bridge(self):
        hub = f"soak-{os.getpid()}-hub"
        ip("netns", "add", hub)
        self.addCleanup(ip, "netns", "delete", hub, check=False)
        ip("-n", hub, "link", "add", "hub", "type", "bridge")
        ip("-n", hub, "link", "set", "hub", "up")
        for role, name in self.names.items():
            ip("link", "add", role, "netns", hub, "type", "veth", "peer", "name", "link0", "netns", name)
            ip("-n", hub, "link", "set", role, "master", "hub", "up")
            self.set_up(role, "link0")
            subprocess.run(["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "link0", "root", "netem", "delay",
                            f"{DELAY_US}us", "loss", f"{LOSS_PER_MILLION / 10000}%", "limit", "100000"], check=True)

    def join_by_tool(self):
        link = subprocess.Popen([os.path.join(soak_run.BIN, "slow-link"), str(DELAY_US), str(LOSS_PER_MILLION),
                                 *(f"{self.names[role]}={address}" for role, address in ADDRESS.items())],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, link)
        self.assertEqual(link.stdout.readline(), "ready\n")
        for role in ADDRESS:
            self.set_up(role, "link0")

    def inside(self, role, *command):
        return ["ip", "netns", "exec", self.names[role], *command]

    def command(self, *options):
        return self.inside("server", *super().command(*options))

    def begin_here(self, conns, *options):
        self.said = os.path.join(self.results, "stderr")
        environment = soak_run.defect_environment(options)
        listen = () if "--connect" in options else ("--listen", ADDRESS["server"] + ":0")
        with open(self.said, "w", encoding="utf-8") as f:
            process = subprocess.Popen(
                self.command("run", *options, *listen, "--conns", str(conns), "--churn", "max", "--seed", "7f3a",
                             "--agents", "2", "--agents-listen", ADDRESS["server"] + ":0", "--token-file", self.token,
                             "--watchdog", "10m"),
                stdout=subprocess.PIPE, stderr=f, text=True, env=dict(environment, SOAK_ROOT=SOURCE))
        self.addCleanup(self.stop, process)
        self.run_process = process
        where = self.where()[1]
        agents = []
        for role in ("one", "two"):
            with open(os.path.join(self.results, role), "w", encoding="utf-8") as f:
                agents.append(subprocess.Popen(self.inside(role, soak_run.SOAK, "agent", "--join", where, "--token-file",
                                                           self.token), stdout=f, stderr=f))
            self.addCleanup(self.stop, agents[-1])
        return process, agents

    def finished(self, conns, *options):
        process, agents = self.begin_here(conns, *options)
        run = self.end(process)
        ends = [agent.wait(timeout=PATIENCE_S) for agent in agents]
        said = [open_text(os.path.join(self.results, role)) for role in ("one", "two")]
        self.assertEqual(ends, [0, 0], "\n".join([*said, run.explain()]))
        return run

    def assert_exact_server(self, run, conns):
        for checkpoint in run.checkpoints():
            server, client = (checkpoint[side]["connections"] for side in ("server", "client"))
            self.assertEqual((client["established"], client["in_flight"]), (conns, 0))
            self.assertEqual(checkpoint["server"]["census"]["SSL"], conns)
            self.assertEqual(server["opened"] - server["closed"], conns)

    def assert_clean(self, conns, *options):
        run = self.finished(conns, "--mix", "clean", *options)
        self.assertEqual(run.exit, 0, run.explain())
        self.assert_exact_server(run, conns)
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())

    def assert_leak(self, conns, defect, delta, *options):
        run = self.finished(conns, "--defect", defect, *options)
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_exact_server(run, conns)
        site = run.subject()["sites"][0]
        self.assertEqual(site["file"], "server/defect.c", run.explain())
        if delta:
            self.assertAlmostEqual(site["per_conn_blocks"], 1 / int(defect.partition("/")[2]), delta=delta,
                                   msg=run.explain())
        return run

    def assert_nginx_is_clean(self, conns, *options):
        """That of scenarios/servers/nginx, with room for so many connections."""
        template = os.path.join(self.results, "nginx.conf")
        with open(NGINX_CONF, encoding="utf-8") as f, open(template, "w", encoding="utf-8") as to:
            to.write(f.read().replace("worker_connections 1024", "worker_connections 16000")
                     .replace("{address} ssl", "{address} ssl so_keepalive=5s:2s:5"))
        run = self.finished(conns, "--server", "nginx -p {work} -c {work}/nginx.conf -g 'worker_processes 1;'",
                            "--template", template, "--connect", ADDRESS["server"] + ":{port}", "--answer", "200 OK",
                            "--say", r"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "--mix", "clean,reset", *options)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual({c["client"]["connections"]["established"] for c in run.checkpoints()}, {conns})
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())

    def assert_loss_costs_an_epoch(self, conns):
        process, agents = self.begin_here(conns, "--for", "1h", "--mix", "clean")
        self.wait_checkpoints(5)
        agents[1].kill()
        seen = self.samples("checkpoint")
        self.wait_checkpoints(seen + 2)
        process.send_signal(signal.SIGINT)
        run = self.end(process)
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"), run.explain())
        self.assertEqual(len([c for c in run.checkpoints() if c.get("disturbed")]), 1, run.explain())
        self.assertTrue(re.search(r"lost agent \d .*this epoch doesn't count", run.err))
        for checkpoint in run.checkpoints()[:-1]:
            if not checkpoint.get("disturbed"):
                self.assertEqual(checkpoint["server"]["census"]["SSL"], conns)
        return run


class Short(Network):
    def test_30_open_are_clean(self):
        self.assert_clean(30, "--closed", "600")

    def test_an_agent_killed_costs_its_epoch_only(self):
        self.assert_loss_costs_an_epoch(30)


@unittest.skipUnless(WHOLE, "the whole of it takes a quarter of an hour: SOAK_NETWORKS=whole")
class Whole(Network):
    def test_30_open_lost_state(self):
        self.assert_leak(30, "lost-state:1/1000", 0.0005, "--closed", "20k")

    def test_30_open_reset_path(self):
        run = self.assert_leak(30, "reset-path", None, "--closed", "3k", "--mix", "clean,reset")
        self.assertIn("reset", run.out)

    def test_30_open_nginx(self):
        self.assert_nginx_is_clean(30, "--closed", "3k")

    def test_5000_open_are_clean(self):
        self.assert_clean(5000, "--closed", "25k")

    def test_5000_open_lost_state(self):
        self.assert_leak(5000, "lost-state:1/1000", 0.0005, "--closed", "40k")

    def test_5000_open_reset_path(self):
        self.assert_leak(5000, "reset-path", None, "--closed", "25k", "--mix", "clean,reset")

    def test_5000_open_nginx(self):
        self.assert_nginx_is_clean(5000, "--closed", "25k")

    def test_5000_open_lose_an_agent(self):
        self.assert_loss_costs_an_epoch(5000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
