# SPDX-License-Identifier: Apache-2.0
"""packaging/kubernetes: every object is what Kubernetes' own schema asks for, strictly; pods have no rights; what must
agree agrees; and the command of the nights does what it should."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import unittest

from fixtures import free_port
from patience import PATIENCE_S

try:
    import yaml
except ImportError:
    yaml = None

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
MANIFESTS = SOURCE / "packaging/kubernetes"
SCHEMA = SOURCE / "tests/placement/kubernetes"


def load(text):
    return list(yaml.safe_load_all(text))


def objects_of(name):
    return load((MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8"))


def pods_of(objects):
    """(the object's name, the pod that it makes)"""
    for one in objects:
        spec = one["spec"]
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            yield one["metadata"]["name"], template


def named(objects, kind, name):
    found = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{len(found)} {kind} {name}"
    return found[0]


@unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("node", "npm"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"there is no {program} (scripts/needs.txt)")
        # Kept from one time to the next: npm says it was right by a file that it writes last.
        cls.folder = BUILD / "kubernetes-schema"
        shutil.copytree(SCHEMA, cls.folder, dirs_exist_ok=True)
        lock, done = cls.folder / "package-lock.json", cls.folder / "node_modules/.package-lock.json"
        if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
            return
        process = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=cls.folder,
                                 capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        if process.returncode:
            raise unittest.SkipTest("kubernetes-models can't be fetched: " + process.stderr.strip())

    def objections(self, objects):
        process = subprocess.run(["node", "schema.mjs"], cwd=self.folder, input=json.dumps(objects), text=True,
                                 capture_output=True, check=True, timeout=PATIENCE_S)
        return json.loads(process.stdout)

    def test_it_has_no_objection(self):
        for path in sorted(MANIFESTS.glob("*.yaml")):
            with self.subTest(path=path.name):
                self.assertEqual(self.objections(load(path.read_text(encoding="utf-8"))), [])

    def test_a_slip_of_the_pen_is_found(self):
        for name, right, wrong, said in (
                ("nights", "concurrencyPolicy: Forbid", "concurrencyPolicy: Forbids", "concurrencyPolicy: enum"),
                ("nights", "backoffLimit: 0", "backoffLimits: 0", "jobTemplate/spec/backoffLimits: unknown field"),
                ("nights", "accessModes: [ReadWriteOnce]", "accessModes: ReadWriteOnce", "accessModes: type"),
                ("nights", "readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true",
                 "securityContext/readOnlyRootFileSystem: unknown field"),
                ("run", "completionMode: Indexed", "completionMode: indexed", "completionMode: enum"),
                ("run", "completions: 4", "completions: four", "completions: type"),
                ("run", "containerPort: 4433", "port: 4433", "containerPort"),
                ("run", "        - podSelector:\n", "        - podSelektor:\n", "podSelektor: unknown field")):
            text = (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")
            self.assertIn(right, text)
            found = self.objections(load(text.replace(right, wrong, 1)))
            self.assertIn(said, "\n".join(found), wrong)


@unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
class Rights(unittest.TestCase):
    def setUp(self):
        self.files = {path.stem: load(path.read_text(encoding="utf-8")) for path in MANIFESTS.glob("*.yaml")}
        self.pods = [pod for objects in self.files.values() for pod in pods_of(objects)]
        self.assertEqual(sorted(name for name, _ in self.pods), ["soak-agents", "soak-nights", "soak-run"])

    def test_pods_have_none(self):
        for name, template in self.pods:
            with self.subTest(pod=name):
                spec = template["spec"]
                self.assertIs(spec["automountServiceAccountToken"], False)
                self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
                self.assertEqual(spec["securityContext"]["runAsUser"], 1000)
                self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertFalse({"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec))
                self.assertFalse([volume for volume in spec["volumes"] if "hostPath" in volume])
                for container in spec["containers"]:
                    self.assertEqual(container["securityContext"],
                                     {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                      "capabilities": {"drop": ["ALL"]}})

    def test_the_user_is_that_of_the_image(self):
        self.assertIn("--uid 1000 soak", (SOURCE / "packaging/Containerfile").read_text(encoding="utf-8"))

    def test_processors_are_not_shared(self):
        """Kubernetes gives whole ones to pods whose requests are their limits."""
        for name, template in self.pods:
            for container in template["spec"]["containers"]:
                with self.subTest(pod=name):
                    resources = container["resources"]
                    self.assertEqual(resources["requests"], resources["limits"])
                    self.assertEqual(set(resources["limits"]), {"cpu", "memory", "ephemeral-storage"})

    def test_every_pod_has_a_policy_for_both_directions(self):
        for objects in self.files.values():
            policies = [one["spec"] for one in objects if one["kind"] == "NetworkPolicy"]
            for name, template in pods_of(objects):
                of = [policy for policy in policies
                      if policy["podSelector"]["matchLabels"] == template["metadata"]["labels"]]
                self.assertEqual([policy["policyTypes"] for policy in of], [["Ingress", "Egress"]], name)

    def test_no_secret_is_written_down(self):
        self.assertFalse([one for objects in self.files.values() for one in objects if one["kind"] == "Secret"])


@unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
class Run(unittest.TestCase):
    """What stands in several places of run.yaml."""

    def setUp(self):
        self.objects = objects_of("run")
        self.server = named(self.objects, "Job", "soak-run")["spec"]
        self.agents = named(self.objects, "Job", "soak-agents")["spec"]
        self.words = self.server["template"]["spec"]["containers"][0]["args"]

    def test_as_many_agents_are_started_as_the_run_waits_for(self):
        self.assertEqual(self.agents["completionMode"], "Indexed")
        self.assertEqual(self.agents["completions"], self.agents["parallelism"])
        self.assertIn(f'--agents={self.agents["completions"]}', self.words)

    def test_a_verdict_is_not_tried_again(self):
        self.assertEqual(self.server["backoffLimit"], 0)
        nights = named(objects_of("nights"), "CronJob", "soak-nights")["spec"]
        self.assertEqual(nights["jobTemplate"]["spec"]["backoffLimit"], 0)
        self.assertEqual(nights["concurrencyPolicy"], "Forbid")

    def test_labels_names_and_ports_agree(self):
        service = named(self.objects, "Service", "soak-run")
        labels = self.server["template"]["metadata"]["labels"]
        self.assertEqual(service["spec"]["selector"], labels)
        ports = [port["port"] for port in service["spec"]["ports"]]
        container = self.server["template"]["spec"]["containers"][0]
        self.assertEqual([port["containerPort"] for port in container["ports"]], ports)
        self.assertIn(f"--agents-listen=$(POD_IP):{ports[0]}", self.words)
        self.assertIn(f"--listen=$(POD_IP):{ports[1]}", self.words)
        agent = self.agents["template"]
        self.assertIn(f'--join={service["metadata"]["name"]}:{ports[0]}', agent["spec"]["containers"][0]["args"])
        allowed = [{"port": port} for port in ports]
        comes = named(self.objects, "NetworkPolicy", "soak-run")["spec"]["ingress"]
        goes = named(self.objects, "NetworkPolicy", "soak-agents")["spec"]["egress"]
        self.assertEqual(comes, [{"from": [{"podSelector": {"matchLabels": agent["metadata"]["labels"]}}],
                                  "ports": allowed}])
        self.assertEqual(goes[0], {"to": [{"podSelector": {"matchLabels": labels}}], "ports": allowed})

    def here(self, spec, folder, address):
        """The container's command, where the pod and the Service are this machine, and the load is smaller."""
        words = "\n".join(spec["template"]["spec"]["containers"][0]["args"])
        for there, here in ((("$(POD_IP):7411", "soak-run:7411"), address), (("$(POD_IP):4433",), "127.0.0.1:0"),
                            (("/run/soak",), folder), (("5000",), "40"), (("200k",), "2k")):
            for word in there:
                words = words.replace(word, here)
        return [BUILD / "bin/soak", *words.split("\n")]

    def test_the_commands_make_a_run(self):
        folder = tempfile.mkdtemp(prefix="soak-run-")
        self.addCleanup(shutil.rmtree, folder)
        pathlib.Path(folder, "token").write_text(secrets.token_hex(32), encoding="ascii")
        address = f"127.0.0.1:{free_port()}"
        agents = [subprocess.Popen(self.here(self.agents, folder, address), stderr=subprocess.DEVNULL)
                  for _ in range(self.agents["completions"])]
        run = subprocess.run([*self.here(self.server, folder, address), "--sensitivity", "1/1", "--results", folder],
                             capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual([agent.wait(PATIENCE_S) for agent in agents], [0] * len(agents), run.stderr)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("PASS  nothing grows", run.stdout)

    def test_both_ends_read_the_token_where_the_secret_is(self):
        for spec in (self.server, self.agents):
            pod = spec["template"]["spec"]
            container = pod["containers"][0]
            volume = [one["name"] for one in pod["volumes"] if one.get("secret", {}).get("secretName") == "soak-join"]
            mounted = [one["mountPath"] for one in container["volumeMounts"] if one["name"] in volume]
            self.assertIn(f"--token-file={mounted[0]}/token", container["args"])


@unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
class Nights(unittest.TestCase):
    """The stub is a soak that says what it was asked for, and exits as it is told to."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-nights-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        stub = self.folder / "soak"
        stub.write_text('#!/bin/sh\necho "$@"\n[ "$1" = suite ] && exit "$SUITE"\nexit "$HISTORY"\n', encoding="ascii")
        stub.chmod(0o755)
        self.container = named(objects_of("nights"), "CronJob", "soak-nights")["spec"]["jobTemplate"]["spec"][
            "template"]["spec"]["containers"][0]

    def night(self, suite, history):
        environment = {one["name"]: one["value"] for one in self.container["env"]}
        environment |= {"PATH": f"{self.folder}:/usr/bin:/bin", "SUITE": str(suite), "HISTORY": str(history)}
        return subprocess.run([*self.container["command"], *self.container["args"]], env=environment, check=False,
                              capture_output=True, text=True, timeout=PATIENCE_S)

    def test_the_history_is_looked_at_whatever_the_suite_found(self):
        for suite, history, code in ((0, 0, 0), (1, 0, 1), (3, 0, 3), (0, 1, 1), (3, 1, 1)):
            done = self.night(suite, history)
            self.assertEqual(done.returncode, code, (suite, history))
            self.assertEqual(done.stdout.splitlines(),
                             ["suite nightly --results /var/lib/soak/runs --junit=/var/lib/soak/junit.xml",
                              "history --check"])

    def test_what_it_keeps_lies_in_the_volume(self):
        mounts = {one["name"]: one["mountPath"] for one in self.container["volumeMounts"]}
        text = (SOURCE / "packaging/Containerfile").read_text(encoding="utf-8")
        self.assertIn(f"XDG_STATE_HOME={os.path.dirname(mounts['kept'])} ", text)
        self.assertIn(f"XDG_CACHE_HOME={os.path.dirname(mounts['cache'])}", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
