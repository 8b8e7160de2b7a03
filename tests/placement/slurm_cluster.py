# SPDX-License-Identifier: Apache-2.0
"""A Slurm cluster of one node on loopback, of Debian's slurmctld and slurmd: in a folder of its own, on ports of its
own, as who runs the test, without munge."""

import os
import shutil
import socket
import subprocess

from patience import PATIENCE_S, until

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "sinfo", "scancel")
# NoInAddrAny: whoever reaches a daemon with auth/none may run anything. OverSubscribe: tasks and jobs that ask for a
# node alone share the only one.
CONFIGURATION = """\
ClusterName=soak-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 Port={daemon} CPUs={tasks}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=FORCE:{tasks}
"""


def find(program):
    """Debian's daemons lie where an ordinary user's PATH doesn't lead."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def missing():
    return [name for name in PROGRAMS if not find(name)]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """Ended by close(), which ends its jobs too."""

    def __init__(self, folder, tasks):
        self.folder = folder
        self.daemons = []
        for name in ("state", "spool"):
            (folder / name).mkdir()
        controller, daemon = free_ports(2)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        (folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], controller=controller, daemon=daemon, user=user, folder=folder,
            tasks=tasks), encoding="utf-8")
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        try:
            for name in ("slurmctld", "slurmd"):
                self.start(name)
            until(self.is_idle, "the node is idle")
        except BaseException:
            self.close()
            raise

    def start(self, name):
        with open(self.folder / f"{name}.log", "w", encoding="utf-8") as log:
            self.daemons.append(subprocess.Popen([find(name), "-D"], env=os.environ | self.environment, stdout=log,
                                                 stderr=log, stdin=subprocess.DEVNULL))

    def is_idle(self):
        for daemon in self.daemons:
            assert daemon.poll() is None, self.logs()
        said = subprocess.run([find("sinfo"), "--noheader", "--format=%T"], env=os.environ | self.environment,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return said.stdout.strip() == "idle"

    def logs(self):
        return "\n".join(line for path in self.folder.glob("slurm*.log")
                         for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])

    def close(self):
        if len(self.daemons) == 2:
            subprocess.run([find("scancel"), "--full", "--signal=KILL", "--me"], env=os.environ | self.environment,
                           capture_output=True, timeout=PATIENCE_S, check=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            daemon.wait(PATIENCE_S)
