# SPDX-License-Identifier: Apache-2.0
"""packaging/ssh: a run whose load comes from three hosts, over a private sshd on loopback."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import private_sshd
from fixtures import free_port
from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
RUN = SOURCE / "packaging/ssh/run.sh"
# Says what it was called with and what it knows; as agent it ends when the run has, which is when the file is there.
STUB = """#!/bin/sh
if [ "$1" = agent ]; then
    read -r token
    echo "$token" >"{folder}/agent-$$"
    tr '\\0' ' ' <"/proc/$$/cmdline" >>"{folder}/agent-$$"
    until [ -e "{folder}/over" ]; do sleep 0.1; done
    exit "$(cat "{folder}/agent-exit")"
fi
echo "$SOAK_JOIN_TOKEN" "$@"
until [ "$(ls "{folder}" | grep -c '^agent-[0-9]')" -ge "{agents}" ]; do sleep 0.1; done
touch "{folder}/over"
exit "$RUN_EXIT"
"""


class Script(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-ssh-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("# a host per line\n" + "\n".join(private_sshd.HOSTS) + "\n", encoding="ascii")
        self.environment = dict(os.environ)
        self.environment.pop("SOAK_JOIN_TOKEN", None)

    def run_script(self, *words, code=0):
        process = subprocess.run([RUN, *words], env=self.environment, cwd=self.folder, capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process


@unittest.skipIf(private_sshd.missing(), private_sshd.missing())
class OverSsh(Script):
    @classmethod
    def setUpClass(cls):
        program, environment = private_sshd.find()
        if not program:
            raise unittest.SkipTest(environment)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-sshd-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.sshd = private_sshd.Sshd(folder, program, environment)
        cls.addClassCleanup(cls.sshd.close)

    def setUp(self):
        super().setUp()
        self.environment |= self.sshd.environment | {"HOME": str(self.folder)}

    def stub(self, agent_exit=0, run_exit=0, agents=len(private_sshd.HOSTS)):
        path = self.folder / "soak"
        path.write_text(STUB.format(folder=self.folder, agents=agents), encoding="ascii")
        path.chmod(0o755)
        (self.folder / "agent-exit").write_text(str(agent_exit), encoding="ascii")
        self.environment |= {"SOAK": str(path), "RUN_EXIT": str(run_exit)}

    def told(self):
        return [path.read_text(encoding="ascii").splitlines() for path in self.folder.glob("agent-[0-9]*")]

    def test_an_agent_per_host_learns_the_token_and_not_from_its_arguments(self):
        self.stub()
        before = self.sshd.said("Accepted publickey")
        said = self.run_script("hosts", "127.0.0.1:7411", "--conns", "30", "--client", "a b").stdout.split(" ", 1)
        token = said[0]
        self.assertRegex(token, "^[0-9a-f]{64}$")
        self.assertEqual(said[1], "run --conns 30 --client a b --agents 3 --agents-listen 127.0.0.1:7411\n")
        told = self.told()
        self.assertEqual([agent[0] for agent in told], [token] * 3)
        for agent in told:
            self.assertTrue(agent[1].endswith("soak agent --join 127.0.0.1:7411 --token-file - --wait 5m "), agent)
        self.assertEqual(self.sshd.said("Accepted publickey") - before, 3)
        self.assertNotIn(token, self.sshd.log())

    def test_three_agents_make_the_load_and_the_leak_is_found(self):
        join = f"127.0.0.1:{free_port()}"
        self.environment |= {"SOAK": str(BUILD / "bin/soak"), "SOAK_ROOT": str(SOURCE)}
        done = self.run_script("hosts", join, "--conns", "20", "--churn", "max", "--defect", "lost-state",
                               "--results", "kept", code=1)
        self.assertIn("LEAK  32 B lost per connection", done.stdout)
        self.assertEqual(sorted(re.findall(r"joined as agent (\d)", done.stderr)), ["1", "2", "3"])
        self.assertNotIn("didn't end well", done.stderr)

    def test_the_exit_code_is_the_run_s(self):
        self.stub(agent_exit=1, run_exit=3)
        self.assertIn("3 of 3 agents didn't end well", self.run_script("hosts", "127.0.0.1:7411", code=3).stderr)

    def test_agents_do_not_wait_for_a_run_that_is_refused(self):
        """Nobody says here that it is over."""
        self.stub(run_exit=2, agents=0)
        self.run_script("hosts", "127.0.0.1:7411", code=2)


class Refused(Script):
    def test_what_it_does_not_know(self):
        self.environment["SOAK"] = "/bin/false"
        (self.folder / "none").write_text("# nobody\n", encoding="ascii")
        (self.folder / "twice").write_text("a\nb\na\n", encoding="ascii")
        for words, said in (((), "HOSTS and ADDRESS:PORT are needed"), (("hosts",), "HOSTS and ADDRESS:PORT are needed"),
                            (("nowhere", "x:1"), "the file nowhere can't be read"),
                            (("none", "x:1"), "none names no host"), (("twice", "x:1"), "twice names a twice")):
            self.assertIn(said, self.run_script(*words, code=2).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
