# SPDX-License-Identifier: Apache-2.0
"""`soak libs` over a folder as a mirror, package files and prefixes; and the server built for them."""

import concurrent.futures
import fcntl
import functools
import glob
import http.server
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest

from debian_mirror import Mirror, add_openssl, bare_tar, make_bomb, make_deb, make_library, missing_tools, write_deb
from libs_case import SOAK, SOURCE, LibsCase, without_waits
from patience import PATIENCE_S, until, until_said

BUILD = os.environ["SOAK_BUILD"]
SERVER = os.path.join(BUILD, "bin", "soak-server")
MISSING = missing_tools()
SHARED_DEBS = os.path.join(os.path.dirname(SOURCE), "shared", "debs")


# The first package has left the mirror; then the name server fails.
APT_GET = """#!/bin/sh
case " $* " in *" download "*) ;; *) exec {real} "$@" ;; esac
echo >>{count}
case $(wc -l <{count}) in
1) echo "E: Failed to fetch http://mirror/x.deb  404  Not Found" ;;
*) echo "E: Could not resolve 'mirror'" ;;
esac >&2
exit 100
"""


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def mapped_libraries():
    """The files of the build's own libraries, by SONAME."""
    text = subprocess.run(["ldd", SERVER], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"(\S+) => (/\S+)", text))


