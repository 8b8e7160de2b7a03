# SPDX-License-Identifier: Apache-2.0
"""sshd on loopback, in a folder of its own, with keys made for it, as who runs the test: each of HOSTS is this machine.
It is the system's where there is one, else Debian's package, unpacked: installing it would open the machine to others."""

import contextlib
import ctypes
import getpass
import os
import pathlib
import platform
import pwd
import shutil
import subprocess

from fixtures import free_port
from patience import PATIENCE_S, until

SOAK = pathlib.Path(os.environ["SOAK_BUILD"]) / "bin/soak"
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
SERVER = """\
{listen}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
AllowUsers {user}
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
"""
CLIENT = """\
User {user}
Port {port}
IdentityFile {folder}/user_key
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known_hosts
StrictHostKeyChecking yes
BatchMode yes
"""


# Before somebody has logged in a root's sshd is this user, which only the installed package adds to a machine.
PRIVSEP_USER = "sshd"
NSS_WRAPPER = "libnss_wrapper.so"


def lacks_user():
    """Whether it has to be made to see that user."""
    return os.geteuid() == 0 and PRIVSEP_USER not in (user.pw_name for user in pwd.getpwall())


def has_library(name):
    with contextlib.suppress(OSError):
        return bool(ctypes.CDLL(name))
    return False


def with_user(folder):
    """The environment in which it sees that user among the others."""
    nobody = pwd.getpwnam("nobody")
    users = pathlib.Path("/etc/passwd").read_text(encoding="utf-8")
    line = f"{PRIVSEP_USER}:x:{nobody.pw_uid}:{nobody.pw_gid}::/run/sshd:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(users + line, encoding="utf-8")
    return {"LD_PRELOAD": NSS_WRAPPER, "NSS_WRAPPER_PASSWD": str(folder / "passwd"), "NSS_WRAPPER_GROUP": "/etc/group"}


def missing():
    """Why there can't be one, or None."""
    if lacks_user() and not has_library(NSS_WRAPPER):
        return f"no user {PRIVSEP_USER}, and no {NSS_WRAPPER} (package libnss-wrapper)"
    for name, package in (("ssh", "openssh-client"), ("ssh-keygen", "openssh-client"), ("parallel", "parallel")):
        if not shutil.which(name):
            return f"no {name} (package {package})"
    return None


def find():
    """(the program, the environment that it needs), or why there is none."""
    if path := shutil.which("sshd", path="/usr/sbin:/usr/bin"):
        return path, {}
    system = platform.freedesktop_os_release()
    if system["ID"] != "debian":
        return None, "no sshd (package openssh-server)"
    process = subprocess.run([SOAK, "libs", "program", f"debian:{system['VERSION_CODENAME']}/openssh-server"],
                             capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if process.returncode:
        return None, "no sshd: " + process.stderr.strip().splitlines()[-1]
    root = pathlib.Path(process.stdout.split()[-1])
    folders = {path.parent for path in root.glob("**/lib*.so.*")}
    return str(root / "usr/sbin/sshd"), {"LD_LIBRARY_PATH": ":".join(map(str, sorted(folders)))}


class Sshd:
    """Ended by close(); `environment` makes GNU parallel use it."""

    def __init__(self, folder, program, environment):
        self.folder = folder
        self.made = None
        # Where sshd locks itself up before somebody has logged in: fixed when it is built, and asked for of root.
        if os.geteuid() == 0 and not os.path.isdir("/run/sshd"):
            self.made = "/run/sshd"
            os.mkdir(self.made, 0o755)
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        port = free_port()
        words = {"folder": folder, "user": getpass.getuser(), "port": port,
                 "listen": "\n".join(f"ListenAddress {host}:{port}" for host in HOSTS)}
        key = (folder / "host_key.pub").read_text(encoding="ascii")
        (folder / "known_hosts").write_text("".join(f"[{host}]:{port} {key}" for host in HOSTS), encoding="ascii")
        (folder / "sshd_config").write_text(SERVER.format(**words), encoding="utf-8")
        (folder / "config").write_text(CLIENT.format(**words), encoding="utf-8")
        if lacks_user():
            environment = environment | with_user(folder)
        self.environment = {"PARALLEL_SSH": f"ssh -F {folder}/config"}
        with open(folder / "sshd.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=log,
                                            stdin=subprocess.DEVNULL, env=os.environ | environment)
        until(lambda: self.said("Server listening") == len(HOSTS) or self.process.poll() is not None, "sshd listens")
        assert self.process.poll() is None, self.log()

    def log(self):
        return (self.folder / "sshd.log").read_text(encoding="utf-8")

    def said(self, words):
        return self.log().count(words)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        if self.made:
            os.rmdir(self.made)
