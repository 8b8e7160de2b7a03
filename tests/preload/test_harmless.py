# SPDX-License-Identifier: Apache-2.0
"""Programs that people run work with the probe as without it: the same exit code, the same output. What
isn't installed is said and left out; FLOOR says how many must have run."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import test_programs
from fixtures import free_port, make_certificate
from patience import until
from probed import BIN, HOOKS, JEMALLOC, LIBRARY, MALLOC_LIBRARY, PATIENCE, Probed

FLOOR = 40
ODD, STATIC = BIN + "/odd-program", BIN + "/odd-static"
VARIANTS = {"the probe": LIBRARY, "the probe over jemalloc": f"{LIBRARY}:{JEMALLOC}", "malloc too": MALLOC_LIBRARY,
            "malloc too, over jemalloc": f"{MALLOC_LIBRARY}:{JEMALLOC}"}
ENVIRONMENT = {"PATH": "/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
NOBODY = 65534

# name: command. {odd} and {static} are odd_program.c, dynamic and static. Each runs in a folder of its own
# with the files of SETTING; what it prints must be the same each time.
PROGRAMS = {
    "curl": "curl --silent file://{here}/text",
    "git": "sh -c 'git init -q . && git add text && git -c user.name=a -c user.email=a@b commit -qm a "
           "--date 2020-01-01T00:00:00Z && git show --stat --format=%T'",
    "openssl": "openssl dgst -sha256 text",
    "openssl pkcs12": "sh -c 'openssl genrsa 1024 2>/dev/null | openssl rsa -noout -check 2>&1'",
    "python3": "python3 -c 'import ssl, subprocess, threading; "
               "print(ssl.create_default_context().verify_mode, subprocess.check_output([\"echo\", \"a\"]))'",
    "python3 multiprocessing": "python3 -c 'import multiprocessing, hashlib; "
                               "print(multiprocessing.Pool(2).map(hashlib.sha256, []))'",
    "wget": "wget --version",
    "ssh": "ssh -V",
    "ssh-keygen": "sh -c 'ssh-keygen -q -t ed25519 -N \"\" -f k && ssh-keygen -lf k.pub | cut -c1-4'",
    "gpg": "gpg --homedir {here} --no-permission-warning --print-md SHA256 text",
    "java": "java -Xshare:auto -version",
    "node": "node -e 'const c = require(\"crypto\"); require(\"tls\").createSecureContext(); "
            "console.log(c.createHash(\"sha256\").update(\"a\").digest(\"hex\"))'",
    "node worker": "node -e 'const {{Worker}} = require(\"worker_threads\"); "
                   "new Worker(\"1\", {{eval: true}}).on(\"exit\", c => console.log(c))'",
    "postgres": "postgres --version",
    "psql": "psql --version",
    "nginx": "nginx -t -p {here} -c nginx.conf",
    "haproxy": "haproxy -c -V -f haproxy.cfg",
    "perl": "perl -e 'fork or exit 3; wait; print $? >> 8, \"\\n\"; print join(\",\", map {{ $_ * 2 }} 1 .. 9)'",
    "bash": "bash -c 'for i in {{1..20}}; do (echo $i); done; echo $(echo a | cat) $((6 * 7)) ${{#PATH[@]}}'",
    "dash": "dash -c 'echo $(echo a) & wait; exit 5'",
    "tar": "tar --sort=name --mtime=@0 --owner=0 --group=0 -czf - text",
    "gzip": "gzip -nc text",
    "xz": "xz -T2 -c text",
    "bzip2": "bzip2 -c text",
    "zstd": "zstd -q -c text",
    "find": "find . -name t*t",
    "xargs": "sh -c 'seq 20 | xargs -n 1 -P 4 echo | sort'",
    "awk": "awk '{{ n += length($0) }} END {{ print n }}' text",
    "sed": "sed -n s/a/b/gp text",
    "grep": "grep -c a text",
    "sort": "sort --parallel=2 -S 1M text",
    "make": "make -s -j2 -f makefile",
    "cmake": "cmake -P script.cmake",
    "gcc": "sh -c 'gcc -O1 hello.c -o hello && ./hello'",
    "gcc -static-libasan": "sh -c 'gcc -fsanitize=address -static-libasan hello.c -o hello && ./hello'",
    "g++": "sh -c 'g++ throws.cc -o throws && ./throws'",
    "clang": "clang -fsyntax-only hello.c",
    "ld": "ld --version",
    "objdump": "objdump -f /bin/true",
    "readelf": "readelf -h /bin/true",
    "ldd": "ldd --version",
    "gdb": "gdb -nx -batch -ex 'print 6 * 7'",
    "strace": "strace -V",
    "valgrind": "valgrind --version",
    "sqlite3": "sqlite3 :memory: 'create table t (a); insert into t values (1), (2); select sum(a) from t'",
    "jq": "jq -n '[range(9)] | map(. * 2)'",
    "file": "file -b text",
    "diff": "diff text other",
    "vim": "vim -u NONE -es -c 'normal iabc' -c 'write! made' -c quit",
    "man": "man --version",
    "groff": "groff -Tascii text",
    "tmux": "tmux -V",
    "dpkg": "dpkg --print-architecture",
    "apt-get": "apt-get --version",
    "ps": "ps --version",
    "env": "env -i /bin/echo a",
    "date": "date -u -d @0",
    "id": "setpriv --reuid=65534 --clear-groups id -u",
    "busybox": "busybox sh -c 'echo a | busybox sha256sum'",
    "su": "su --help",
    "mount": "mount --version",
    "passwd": "passwd --help",
    "static": "{static} threads",
}
# Never loads the probe: static, or the loader's secure mode.
WITHOUT_PROBE = {"busybox", "static", "su", "mount", "passwd"}
AS_NOBODY = {"su", "mount", "passwd"}
WITH_OPENSSL = {"curl", "openssl", "openssl pkcs12", "python3", "ssh", "ssh-keygen", "node", "postgres",
                "nginx", "haproxy"}
SETTING = {
    "text": "".join(f"a line of text {i * i % 97}\n" for i in range(3000)),
    "other": "a line of text 1\n",
    "hello.c": "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n",
    "throws.cc": """#include <cstdio>
