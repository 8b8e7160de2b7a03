# SPDX-License-Identifier: Apache-2.0
"""The launchers, in a small copy of the tree. Every command that could install or build is a stub that
notes its call, and PATH holds nothing else but the few tools that the scripts need."""

import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S, until

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOLS = """sh env cat cp chmod date dirname find flock grep id mkdir mv nproc readlink rm sed sleep
sort touch tr ls""".split()

# Makes a build folder as cmake would, and refuses the cache of another one: the "program" prints its
# arguments and SOAK_ROOT.
CMAKE = """
case $1 in
-S)
    mkdir -p "$4"
    if [ -e "$4/CMakeCache.txt" ] && ! grep -q "=$2\$" "$4/CMakeCache.txt"; then exit 1; fi
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=$2" >"$4/CMakeCache.txt"
    [ -z "${CONFIGURE_FAILS-}" ] || { echo "CMake Error: no luck"; exit 1; }
    ;;
--build)
    left=0
    case $* in *programs) left=${HOLD_BUILD-0} ;; esac
    while [ "$left" -gt 0 ] && [ ! -e "$STUBS/release" ]; do sleep 0.02; left=$((left - 1)); done
    [ -z "${BUILD_FAILS-}" ] || { echo "a.c:3: error: a slip"; exit 1; }
    for percent in ${PERCENT-"  5" " 40" "100"}; do
        echo "[$percent%] Building C object a.o"
        sleep "${PAUSE-0}"
    done
    mkdir -p "$2/bin"
    rm -f "$2/bin/soak"
    cp "$STUBS/program" "$2/bin/soak"
    chmod +x "$2/bin/soak"
    ;;
esac
"""
# As soak does while it alone is built: help and refusals at once, 75 for what starts a program.
PROGRAM = """#!/bin/sh
case ${SOAK_UNBUILT-}/$1 in
*/--help) echo help; exit 0 ;;
*/--bad) echo "soak: --bad: no such option" >&2; exit 2 ;;
1/*) exit 75 ;;
esac
echo "ran $SOAK_ROOT $*"
exit 3
"""
# Succeeds for the modules that "are installed"; the fake apt-get installs by making files.
PKG_CONFIG = '[ -e "$STUBS/have-$2" ]'
APT_GET = """
case " $* " in *" install "*) ;; *) exit 0 ;; esac
if [ -n "${APT_FAILS-}" ]; then
    echo "E: Unable to locate package libinih-dev"
    exit 100
fi
for module in $MODULES; do touch "$STUBS/have-$module"; done
"""
NEEDS = [line.split() for line in (SOURCE / "scripts/needs.txt").read_text(encoding="utf-8").splitlines()
         if not line.startswith("#")]
