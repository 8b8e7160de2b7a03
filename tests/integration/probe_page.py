# SPDX-License-Identifier: Apache-2.0
"""The probe page as soak makes it: src/common/page/page.h, version 14."""

import ctypes
import mmap
import os

u64 = ctypes.c_uint64
i64 = ctypes.c_int64
THREADS = PROCESSES = 256
FLAGS = 1 << 32  # the lowest of the epoch's
EPOCH_BYTES = 2048 * 32
# What they are the sum of: a counter of the cells, and how often what realloc moved.
TOTALS = {"allocs": ("made", -1), "frees": ("freed", -1), "reallocs": (None, 1), "alloc_bytes": ("made_bytes", 0)}


def words(names):
    return [(name, u64) for name in names.split()]


class Cell(ctypes.Structure):
    _fields_ = words("made freed made_bytes freed_bytes")

    @property
    def blocks(self):
        return self.made - self.freed

    @property
    def bytes(self):
        return self.made_bytes - self.freed_bytes


class Live(ctypes.Structure):
    _fields_ = [("blocks", i64), ("bytes", i64)]


class App(ctypes.Structure):
    _fields_ = words("opened closed established in_flight handshakes resumed failed expected_aborts "
                     "replacements_due replacements_started fail_connect fail_handshake "
                     "fail_echo fail_timeout fail_lost operations foreign most")


class Heap(ctypes.Structure):
    _fields_ = words("present allocated active resident mapped retained metadata publishes") + [
        ("class_size", u64 * 72), ("class_regions", u64 * 72)]


class Cache(ctypes.Structure):
    _fields_ = words("population capacity") + [("name", ctypes.c_char * 32)]


class Class(ctypes.Structure):
    _fields_ = words("ready site") + [("name", ctypes.c_char * 24)]


class Site(ctypes.Structure):
    _fields_ = words("key ready apart line") + [("file", ctypes.c_char * 112)]


class Thread(ctypes.Structure):
    _fields_ = [("moved", u64 * 2048), ("census", i64 * 16), ("cell", (Cell * 2048) * 64)]


class Slot(ctypes.Structure):
    _fields_ = words("used owner claimed_ns since_epoch")


class Behaviour(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 24), ("weight", u64), ("begun", u64 * 64),
                ("ended", u64 * 64)]


class Check(ctypes.Structure):
    _fields_ = words("until every lost_at lost_bytes one_time_at lost_epoch allocs frees "
                     "alloc_bytes by_operation shared pid turned")


class Stack(ctypes.Structure):
    _fields_ = words("hash ready site frames") + [("frame", u64 * 32), ("born", Live * 64)]


class Capture(ctypes.Structure):
    _fields_ = [("wanted", u64 * 32), ("pid", u64), ("taken", u64), ("lost", u64), ("stack", Stack * 512)]


class Trace(ctypes.Structure):
    _fields_ = [("frames", u64), ("frame", u64 * 32)]


class Fail(ctypes.Structure):
    _fields_ = words("connection nth asked failed site size") + [
        ("stack", Trace), ("signal", u64), ("crash_pid", u64), ("crash", Trace)]


class Times(ctypes.Structure):
    _fields_ = [("count", u64), ("max", u64), ("bucket", u64 * 3776)]


def bucket_of(value):
    """The bucket of Times that a value falls into: src/common/base/hist.c."""
    shift = max(value.bit_length() - 7, 0)
    return (shift << 6) + (value >> shift)


class Process(ctypes.Structure):
    _fields_ = words("pid parent entered_ns mode flags") + [
        ("name", ctypes.c_char * 16), ("libcrypto", ctypes.c_char * 112), ("heap", Heap)]


class Page(ctypes.Structure):
    """Both programs refuse a page of another version or size."""
    _fields_ = words("magic version bytes epoch_word mode sites classes sites_lost threads_shared "
                     "epochs_late bad_frees processes_lost memory_shared processes_apart namespace_pid namespace_time "
                     "blocks_lost publish_asked keeper gone_allocs gone_frees gone_reallocs gone_alloc_bytes") + [
        ("gone_made", u64 * 2048), ("process", Process * PROCESSES), ("app", App), ("check", Check),
        ("times", Times), ("cache", Cache * 4), ("class_", Class * 16), ("site", Site * 2048), ("capture", Capture),
        ("slot", Slot * THREADS), ("thread", Thread * THREADS),
        ("behaviours", u64), ("behaviour", Behaviour * 64), ("fail", Fail)]

    @property
    def epoch(self):
        """The number of the present epoch, and the flags."""
        return self.epoch_word % FLAGS // EPOCH_BYTES | self.epoch_word // FLAGS * FLAGS

    @epoch.setter
    def epoch(self, number):
        self.epoch_word = number % FLAGS * EPOCH_BYTES + number // FLAGS * FLAGS

    def total(self, counter, pid=None):
        """allocs, frees, reallocs or alloc_bytes of one process, or of all, those that have gone too."""
        cells, moved = TOTALS[counter]
        sites = [i for i in range(self.sites) if not self.site[i].apart]
        sum_ = 0 if pid else getattr(self, "gone_" + counter)
        for thread in page_threads(self, pid):
            if cells:
                sum_ += sum(getattr(row[i], cells) for row in thread.cell[:1 + self.epoch % FLAGS] for i in sites)
            sum_ += moved * sum(thread.moved[i] for i in sites)
        return sum_


def page_make():
    """The descriptor of an empty page, and the page."""
    fd = os.memfd_create("page")
    os.ftruncate(fd, ctypes.sizeof(Page))
    page = Page.from_buffer(mmap.mmap(fd, ctypes.sizeof(Page)))
    page.magic, page.version, page.bytes = 0x65676170206B6173, 14, ctypes.sizeof(Page)
    page.check.shared = 1
    page.namespace_pid = os.stat("/proc/self/ns/pid").st_ino
    return fd, page


def page_threads(page, pid=None):
    """The counters in use, of one process or of all."""
    return [t for t, slot in zip(page.thread, page.slot) if slot.used and pid in (None, slot.owner >> 1)]
