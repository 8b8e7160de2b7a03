# SPDX-License-Identifier: Apache-2.0
"""Which processes a run has, and whether they are gone, by what /proc says; and a group for them."""

import dataclasses
import os
import re


def all_children_of(pid):
    """[(pid, name)]"""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                text = f.read()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append((int(entry), name))
    return found


def children_of(pid):
    """{name: pid}, one of each name."""
    return {name: child for child, name in all_children_of(pid)}


def children_named(pid, name):
    """Its children of that name, in the order of their numbers."""
    return sorted(child for child, its in all_children_of(pid) if its == name)


def where_it_sleeps(pid):
    """What /proc says of a process that doesn't end."""
    said = []
    for name in ("wchan", "syscall", "status"):
        try:
            with open(f"/proc/{pid}/{name}", encoding="utf-8") as f:
                said.append(f"{name}: {f.read().strip()}")
        except OSError as why:
            said.append(f"{name}: {why}")
    return "\n".join(said)


# But for SIGKILL, SIGSTOP and the two that are libc's own.
ALL_BLOCKED = 0xfffffffe7ffbfeff
LIBTSAN_HANGS = ("libtsan of gcc 12 hangs: it runs libuv's handler of a signal inside that of another, which holds the "
                 "byte that both read (google/sanitizers#1855)")


def hangs_in_libtsan(where):
    """Whether this, of where_it_sleeps, is that known hang: it reads a pipe with every signal blocked."""
    blocked = re.search(r"(?m)^SigBlk:\s*([0-9a-f]+)$", where)
    return bool(re.search(r"(?m)^wchan: \w*pipe_read$", where) and blocked and int(blocked[1], 16) == ALL_BLOCKED)


def is_cleaner(pid):
    """Whether it is what removes the files of a soak that was killed (src/common/base/scratch.c)."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return any(word.startswith(b"--clean") for word in f.read().split(b"\0"))
    except OSError:
        return False


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            text = f.read()
    except OSError:
        return True
    return text[text.rindex(")") + 2] == "Z"


def family(mark):
    """The processes whose environment has the mark, but soak itself: those that it started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                environ = f.read()
        except OSError:
            continue
        if f"SOAK_TEST_MARK={mark}".encode() in environ.split(b"\0"):
            found.append(int(pid))
    return found


@dataclasses.dataclass(frozen=True)
class MemoryGroup:
    """A control group, and its files for the limit and for what it uses."""
    folder: str
    most: str
    now: str

    def limit(self, count):
        with open(os.path.join(self.folder, self.most), "w", encoding="utf-8") as f:
            f.write(str(count))

    def used(self):
        with open(os.path.join(self.folder, self.now), encoding="utf-8") as f:
            return int(f.read())

    def remove(self):
        os.rmdir(self.folder)


def memory_group():
    """One in which the kernel ends what needs too much; None where none can be made."""
    for top, most, now in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
                           ("/sys/fs/cgroup", "memory.max", "memory.current")):
        group = MemoryGroup(os.path.join(top, f"soak-test-{os.getpid()}"), most, now)
        try:
            os.mkdir(group.folder)
        except OSError:
            continue
        if os.path.exists(os.path.join(group.folder, most)):
            return group
        group.remove()
    return None