#include <new>
struct alignas(64) wide { char bytes[64]; };
int main()
{
    volatile size_t huge = size_t(-1) / 4;
    try { delete[] new char[huge]; } catch (const std::bad_alloc &) { std::puts("thrown"); }
    std::printf("%d\\n", new (std::nothrow) char[huge] != nullptr);
    wide *block = new wide[3];
    std::printf("%d\\n", int(size_t(block) % 64));
    delete[] block;
}
""",
    "makefile": "all: a b c\na b c:\n\t@echo made | cat >/dev/null\n",
    "script.cmake": "execute_process(COMMAND echo a)\nmessage(STATUS \"done\")\n",
    "haproxy.cfg": "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
                   "frontend a\n bind 127.0.0.1:1\n http-request return status 204\n",
    "nginx.conf": "events {}\nhttp { access_log off; server { listen 127.0.0.1:1; } }\n",
}
# Folders and times that differ from run to run.
VARIES = re.compile(rb"/\S*/soak-harmless-\w+|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d|\d+#\d+:|\[\w+ \w{7}\]")


class Outcome:
    """Exit code, output and words of a program in a folder made for it."""

    def __init__(self, command, nobody, probed=None):
        with tempfile.TemporaryDirectory(prefix="soak-harmless-") as here:
            os.chmod(here, 0o777)
            for name, text in SETTING.items():
                (pathlib.Path(here) / name).write_text(text, encoding="ascii")
            words = shlex.split(command.format(here=here, odd=ODD, static=STATIC))
            done = subprocess.run(
                words, cwd=here, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False,
                env=ENVIRONMENT | {"HOME": here} | (probed.settings() if probed else {}),
                pass_fds=[probed.fd] if probed else [], user=NOBODY if nobody else None)
        self.all = (done.returncode, VARIES.sub(b"", done.stdout), VARIES.sub(b"", done.stderr))


class Harmless(unittest.TestCase):
    maxDiff = None

    def assert_works(self, name, command):
        nobody = name in AS_NOBODY and os.geteuid() == 0
        plain = Outcome(command, nobody).all
        for variant, preload in VARIANTS.items():
            with self.subTest(name=name, variant=variant), Probed(preload) as probed:
                self.assertEqual(Outcome(command, nobody, probed).all, plain)
                modes = {process.mode for process in probed.processes()}
                self.assertEqual(bool(modes), name not in WITHOUT_PROBE, "whether the probe was loaded")
                if name in WITH_OPENSSL:
                    self.assertIn(HOOKS, modes)
        return plain

    def test_programs_work_with_the_probe_as_without(self):
        ran = 0
        for name, command in PROGRAMS.items():
            needed = {name.split()[0], command.split()[0]} - {"static", "{static}"}
            missing = [program for program in needed if not shutil.which(program, path=ENVIRONMENT["PATH"])]
            if missing:
                print(f"SKIP {name}: {missing[0]} isn't installed", file=sys.stderr)
                continue
            self.assert_works(name, command)
            ran += 1
        self.assertGreaterEqual(ran, FLOOR, "too few of the programs are installed")

    def test_programs_that_do_odd_things_work_too(self):
        names = subprocess.run([ODD], capture_output=True, text=True, check=True).stdout.split()
        self.assertGreaterEqual(len(names), 15)
        for name in names:
            plain = self.assert_works(name, "{odd} " + name)
            self.assertEqual(plain[0], 0, plain)


class IdleTest(unittest.TestCase):
    """Of `openssl s_server`, which has one thread, and between two connections waits in accept()."""

    ACCEPT = {"x86_64": "43", "aarch64": "202"}[os.uname().machine]
    WATCHED_S = 5  # a probe that does something every now and then does so more often

    def of(self, child, file):
        return pathlib.Path(f"/proc/{child.pid}/{file}").read_text(encoding="ascii")

    def status(self, child, key):
        return int(re.search(rf"^{key}:\s+(\d+)", self.of(child, "status"), re.M)[1])

    def asleep(self, child):
        """Whether it is off its processor, in accept(): the kernel says a call only of a process that is."""
        return self.of(child, "syscall").split()[0] == self.ACCEPT

    def idle(self, probed, here):
        """One that has had two connections, and waits for a third."""
        port = free_port()
        child = probed.start("openssl", "s_server", "-accept", str(port), "-cert", "cert.pem", cwd=here)
        for line in child.stdout:
            if line.startswith("ACCEPT"):
                break
        test_programs.handshake(port)
        test_programs.handshake(port)
        until(lambda: self.asleep(child), "it waits for the next connection")
        return child

    def woken(self, child):
        """How often it has slept: once more for each time that something woke it."""
        return self.status(child, "voluntary_ctxt_switches")

    def test_an_idle_server_is_never_woken(self):
        with tempfile.TemporaryDirectory() as here, contextlib.ExitStack() as stack:
            make_certificate(here, "cert")
            servers = {variant: self.idle(stack.enter_context(Probed(preload)), here)
                       for variant, preload in VARIANTS.items()}
            before = {variant: self.woken(child) for variant, child in servers.items()}
            time.sleep(self.WATCHED_S)
            self.assertEqual({variant: self.woken(child) for variant, child in servers.items()}, before)
            self.assertEqual({self.status(child, "Threads") for child in servers.values()}, {1})


if __name__ == "__main__":
    unittest.main()