MODULES = [name for kind, name, _, group in NEEDS if (kind, group) == ("module", "run")]


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak launcher ")
        self.addCleanup(folder.cleanup)
        self.base = pathlib.Path(folder.name).resolve()
        self.tree, self.stubs = self.base / "tree", self.base / "stubs"
        self.make_tree()
        self.stubs.mkdir()
        for tool in TOOLS:
            (self.stubs / tool).symlink_to(shutil.which(tool))
        self.stub("cmake", CMAKE)
        (self.stubs / "program").write_text(PROGRAM)
        self.stub("pkg-config", PKG_CONFIG)
        for name in ("cc", "make"):
            self.stub(name, "")
        for module in MODULES:
            (self.stubs / f"have-{module}").touch()

    def make_tree(self):
        shutil.copytree(SOURCE / "scripts", self.tree / "scripts")
        for name in ("soak", "check", "CMakeLists.txt"):
            shutil.copy(SOURCE / name, self.tree / name)
        for name in ("src", "server", "client", "bench"):
            (self.tree / name).mkdir()
            (self.tree / name / "a.c").touch()

    def stub(self, name, body):
        path = self.stubs / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$STUBS/calls"\n{body}\n')
        path.chmod(0o755)

    def environment(self, **more):
        return {"PATH": str(self.stubs), "STUBS": str(self.stubs), "MODULES": " ".join(MODULES),
                "HOME": "/nonexistent", **more}

    def run_soak(self, *arguments, program=None, cwd="/", **more):
        return subprocess.run(
            [program or self.tree / "soak", *arguments], cwd=cwd, env=self.environment(**more),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def calls(self, name):
        path = self.stubs / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(name + " ")]

    def lose(self, *modules):
        for module in modules:
            (self.stubs / f"have-{module}").unlink()

    def become_user(self):
        self.stub("id", "echo 1000")

    # Running

    def test_a_fresh_tree_is_built_and_run(self):
        result = self.run_soak("--conns", "30")
        self.assertEqual(result.stdout, f"ran {self.tree} --conns 30\n")
        self.assertEqual(result.returncode, 3, "the program's own exit code")
        first, second = self.calls("cmake --build")
        self.assertTrue(first.endswith(" --target soak"), first)
        self.assertTrue(second.endswith(" --target programs"), second)
        self.assertEqual(self.calls("apt-get"), [])

    def test_a_tree_with_tests_keeps_them(self):
        self.run_soak("--conns", "30")
        self.assertNotIn("SOAK_TESTS=OFF", "".join(self.calls("cmake -S")))

    def test_warnings_are_errors_where_it_is_asked_for(self):
        self.run_soak()
        self.assertNotIn("WERROR", "".join(self.calls("cmake -S")), "a build that was made strict stays so")
        self.edit(self.tree / "src/a.c", self.tree / "build/.ready")
        self.run_soak(SOAK_WERROR="ON")
        self.assertTrue(self.calls("cmake -S")[-1].endswith(" -DSOAK_WERROR=ON"))

    def test_help_and_refusals_wait_for_soak_alone(self):
        for word, code, output, error in (("--help", 0, "help\n", ""),
                                          ("--bad", 2, "", "soak: --bad: no such option\n")):
            before = len(self.calls("cmake --build"))
            result = self.run_soak(word)
            self.assertEqual((result.returncode, result.stdout), (code, output))
            self.assertTrue(result.stderr.endswith(error), result.stderr)
            self.assertEqual([c.endswith(" --target soak") for c in self.calls("cmake --build")[before:]],
                             [True] if before == 0 else [], "soak is built once")
        self.assertEqual(self.run_soak("x").returncode, 3)
        self.assertTrue(self.calls("cmake --build")[-1].endswith(" programs"))

    def test_a_build_says_how_far_it_is_and_how_to_stop_it(self):
        result = self.run_soak("x", PAUSE="0.6")
        self.assertIn("soak: building soak (Release); Ctrl-C stops it, and the next call goes on from "
                      "there\n", result.stderr)
        self.assertIn("soak: building server and client\n", result.stderr)
        self.assertNotIn("%", result.stderr, "it took less than 10 s")
        self.assertIn("[ 40%]", (self.tree / "build/setup.log").read_text())

    def test_a_long_build_says_its_percentage_now_and_then(self):
        script = self.tree / "scripts/setup.sh"
        script.write_text(script.read_text().replace("every=10 ", "every=1 "))
        result = self.run_soak("x", PAUSE="1.1")
        self.assertRegex(result.stderr, r"(?m)^soak: building soak: 40 % after [1-9]\d*s$")
        self.assertRegex(result.stderr, r"(?m)^soak: building server and client: 40 % after [1-9]\d*s$")

    def test_on_a_terminal_the_percentage_is_drawn_again_and_leaves_nothing(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([self.tree / "soak", "x"], env=self.environment(), stdout=slave,
                                   stderr=slave, stdin=subprocess.DEVNULL)
        os.close(slave)
        said = b""
        try:
            while data := os.read(master, 4096):
                said += data
        except OSError:  # the other end is closed
            pass
        os.close(master)
        self.assertEqual(process.wait(PATIENCE_S), 3)
        self.assertRegex(said, rb"\r\033\[Ksoak: building soak: 40 %, \d+s\r\033\[K")
        last = said.decode().splitlines()[-1].split("\033[K")[-1]
        self.assertEqual(last, f"ran {self.tree} x")

    def test_works_from_another_folder_through_a_symlink(self):
        elsewhere = self.base / "bin dir"
        elsewhere.mkdir()
        (elsewhere / "one").symlink_to(self.tree / "soak")
        (elsewhere / "two").symlink_to("one")
        result = self.run_soak("a b", program=elsewhere / "two", cwd=elsewhere)
        self.assertEqual(result.stdout, f"ran {self.tree} a b\n", result.stderr)

    def test_the_program_knows_how_it_was_called(self):
        """So it can be typed again where it was."""
        (self.stubs / "program").write_text('#!/bin/sh\necho "$SOAK_COMMAND"\n')
        elsewhere = self.base / "bin"
        elsewhere.mkdir()
        (elsewhere / "soak").symlink_to(self.tree / "soak")
        self.run_soak()
        for called, cwd in (("./soak", self.tree), ("../tree/soak", elsewhere), (self.tree / "soak", "/"),
                            (elsewhere / "soak", "/")):
            result = self.run_soak(program=called, cwd=cwd)
            self.assertEqual(result.stdout, f"{called}\n", result.stderr)
        result = self.run_soak("soak", program="sh", cwd=self.tree)
        self.assertEqual(result.stdout, "./soak\n", result.stderr)
        result = self.run_soak(program="soak", cwd="/", PATH=f"{elsewhere}:{self.stubs}")
        self.assertEqual(result.stdout, f"{elsewhere}/soak\n", result.stderr)

    def test_a_built_tree_is_run_at_once_and_silently(self):
        self.run_soak()
        (self.stubs / "calls").unlink()
        result = self.run_soak("x")
        self.assertEqual((result.stdout, result.stderr), (f"ran {self.tree} x\n", ""))
        self.assertFalse((self.stubs / "calls").exists(), "nothing was asked or built")

    def test_a_touched_source_is_built_again(self):
        for name in ("src/a.c", "server/a.c", "client/a.c", "bench/a.c", "CMakeLists.txt"):
            self.run_soak()
            before = len(self.calls("cmake --build"))
            self.run_soak()
            self.run_soak("--help")
            self.assertEqual(len(self.calls("cmake --build")), before)
            self.edit(self.tree / name, self.tree / "build/.ready")
            self.assertIn("building what has changed", self.run_soak().stderr)
            self.assertEqual(len(self.calls("cmake --build")), before + 2, name)

    def test_an_edit_during_the_build_is_not_lost(self):
        with self.start_held_build():
            self.edit(self.tree / "src/a.c", self.tree / "build/.started")
            (self.stubs / "release").touch()
        self.run_soak()
        self.assertEqual(len(self.calls("cmake --build")), 4)

    def test_a_build_during_a_run_is_told_with_its_pid_and_words(self):
        self.run_soak()
        program = self.tree / "build/bin/soak"
        script = program.read_bytes()
        program.unlink()
        shutil.copy(shutil.which("sleep"), program)
        running = subprocess.Popen([program, str(2 * PATIENCE_S)])
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        told = f"soak: a run is under way (pid {running.pid}: soak {2 * PATIENCE_S}): "
        self.edit(self.tree / "src/a.c", self.tree / "build/.ready")
        self.assertIn(told, self.run_soak().stderr)
        self.assertNotIn("under way", self.run_soak().stderr, "nothing was built")
        self.edit(self.tree / "src/a.c", self.tree / "build/.ready")
        self.assertIn(told, self.run_soak().stderr, "its program is deleted by now")
        running.kill()
        running.wait()
        self.edit(self.tree / "src/a.c", self.tree / "build/.ready")
        self.assertNotIn("under way", self.run_soak().stderr)
        self.assertEqual(program.read_bytes(), script)

    def test_of_two_at_once_one_builds_and_the_other_waits(self):
        with self.start_held_build() as first, self.start() as second:
            self.assertIn("waiting", second.stderr.readline())
            (self.stubs / "release").touch()
            outputs = [first.communicate(timeout=PATIENCE_S)[0], second.communicate(timeout=PATIENCE_S)[0]]
        self.assertEqual(outputs, [f"ran {self.tree} \n"] * 2)
        self.assertEqual(len(self.calls("cmake --build")), 2)

    def start(self, **more):
        return subprocess.Popen([self.tree / "soak"], env=self.environment(**more), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def start_held_build(self):
        """Starts a run whose second build goes on until the file "release" is there."""
        process = self.start(HOLD_BUILD=str(50 * PATIENCE_S))
        until(lambda: len(self.calls("cmake --build")) == 2 or process.poll() is not None, "the second build has begun")
        self.assertIsNone(process.poll(), "it ended before")
        return process

    @staticmethod
    def edit(path, stamp):
        """Touches a file; clocks of file systems are coarse, so it is made younger than the stamp."""
        path.touch()
        earliest = stamp.stat().st_mtime_ns + 1_000_000
        if path.stat().st_mtime_ns < earliest:
            os.utime(path, ns=(earliest, earliest))

    # When the build fails

    def test_a_cache_of_another_folder_is_made_afresh(self):
        (self.tree / "build").mkdir()
        (self.tree / "build/CMakeCache.txt").write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/else\n")
        result = self.run_soak()
        self.assertIn("configured for /else", result.stderr)
        self.assertEqual(result.returncode, 3, result.stderr)

    def test_a_spoilt_cache_is_made_afresh(self):
        (self.tree / "build").mkdir()
        (self.tree / "build/CMakeCache.txt").write_text("half a line")
        self.assertEqual(self.run_soak().returncode, 3)

    def test_a_failed_configure_names_the_log_and_does_not_wedge(self):
        result = self.run_soak(CONFIGURE_FAILS="1")
        self.assertEqual((result.returncode, result.stdout), (4, ""))
        self.assertIn("build/setup.log", result.stderr)
        self.assertIn("no luck", result.stderr)
        self.assertEqual(self.run_soak().returncode, 3)

    def test_a_failed_build_shows_the_error_and_is_tried_again(self):
        result = self.run_soak(BUILD_FAILS="1")
        self.assertEqual(result.returncode, 4)
        self.assertIn("a.c:3: error: a slip", result.stderr)
        self.assertEqual(self.run_soak().returncode, 3)

    # When packages are missing

    def test_root_installs_what_is_missing_and_only_that(self):
        self.stub("id", "echo 0")
        self.stub("apt-get", APT_GET)
        self.lose("inih", "jansson")
        result = self.run_soak()
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("installing libinih-dev libjansson-dev", result.stderr)
        install, = self.calls("apt-get")
        self.assertTrue(install.endswith(" libinih-dev libjansson-dev"), install)

    def test_sudo_without_a_password_installs(self):
        self.become_user()
        self.stub("apt-get", APT_GET)
        self.stub("sudo", 'shift; exec "$@"')
        self.lose("libuv")
        result = self.run_soak()
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertTrue(self.calls("sudo")[-1].startswith("sudo -n apt-get "))

    def test_without_root_and_sudo_the_one_command_is_printed(self):
        self.become_user()
        self.stub("apt-get", APT_GET)
        self.lose("openssl", "inih")
        result = self.run_soak()
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("\nsu -c 'apt-get install -y libinih-dev libssl-dev'\n", result.stderr)
        self.assertEqual(self.calls("apt-get"), [])
        self.assertEqual(self.calls("cmake"), [])

    def test_a_sudo_that_refuses_leads_to_the_one_command(self):
        self.become_user()
        self.stub("apt-get", APT_GET)
        self.stub("sudo", "exit 1")
        self.lose("inih")
        result = self.run_soak()
        self.assertEqual(result.returncode, 2)
        self.assertIn("\nsudo apt-get install -y libinih-dev\n", result.stderr)

    def test_a_package_that_cannot_be_had_is_named(self):
        self.stub("id", "echo 0")
        self.stub("apt-get", APT_GET)
        self.lose("inih", "jansson")
        result = self.run_soak(APT_FAILS="1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("can't install libinih-dev:", result.stderr)
        self.assertEqual(len([c for c in self.calls("apt-get") if c.endswith(" update")]), 1)

    def test_a_system_without_apt_says_what_is_missing(self):
        self.lose("jemalloc")
        (self.stubs / "cc").unlink()
        result = self.run_soak()
        self.assertEqual(result.returncode, 2)
        self.assertIn("missing, by their Debian names: build-essential libjemalloc-dev",
                      result.stderr)

    def test_check_wants_the_test_packages_too(self):
        result = self.run_soak(program=self.tree / "check")
        self.assertEqual(result.returncode, 2)
        self.assertIn("libcmocka-dev", result.stderr)


if __name__ == "__main__":
    unittest.main()