def gone(pid):
    """Whether the process has ended; one that nobody waits for is gone too."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def include_folder(module, header):
    flags = subprocess.run(["pkg-config", "--cflags-only-I", module], capture_output=True, text=True,
                           check=True).stdout.split()
    for folder in [flag[2:] for flag in flags] + ["/usr/include"]:
        if os.path.exists(f"{folder}/{header}"):
            return folder
    raise AssertionError(f"no {header}")


@unittest.skipIf(MISSING, f"needs {', '.join(MISSING)}")
class Case(LibsCase):
    def soak(self, *arguments, **environment):
        return self.run_soak("libs", *arguments, **environment)

    def add(self, *arguments, **environment):
        process = self.soak("add", *arguments, **environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def refuses(self, sentence, *arguments, **environment):
        """One sentence, exit 2, and nothing half-installed."""
        before = self.libs()
        process = self.soak(*arguments, **environment)
        self.assertRegex(process.stderr.splitlines()[-1], "^soak: libs: " + sentence)
        self.assertEqual(process.returncode, 2)
        self.assertEqual(self.libs(), before)

    def libs(self):
        return sorted(os.listdir(self.cache + "/libs")) if os.path.isdir(self.cache + "/libs") else []

    def listed(self):
        return [line.split()[:4] for line in self.soak().stdout.splitlines()]

    def make_prefix(self, name="libuv.so.1", header="uv.h"):
        prefix = self.folder + "/prefix"
        make_library(f"{prefix}/lib/{name}", name)
        if header:
            os.makedirs(prefix + "/include", exist_ok=True)
            with open(f"{prefix}/include/{header}", "w", encoding="ascii") as file:
                file.write("/* nothing */\n")
        return prefix


class FromDebian(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tiny = {}
        for name in ("libssl", "libcrypto"):
            make_library(f"{cls.work}/{name}.so.3", f"{name}.so.3")
            cls.tiny[f"usr/lib/{name}.so.3"] = f"{cls.work}/{name}.so.3"
        cls.headers = {"usr/include/openssl/ssl.h": "/* nothing */\n"}
        cls.mirror = Mirror(cls.work + "/mirror")
        add_openssl(cls.mirror, "trixie", "3.5.9-1", cls.tiny, cls.headers, "libssl3t64")
        add_openssl(cls.mirror, "trixie-security", "3.5.7-1~deb13u3", cls.tiny, cls.headers)
        cls.make_newer()
        for pocket in ("trixie", "trixie-security", "sid", "experimental"):
            cls.mirror.publish(pocket)

    @classmethod
    def make_newer(cls):
        """In experimental an OpenSSL that needs GLIBC_2.99, which sid's libc is."""
        versions = cls.work + "/versions"
        with open(versions, "w", encoding="ascii") as file:
            file.write("GLIBC_2.99 { newer; };\n")
        make_library(f"{cls.work}/newer/libc.so.6", "libc.so.6", "int newer(void) { return 1; }\n",
                     f"-Wl,--version-script={versions}")
        make_library(f"{cls.work}/newer/libm.so.6", "libm.so.6")
        make_library(f"{cls.work}/newer/libcrypto.so.4", "libcrypto.so.4",
                     "int newer(void); int tiny(void) { return newer(); }\n",
                     f"{cls.work}/newer/libc.so.6")
        make_library(f"{cls.work}/newer/libssl.so.4", "libssl.so.4")
        tree = {f"usr/lib/{name}": f"{cls.work}/newer/{name}"
                for name in ("libssl.so.4", "libcrypto.so.4")}
        add_openssl(cls.mirror, "experimental", "4.0.3-1", tree, cls.headers, "libssl4",
                    "libc6 (>= 2.99)")
        add_openssl(cls.mirror, "experimental", "4.1.0-1", tree, cls.headers, "libssl4")
        cls.mirror.add("sid", "libc6", "2.99-3",
                       {f"usr/lib/{name}": f"{cls.work}/newer/{name}"
                        for name in ("libc.so.6", "libm.so.6")})

    def setUp(self):
        super().setUp()
        self.options = ("--mirror", self.mirror.folder)

    def test_a_suite_gives_every_version_of_its_pockets(self):
        self.assertEqual(self.soak().stdout, "none yet; `soak libs add debian:trixie` fetches one\n")
        said = self.add("debian:trixie", *self.options)
        self.assertEqual(said.stderr, "soak: fetching openssl 3.5.7-1~deb13u3 of trixie-security\n"
                                      "soak: fetching openssl 3.5.9-1 of trixie\n")
        self.assertEqual(self.listed(),
                         [["openssl", "3.5.7", "3.5.7-1~deb13u3", "debian:trixie-security"],
                          ["openssl", "3.5.9", "3.5.9-1", "debian:trixie"]])
        document = json.loads(self.soak("--json").stdout)
        self.assertEqual(document["schema"], "soak-libs/1")
        lib = document["libs"][0]
        self.assertEqual((lib["soname"], lib["headers"]), (["libssl.so.3", "libcrypto.so.3"], True))
        self.assertTrue(os.path.isdir(lib["path"]))
        for folder in (self.cache, lib["path"]):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)

    def test_the_second_time_nothing_is_fetched(self):
        self.add("debian:trixie-security", *self.options)
        said = self.add("debian:trixie-security=3.5.7", *self.options)
        self.assertEqual(said.stderr, "")
        self.assertRegex(said.stdout, "3.5.7-1~deb13u3 of debian:trixie-security is here already\n$")
        self.assertEqual(len(self.listed()), 1)

    def test_a_version_that_is_not_there_is_told_with_those_that_are(self):
        self.refuses("debian:trixie has no openssl 3.5.1; it has 3.5.7-1~deb13u3, 3.5.9-1$",
                     "add", "debian:trixie=3.5.1", *self.options)
        self.refuses("debian:sid has no libuv$", "add", "debian:sid/libuv", *self.options)
        self.refuses("the mirror has no bookworm-updates$", "add", "debian:bookworm", *self.options)
        self.refuses("debian:buster: no such suite", "add", "debian:buster", *self.options)

    def test_a_new_version_is_found_although_the_lists_are_young(self):
        mirror = Mirror(self.folder + "/mirror")
        add_openssl(mirror, "sid", "3.6.5-1", self.tiny, self.headers)
        mirror.publish("sid")
        self.add("debian:sid", "--mirror", mirror.folder)
        add_openssl(mirror, "sid", "3.6.6-1", self.tiny, self.headers)
        mirror.publish("sid")
        self.add("debian:sid=3.6.6", "--mirror", mirror.folder)
        self.assertEqual([line[1] for line in self.listed()], ["3.6.5", "3.6.6"])

    def test_what_has_left_the_mirror_is_passed_over(self):
        mirror = Mirror(self.folder + "/mirror")
        add_openssl(mirror, "trixie", "3.5.9-1", self.tiny, self.headers)
        add_openssl(mirror, "trixie-security", "3.5.7-1", self.tiny, self.headers)
        for pocket in ("trixie", "trixie-security"):
            mirror.publish(pocket)
        for path in glob.glob(mirror.folder + "/pool/*3.5.7*"):
            os.unlink(path)
        self.refuses("debian:trixie-security: nothing could be fetched$", "add",
                     "debian:trixie-security", "--mirror", mirror.folder)
        said = self.add("debian:trixie", "--mirror", mirror.folder)
        self.assertIn("is in the lists of trixie-security and no longer on the mirror\n", said.stderr)
        self.assertEqual(self.libs(), ["openssl-3.5.9"])

    def test_a_mirror_that_fails_is_another_thing_than_a_version_that_has_left_it(self):
        mirror = Mirror(self.folder + "/mirror")
        for version in ("3.5.7-1", "3.5.9-1"):
            add_openssl(mirror, "trixie", version, self.tiny, self.headers)
        mirror.publish("trixie")
        os.mkdir(self.folder + "/bin")
        with open(self.folder + "/bin/apt-get", "w", encoding="ascii") as file:
            file.write(APT_GET.format(real=shutil.which("apt-get"), count=self.folder + "/downloads"))
        os.chmod(self.folder + "/bin/apt-get", 0o755)
        said = self.run_soak("libs", "add", "debian:trixie", "--mirror", mirror.folder,
                             PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        self.assertNotEqual(said.returncode, 0, said.stderr)
        self.assertEqual(said.stderr.count("no longer on the mirror"), 1, said.stderr)
        self.assertIn("can't be fetched from trixie: E: Could not resolve", said.stderr)

    def test_a_newer_libc_comes_with_the_library(self):
        self.add("debian:experimental=4.0.3", *self.options)
        self.assertEqual([line[:2] for line in self.listed()],
                         [["openssl", "4.0.3"], ["libc", "2.99"]])
        lib = json.loads(self.soak("--json").stdout)["libs"][0]
        self.assertEqual((lib["glibc"], lib["libc"]), ("2.99", "2.99"))

    def test_a_libc_that_is_nowhere_leaves_nothing(self):
        mirror = Mirror(self.folder + "/mirror")
        mirror.packages = {"experimental": self.mirror.packages["experimental"]}
        shutil.rmtree(mirror.folder + "/pool")
        os.symlink(self.mirror.folder + "/pool", mirror.folder + "/pool")
        for pocket in ("experimental", "sid"):
            mirror.publish(pocket)
        self.refuses("openssl 4.0.3-1 needs libc 2.99, and sid has none as new$", "add",
                     "debian:experimental=4.0.3", "--mirror", mirror.folder)

    def test_what_the_machine_lacks_comes_from_the_suite_too(self):
        mirror = Mirror(self.folder + "/mirror")
        extra = self.folder + "/libextra.so.1"
        make_library(extra, "libextra.so.1")
        make_library(self.folder + "/libcrypto.so.3", "libcrypto.so.3", "int more;\n",
                     "-Wl,--no-as-needed", extra)
        tree = dict(self.tiny, **{"usr/lib/libcrypto.so.3": self.folder + "/libcrypto.so.3"})
        for version, pocket in (("3.6.5-1", "sid"), ("3.5.9-1", "trixie")):
            add_openssl(mirror, pocket, version, tree, self.headers,
                        depends="libc6 (>= 2.34), libextra1 (>= 1)")
        mirror.add("sid", "libextra1", "1-1", {"usr/lib/libextra.so.1": extra})
        mirror.add("trixie", "libextra1", "1-2", {"usr/lib/libother.so.1": extra})
        for pocket in ("sid", "trixie"):
            mirror.publish(pocket)
        self.add("debian:sid", "--mirror", mirror.folder)
        self.assertTrue(os.path.exists(
            self.cache + "/libs/openssl-3.6.5/root/usr/lib/libextra.so.1"))
        self.refuses("openssl 3.5.9-1 needs libextra.so.1, and neither its suite nor this machine "
                     "has it$", "add", "debian:trixie", "--mirror", mirror.folder)

    def test_without_a_network_one_sentence_says_so(self):
        """Nothing listens on a port that was just given back."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        self.refuses("the package lists of sid can't be fetched: E: .*; the whole output is in "
                     ".*/apt/sid/log$", "add", "debian:sid", "--mirror", f"http://127.0.0.1:{port}")

    def test_a_mirror_without_debians_signature_is_refused(self):
        """The same packages as in the folder, which is trusted since its user named it."""
        handler = functools.partial(Silent, directory=self.mirror.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.refuses("the package lists of trixie-security can't be fetched: E: .*not signed", "add", "debian:trixie",
                         "--mirror", f"http://127.0.0.1:{server.server_port}", no_proxy="127.0.0.1")
            server.shutdown()

    def test_an_apt_without_debian_says_so(self):
        empty = self.folder + "/apt.conf"
        with open(empty, "w", encoding="ascii") as file:
            file.write('Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n')
        self.refuses("this machine's apt has no lists of Debian; run apt-get update, or give "
                     "--mirror$", "add", "debian:sid", APT_CONFIG=empty)

    def test_a_library_is_removed_by_its_name(self):
        self.add("debian:trixie", *self.options)
        self.refuses("3.5: no such library; `soak libs` lists them$", "remove", "3.5")
        self.assertEqual(self.soak("remove", "3.5.7", "openssl-3.5.9").returncode, 0)
        self.assertEqual(self.libs(), [])

    def test_nonsense_in_a_record_is_told(self):
        self.add("debian:trixie-security", *self.options)
        record = self.cache + "/libs/openssl-3.5.7/lib.json"
        with open(record, "w", encoding="ascii") as file:
            file.write("{}")
        self.refuses(".*/openssl-3.5.7/lib.json: 'part' isn't what soak writes")


class FromFiles(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_library(cls.work + "/libuv.so.1", "libuv.so.1")
        library = {"usr/lib/libuv.so.1": cls.work + "/libuv.so.1"}
        headers = {"usr/include/uv.h": "/* nothing */\n"}
        cls.runtime = make_deb(cls.work, "libuv1t64", "1.50.0-2", library)
        cls.dev = make_deb(cls.work, "libuv1-dev", "1.50.0-2", headers)
        cls.older_dev = make_deb(cls.work, "libuv1-dev", "1.44.2-1", headers)
        cls.other = make_deb(cls.work, "zlib1g", "1.3-1", library)

    def test_files_together_are_one_library(self):
        self.add(self.runtime)
        self.assertFalse(json.loads(self.soak("--json").stdout)["libs"][0]["headers"])
        self.add(self.dev, self.runtime)
        libs = json.loads(self.soak("--json").stdout)["libs"]
        self.assertEqual([(lib["name"], lib["headers"]) for lib in libs], [("1.50.0", True)])
        self.assertIn("is here already", self.add(self.runtime).stdout)

    def test_what_is_no_library_is_refused(self):
        broken = self.folder + "/libuv1_1_all.deb"
        with open(self.runtime, "rb") as file, open(broken, "wb") as out:
            out.write(file.read()[:300])
        self.refuses("libuv1t64 1.50.0-2 and libuv1-dev 1.44.2-1 aren't one library", "add",
                     self.runtime, self.older_dev)
        self.refuses(".*zlib1g is not a package of openssl, libuv, jemalloc or libc$", "add", self.other)
        self.refuses(".*/libuv1_1_all.deb: dpkg-deb: error: .*whole output is in .*deb.log$", "add",
                     broken)
        self.refuses(".*/root: there is no libuv.so in it$", "add", self.dev)
        self.refuses("nowhere.deb: No such file or directory$", "add", "nowhere.deb")

    def test_a_package_cut_off_in_the_middle_leaves_nothing(self):
        """Its control fields can still be read."""
        broken = self.folder + "/libuv1_1_all.deb"
        with open(self.runtime, "rb") as file, open(broken, "wb") as out:
            content = file.read()
            out.write(content[:len(content) * 3 // 4])
        self.refuses(".*/libuv1_1_all.deb: .*", "add", broken)

    def test_a_package_that_unpacks_to_10_gib_is_refused_before_the_disk_fills(self):
        for part in ("control", "data"):
            bomb = make_bomb(self.folder, "libuv1", part, 10)
            self.assertLess(os.path.getsize(bomb), 16 << 20)
            self.refuses(".*/libuv1_1_[a-z0-9]+.deb: it would unpack to more than 1024 MiB$", "add", bomb)
            self.assertLess(sum(os.path.getsize(os.path.join(folder, name))
                                for folder, _, names in os.walk(self.cache) for name in names), 1 << 20)

    def test_no_package_is_unpacked_where_the_link_of_another_leads(self):
        outside = self.folder + "/outside"
        os.mkdir(outside)
        file = write_deb(self.folder, "libuv1-dev", "1.2.3", bare_tar("usr/lib/evil", "evil"))
        for link in (outside, "../" * 40 + outside.lstrip("/")):
            first = write_deb(self.folder, "libuv1", "1.2.3", bare_tar("usr/lib", link=link))
            self.refuses(".*/root: there is no libuv.so in it$", "add", first, file)
            self.assertEqual(os.listdir(outside), [])

    def test_a_link_to_a_folder_of_its_own_package_stays(self):
        """Such as libssl-dev's; wherever it leads, nothing is written through it."""
        tree = {"usr/lib/libuv.so.1": self.work + "/libuv.so.1", "usr/share/doc": self.folder + "/linked"}
        os.mkdir(self.folder + "/linked")
        os.symlink("../../include", self.folder + "/linked/libuv1")
        os.symlink("/etc", self.folder + "/linked/etc")
        self.add(make_deb(self.folder, "libuv1t64", "1.50.1-1", tree),
                 make_deb(self.folder, "libuv1-dev", "1.50.1-1", {"usr/include/uv.h": "/* nothing */\n"}))
        docs = self.cache + "/libs/libuv-1.50.1/root/usr/share/doc/"
        self.assertEqual([os.readlink(docs + name) for name in ("libuv1", "etc")], ["../../include", "/etc"])
        self.assertEqual(os.listdir(docs + "libuv1"), ["uv.h"])

    def test_a_real_libssl_is_a_library_without_headers(self):
        files = glob.glob(SHARED_DEBS + "/libssl3_3.0.22*.deb")
        if not files:
            self.skipTest("../shared/debs has no libssl3 3.0.22")
        self.add(files[0])
        self.assertEqual(self.listed()[0][:2], ["openssl", "3.0.22"])
        lib = json.loads(self.soak("--json").stdout)["libs"][0]
        self.assertEqual((lib["soname"], lib["headers"]), (["libssl.so.3", "libcrypto.so.3"], False))


class Refusals(Case):
    def test_a_bad_command_gets_one_sentence(self):
        for arguments, sentence in (
                (["ad"], "ad: there are add, remove and program"),
                (["add"], "add what\\? Such as debian:trixie"),
                (["remove"], "remove which\\?"),
                (["remove", "x"], "x: no such library"),
                (["--mirrr", "x"], "--mirrr: no such option"),
                (["add", "trixie"], "trixie: not a library; give debian:SUITE"),
                (["add", "debian:sid/zlib"], "debian:sid/zlib: no such part"),
                (["add", "debian:sid=a b"], "debian:sid=a b: this is neither a name that `soak libs` lists nor a version"),
                (["add", "debian:sid", "--mirror", "a b"], "--mirror a b: it isn't an address")):
            with self.subTest(arguments=arguments):
                self.refuses(sentence, *arguments)

    def test_a_cache_that_cannot_be_is_told(self):
        self.refuses("there is no place for libraries", SOAK_CACHE="", XDG_CACHE_HOME="", HOME="")
        self.refuses("SOAK_CACHE=here: an absolute path", "add", "debian:sid", SOAK_CACHE="here")
        self.refuses("/dev/null: the folder can't be made: Not a", "add", "debian:sid",
                     SOAK_CACHE="/dev/null/x")

    def test_a_wrong_prefix_is_told(self):
        self.refuses("/nowhere: No such file", "add", "mine=/nowhere")
        self.refuses(".*: there is no libssl.so, libuv.so or libjemalloc.so", "add",
                     f"mine={self.folder}")
        prefix = self.make_prefix(header=None)
        self.refuses(".*: there is no include/uv.h in it", "add", f"mine={prefix}")
        shutil.rmtree(prefix)
        os.makedirs(prefix + "/lib64")
        with open(prefix + "/lib64/libssl.a", "w", encoding="ascii"):
            pass
        self.refuses(".*: it has libssl.a only; build it with shared libraries", "add",
                     f"mine={prefix}")

    def test_a_name_of_any_length_is_refused_not_cut(self):
        prefix = self.make_prefix()
        for length in (64, 5000):
            self.refuses("a{40}\\.\\.\\.: a name has at most 63 characters", "add",
                         f"{'a' * length}={prefix}")

    def test_all_words_are_looked_at_before_the_first_is_added(self):
        prefix = self.make_prefix()
        for bad in ("debian:nosuch", "debian:sid=X25519", "debian:sid/nosuch", "x=/nowhere",
                    "nowhere.deb", "what"):
            process = self.soak("add", f"mine={prefix}", bad)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertNotIn("building", process.stderr)
            self.assertEqual(self.libs(), [])

    def test_a_bad_name_is_told(self):
        prefix = self.make_prefix()
        for name in ("a b", "system", "../x", "-x"):
            with self.subTest(name=name):
                self.refuses(".*: a name has letters, digits", "add", "--", f"{name}={prefix}")


class Assembly(Case):
    """The server on other libraries. The project is a folder of links, with a build/ of its own."""

    def setUp(self):
        super().setUp()
        self.root = self.folder + "/project"
        os.mkdir(self.root)
        for name in os.listdir(SOURCE):
            if not name.startswith((".", "build")):
                os.symlink(f"{SOURCE}/{name}", f"{self.root}/{name}")
        self.of_project = dict(os.environ, SOAK_ROOT=self.root, SOAK_CACHE=self.cache)

    def assemble(self, *arguments, code=0):
        words = [*arguments, *[""] * 4][:max(4, len(arguments))]
        process = subprocess.run([BUILD + "/bin/make-assembly", *words], capture_output=True,
                                 text=True, timeout=PATIENCE_S, check=False, env=self.of_project)
        self.assertEqual(process.returncode, code, process.stderr)
        return without_waits(process)

    def mapped_by_server(self, said, *request):
        """What assembly_owns of the server's maps once it serves."""
        fields = dict(line.split(" ", 1) for line in said.stdout.splitlines()[:2])
        environment = dict(os.environ, LD_LIBRARY_PATH=fields["library_path"])
        with subprocess.Popen([fields["folder"] + "/soak-server"], stdout=subprocess.PIPE, text=True,
                              env=environment) as server:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            socket.create_connection(("127.0.0.1", port)).close()
            shutil.copy(f"/proc/{server.pid}/maps", self.folder + "/maps")
            self.assertEqual(os.readlink(f"/proc/{server.pid}/exe"),
                             os.path.realpath(fields["folder"] + "/soak-server"))
            server.terminate()
            self.assertEqual(server.wait(), 0)
        words = [*request, *[""] * 4][:4] + [self.folder + "/maps"]
        said = self.assemble(*words).stdout
        return [line.split()[1:] for line in said.splitlines() if line.startswith("mapped ")]

    def own_libuv(self):
        """The build's own libuv as what a package of it has: the library, the headers."""
        folder = include_folder("libuv", "uv.h")
        return ({"usr/lib/libuv.so.1": mapped_libraries()["libuv.so.1"]},
                {"usr/include/uv.h": folder + "/uv.h", "usr/include/uv": folder + "/uv"})

    def test_a_library_without_headers_runs_the_builds_own_server(self):
        self.add(make_deb(self.folder, "libuv1", "9.9.9-1", self.own_libuv()[0]))
        said = self.assemble("", "9.9.9")
        self.assertIn(f"folder {os.path.realpath(BUILD)}/bin\n", said.stdout)
        self.assertEqual(self.mapped_by_server(said, "", "9.9.9"),
                         [["libuv", self.cache + "/libs/libuv-9.9.9/root/usr/lib/libuv.so.1"]])
        self.assertFalse(os.path.exists(self.root + "/build"))

    def test_a_version_is_fetched_and_built_once_by_two_who_ask_at_once(self):
        mirror = Mirror(self.folder + "/mirror")
        library, headers = self.own_libuv()
        mirror.add("sid", "libuv1t64", "9.9.9-1", library)
        mirror.add("sid", "libuv1-dev", "9.9.9-1", headers, "libuv1t64 (= 9.9.9-1)")
        mirror.publish("sid")
        self.of_project["SOAK_MIRROR"] = mirror.folder
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            first, second = both.map(lambda asked: self.assemble("", asked), ["9.9.9", "9.9"])
        said = first.stderr + second.stderr
        self.assertEqual(said.count("soak: fetching libuv 9.9.9-1 of sid\n"), 1, said)
        self.assertEqual(said.count("soak: building the server for libuv-9.9.9\n"), 1, said)
        self.assertEqual(first.stdout, second.stdout)
        self.assertIn(f"folder {self.root}/build/libs/libuv-9.9.9/bin\nlibrary_path \n",
                      first.stdout)
        self.assertEqual(self.mapped_by_server(first, "", "9.9.9"),
                         [["libuv", self.cache + "/libs/libuv-9.9.9/root/usr/lib/libuv.so.1"]])
        self.assertEqual(self.assemble("", "9.9.9").stderr, "")
        self.assertRegex(self.assemble("", "9.8", code=2).stderr,
                         "no suite of Debian has libuv 9.8; there are 9.9.9-1\n$")
        self.check_that_it_is_built_again()

    def test_a_signal_ends_what_waits_for_another_that_builds_the_same(self):
        """Whatever it has run before: here what fetches the version."""
        mirror = Mirror(self.folder + "/mirror")
        library, headers = self.own_libuv()
        mirror.add("sid", "libuv1t64", "9.9.9-1", library)
        mirror.add("sid", "libuv1-dev", "9.9.9-1", headers, "libuv1t64 (= 9.9.9-1)")
        mirror.publish("sid")
        os.makedirs(self.root + "/build/libs")
        with open(self.root + "/build/libs/libuv-9.9.9.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = subprocess.Popen([SOAK, "run", "--libuv", "9.9.9", "--results", self.folder + "/runs"],
                                       env=dict(self.of_project, SOAK_MIRROR=mirror.folder),
                                       stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            said = until_said(process.stderr, "waiting for it")
            self.assertIn("soak: fetching libuv 9.9.9-1 of sid\n", said)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def check_that_it_is_built_again(self):
        """When the library has changed. The build is made to fail: it would take a while."""
        stamp = self.root + "/build/libs/libuv-9.9.9/ready"
        shutil.copy2(stamp, self.folder + "/ready")
        os.unlink(self.root + "/CMakeLists.txt")
        library = self.cache + "/libs/libuv-9.9.9/root/usr/lib/libuv.so.1"
        with self.subTest("another file that is as old"):
            shutil.copy2(library, library + ".new")
            os.replace(library + ".new", library)
            self.check_that_it_fails_to_build()
        with self.subTest("a library that was added anew"):
            os.makedirs(os.path.dirname(stamp), exist_ok=True)
            shutil.copy2(self.folder + "/ready", stamp)
            later = time.time() + 9
            os.utime(self.cache + "/libs/libuv-9.9.9/lib.json", (later, later))
            self.check_that_it_fails_to_build()

    def check_that_it_fails_to_build(self):
        self.assertRegex(self.assemble("", "9.9.9", code=2).stderr,
                         "building the server for libuv-9.9.9\nlibuv-9.9.9: CMake Error")

    def test_a_prefix_without_what_the_server_needs_is_refused_by_name(self):
        prefix = self.folder + "/prefix"
        folder = include_folder("libuv", "uv.h")
        make_library(prefix + "/lib/libuv.so.1", "libuv.so.1")
        os.mkdir(prefix + "/include")
        shutil.copy(folder + "/uv.h", prefix + "/include")
        shutil.copytree(folder + "/uv", prefix + "/include/uv")
        self.refuses("libuv-mine: it lacks uv_\\w+, .* and [0-9]+ more, which the server needs; the "
                     "build's output is in .*/build/libs/libuv-mine.log$", "add", f"mine={prefix}",
                     SOAK_ROOT=self.root)
        self.assertEqual(self.libs(), [])

    def test_what_builds_gets_only_what_is_listed_of_the_environment(self):
        os.mkdir(self.folder + "/bin")
        with open(self.folder + "/bin/cmake", "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\ncat /proc/$$/environ >{self.folder}/environment\nexit 1\n")
        os.chmod(self.folder + "/bin/cmake", 0o755)
        listed = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": self.folder, "CFLAGS": "-Wall",
                  "http_proxy": "http://127.0.0.1:9/"}
        planted = {"SECRET": "x", "PATH_OF_MINE": "x", "SSLKEYLOGFILE": "/dev/null", "SOAK_JOIN_TOKEN": "f" * 64,
                   "MAKEFLAGS": "-n", "LC_ALL": "de_DE.UTF-8"}
        subprocess.run([SOAK, "libs", "add", f"mine={self.make_prefix()}"], capture_output=True, check=False,
                       timeout=PATIENCE_S, env=dict(os.environ, SOAK_ROOT=self.root, SOAK_CACHE=self.cache, **listed,
                                                    **planted))
        with open(self.folder + "/environment", encoding="utf-8") as file:
            seen = dict(word.split("=", 1) for word in file.read().split("\0") if word)
        self.assertEqual({name: seen.pop(name, None) for name in listed}, listed)
        self.assertEqual(seen.pop("LC_ALL"), "C")
        self.assertLessEqual(seen.keys(), {"TMPDIR", "https_proxy", "all_proxy", "no_proxy", "APT_CONFIG", "CC",
                                           "CPPFLAGS", "LDFLAGS", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR",
                                           "CMAKE_PREFIX_PATH", "CMAKE_C_COMPILER_LAUNCHER"})

    def test_ctrl_c_while_building_leaves_nothing_behind(self):
        """The signal reaches what cmake has started, and a second one what pays no heed."""
        os.mkdir(self.folder + "/bin")
        for trap, signals in (("", 1), (f'trap "echo >>{self.folder}/heeded" TERM INT', 2)):
            stay = "while :; do sleep 1; done"  # a shell runs its trap between two commands only
            with open(self.folder + "/bin/cmake", "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\n{trap}\nsh -c '{trap}\n echo $$ >{self.folder}/pid\n{stay}'\n{stay}\n")
            os.chmod(self.folder + "/bin/cmake", 0o755)
            with self.subTest(trap=trap):
                self.interrupt_build(signals)

    def written(self, name):
        """What the file of the folder has; "" before it is there."""
        try:
            with open(f"{self.folder}/{name}", encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def interrupt_build(self, signals):
        names = dict(os.environ, SOAK_ROOT=self.root, SOAK_CACHE=self.cache,
                     PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        process = subprocess.Popen([SOAK, "libs", "add", f"mine={self.make_prefix()}"], env=names,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        pid = until(lambda: self.written("pid"), "the build is under way").strip()
        os.unlink(self.folder + "/pid")
        process.send_signal(signal.SIGINT)
        if signals > 1:  # two that come at once are one to the kernel
            until(lambda: self.written("heeded"), "the first has reached the build")
            process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE_S)[1]
        self.assertRegex(said, "soak: libs: interrupted\n$")
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.libs(), [])
        until(lambda: gone(pid), f"{pid} has ended")

    def test_what_cannot_be_assembled_is_told(self):
        make_library(self.folder + "/libuv.so.7", "libuv.so.7")
        self.add(make_deb(self.folder, "libuv1", "7-1",
                          {"usr/lib/libuv.so.7": self.folder + "/libuv.so.7"}))
        self.assertEqual(self.assemble("", "7", code=2).stderr,
                         "libuv 7 is libuv.so.7, another than this machine's, and has no headers: "
                         "add its libuv1-dev package with it\n")
        self.assertEqual(self.assemble("", "/nowhere", code=2).stderr,
                         "/nowhere: No such file or directory\n")

    def soak_of(self, *arguments):
        return subprocess.run([SOAK, *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False, env=self.of_project)

    def test_a_suite_says_why_a_server_could_not_be_built(self):
        """Not that it was being built, which comes first."""
        os.mkdir(self.folder + "/bin")
        with open(self.folder + "/bin/cmake", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho 'CMake Error: it is broken'\nexit 1\n")
        os.chmod(self.folder + "/bin/cmake", 0o755)
        self.of_project["PATH"] = f"{self.folder}/bin:{os.environ['PATH']}"
        with open(self.folder + "/mine.soak", "w", encoding="ascii") as file:
            file.write(f"[server]\nlibuv = {self.make_prefix()}\n")
        process = self.soak_of("suite", self.folder + "/mine.soak", "--results", self.folder + "/runs")
        said = process.stdout + process.stderr
        self.assertEqual(process.returncode, 4, said)
        self.assertIn("CMake Error: it is broken", " ".join(said.split()))
        self.assertNotIn("building the server", said)

    def test_one_library_by_two_names_is_not_compared_with_itself(self):
        self.add(make_deb(self.folder, "libuv1", "9.9.9-1", self.own_libuv()[0]))
        process = self.soak_of("compare", "smoke", "--libuv", "9.9.9,9.9.9-1", "--repeat", "1", "--closed", "300",
                               "--results", self.folder + "/runs")
        self.assertEqual((process.returncode, process.stderr),
                         (2, "soak: compare: --libuv: 9.9.9 and 9.9.9-1 are the same library, 9.9.9\n"))

    def test_what_cannot_be_a_version_is_refused_at_once(self):
        self.of_project["SOAK_MIRROR"] = self.folder + "/no-mirror"
        for option, asked, said in (
                ("openssl", "X25519", "neither a name that `soak libs` lists nor a version"),
                ("openssl", "999h", "neither a name that `soak libs` lists nor a version"),
                ("openssl", "1.0.2", "too old: soak needs openssl 1.1.1 or newer"),
                ("libuv", "1.39.0", "too old: soak needs libuv 1.40 or newer"),
                ("openssl", "9" * 900, r"at most 63 characters")):
            for command in (("run", "smoke"), ("suite", "smoke"), ("show", "smoke")):
                process = self.soak_of(*command, f"--{option}", asked)
                self.assertEqual(process.returncode, 2, process.stderr)
                self.assertRegex(process.stderr, rf"\Asoak: .*--{option} {asked[:60]}\S*: .*{said}")
            process = self.soak_of("compare", "smoke", f"--{option}", f"3.0.17,{asked[:60]}")
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertRegex(process.stderr, rf"\Asoak: compare: --{option} ")
        self.assertFalse(os.path.exists(self.cache + "/apt"))

    def test_all_names_are_known_before_anything_is_fetched(self):
        mirror = Mirror(self.folder + "/mirror")
        library, headers = self.own_libuv()
        for version in ("9.9.9-1", "9.5.1-1", "9.5.2-1"):
            mirror.add("sid", "libuv1t64", version, library)
            mirror.add("sid", "libuv1-dev", version, headers, f"libuv1t64 (= {version})")
        mirror.publish("sid")
        self.of_project["SOAK_MIRROR"] = mirror.folder
        for names, code, said in (("9.9.9,9.5", 2, r"libuv 9.5: is that 9\.5\.\d or 9\.5\.\d\?"),
                                  ("9.9.9,9.8", 77, "no suite of Debian has libuv 9.8; there are .*9.9.9-1")):
            process = self.soak_of("compare", "smoke", "--libuv", names)
            self.assertEqual(process.returncode, code, process.stderr)
            self.assertRegex(process.stderr, rf"soak: compare: {said}")
            self.assertNotIn("fetching", process.stderr)
            self.assertNotIn("building", process.stderr)
            self.assertEqual(self.libs(), [])

    def test_the_builds_own_is_what_nobody_asks_for(self):
        said = self.assemble("system", "", "system")
        self.assertEqual(said.stdout, f"folder {os.path.realpath(BUILD)}/bin\nlibrary_path \n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
