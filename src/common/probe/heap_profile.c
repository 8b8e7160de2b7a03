/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/heap_profile.h"

#include "base/line.h"
#include "probe/heap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* jemalloc reads this name at its start; MALLOC_CONF of the environment comes after it. A profile
 * that isn't active costs 0.03 % of a handshake's instructions. */
__attribute__((visibility("default"))) extern const char *malloc_conf;
const char *malloc_conf = "prof:true,prof_active:false";

static bool profile_switch(bool on)
{
    return mallctl("prof.active", NULL, NULL, &on, sizeof on) == 0;
}

static bool heap_profile_start(void)
{
    size_t lg_sample = 0;
    return heap_present() && mallctl("prof.reset", NULL, NULL, &lg_sample, sizeof lg_sample) == 0 &&
           profile_switch(true);
}

static bool heap_profile_dump(const char *path)
{
    return heap_present() && mallctl("prof.dump", NULL, NULL, (void *)&path, sizeof path) == 0;
}

static void heap_profile_stop(void)
{
    if (heap_present())
        profile_switch(false);
}

/* A thread goes on to its next sample by the old interval, on average 2^19 bytes from now. This
 * many bytes lie beyond it but once in 10^13. They are never touched. */
enum { USE_UP_BYTES = 32 << 19 };

enum order { NOTHING, START, DUMP, STOP };

static enum order order;
static char file[64];
static atomic_bool profiling;

static enum order order_of(const char *line)
{
    static const char *const word[] = {[START] = "start", [DUMP] = "dump", [STOP] = "stop"};
    char text[16];
    if (line_text(line, "heap", false, text, sizeof text) != 0)
        return NOTHING;
    for (enum order o = START; o <= STOP; o++) {
        if (strcmp(text, word[o]) == 0)
            return o;
    }
    return NOTHING;
}

void heap_profile_begin(const char *line)
{
    order = order_of(line);
    if (line_text(line, "file", false, file, sizeof file) != 0)
        file[0] = '\0';
    if (order == START)
        atomic_store(&profiling, heap_profile_start());
}

void heap_profile_end(void)
{
    if ((order == DUMP || order == STOP) && file[0])
        heap_profile_dump(file);
    if (order == STOP) {
        heap_profile_stop();
        atomic_store(&profiling, false);
    }
    order = NOTHING;
}

void heap_profile_thread_flush(void)
{
    if (!atomic_load(&profiling))
        return;
    void *block = malloc(USE_UP_BYTES);
    __asm__ volatile("" : : "r"(block) : "memory");
    free(block);
}
