# SPDX-License-Identifier: Apache-2.0
"""packaging/kubernetes: every object is what Kubernetes' own schema asks for, strictly; pods have no rights; what must
agree agrees; and the command of the nights does what it should."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

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
                 "securityContext/readOnlyRootFileSystem: unknown field")):
            text = (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")
            self.assertIn(right, text)
            found = self.objections(load(text.replace(right, wrong, 1)))
            self.assertIn(said, "\n".join(found), wrong)


@unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
class Rights(unittest.TestCase):
    def setUp(self):
        self.files = {path.stem: load(path.read_text(encoding="utf-8")) for path in MANIFESTS.glob("*.yaml")}
        self.pods = [pod for objects in self.files.values() for pod in pods_of(objects)]
        self.assertEqual(sorted(name for name, _ in self.pods), ["soak-nights"])

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
