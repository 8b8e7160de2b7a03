/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_parts.h"

#include "base/check.h"
#include "library/program.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char jemalloc_prefix[] = "jemalloc-";

const char *compare_part_name(enum compare_part part)
{
    static const char *const names[COMPARE_PARTS] = {"openssl", "libuv", "malloc", "program"};
    CHECK((size_t)part < COMPARE_PARTS);
    return names[part];
}

static void add(struct part_words *w, const char *option, const char *value)
{
    CHECK(w->count < PART_WORDS);
    int n = snprintf(w->bytes[w->count], PART_TEXT, "--%s=%s", option, value);
    CHECK(n > 0 && n < PART_TEXT);
    w->count++;
}

static bool is_jemalloc(const char *name)
{
    return strcmp(name, "jemalloc") == 0 ||
           strncmp(name, jemalloc_prefix, strlen(jemalloc_prefix)) == 0;
}

/* The version of `jemalloc-5.3.0`, or NULL of `jemalloc`. */
static const char *jemalloc_version(const char *name)
{
    return name[strlen("jemalloc")] ? name + strlen(jemalloc_prefix) : NULL;
}

static int malloc_words(const char *name, struct part_words *w, struct err *e)
{
    bool jemalloc = is_jemalloc(name);
    if (!jemalloc && strcmp(name, "libc") != 0)
        return err_set(e, "--malloc %.60s: there are jemalloc, libc and jemalloc-VERSION", name);
    const char *version = jemalloc ? jemalloc_version(name) : NULL;
    if (version && !*version)
        return err_set(e, "--malloc %.60s: which version, such as jemalloc-5.3.0?", name);
    add(w, "malloc", jemalloc ? "jemalloc" : "libc");
    if (version)
        add(w, "jemalloc", version);
    add(w, "client-malloc", "jemalloc");
    return 0;
}

int compare_part_words(enum compare_part part, const char *name, struct part_words *ret,
                       struct err *e)
{
    struct part_words words = {.count = 0};
    if (!*name || strlen(name) > PART_TEXT - 32)
        return err_set(e, "--%s: a name has 1 to %d characters", compare_part_name(part),
                       PART_TEXT - 32);
    if (part == COMPARE_MALLOC) {
        if (malloc_words(name, &words, e) != 0)
            return -1;
    } else {
        if (part == COMPARE_PROGRAM && program_check(name, e) != 0)
            return err_prefix(e, "--program");
        add(&words, compare_part_name(part), name);
    }
    *ret = words;
    return 0;
}

size_t compare_part_length(enum compare_part part, const char *list)
{
    size_t length = strcspn(list, ",");
    while (part == COMPARE_PROGRAM && list[length] && list[length + 1] &&
           !program_begins(list + length + 1))
        length += 1 + strcspn(list + length + 1, ",");
    return length;
}

bool compare_version_is(const char *version, const char *asked)
{
    size_t length = strlen(asked);
    /* Debian's epoch: 1:1.2.3 */
    const char *colon = strchr(version, ':');
    if (colon && !strchr(asked, ':'))
        version = colon + 1;
    return strncmp(version, asked, length) == 0 && !isalnum((unsigned char)version[length]);
}

/* Not a prefix, nor another name. */
static bool is_number(const char *name)
{
    return isdigit((unsigned char)name[0]) && !strchr(name, '/');
}

bool compare_part_has_range(enum compare_part part, const char *name)
{
    if (part == COMPARE_PROGRAM)
        return false;
    if (part != COMPARE_MALLOC)
        return is_number(name);
    const char *version = is_jemalloc(name) ? jemalloc_version(name) : NULL;
    return version && is_number(version);
}

bool compare_part_from_name(const char *name, enum compare_part *ret)
{
    for (int part = 0; part < COMPARE_PARTS; part++) {
        if (strcmp(compare_part_name((enum compare_part)part), name) != 0)
            continue;
        *ret = (enum compare_part)part;
        return true;
    }
    return false;
}

static int refuse(const char *asked, const char *part, const char *version, struct err *e)
{
    if (!version)
        return err_set(e, "%.100s was asked for, and the run doesn't say which %s it had", asked,
                       part);
    return err_set(e, "%.100s was asked for, and the run had %s %.100s", asked, part, version);
}

static bool has_mapped(const struct compare_entry *entry, const char *part)
{
    for (size_t i = 0; i < entry->mapped_count; i++)
        if (strcmp(entry->mapped[i].part, part) == 0)
            return true;
    return false;
}

static int malloc_proved(const char *name, const struct compare_entry *entry, struct err *e)
{
    const char *jemalloc = compare_entry_version(entry, "jemalloc");
    const char *other = compare_entry_version(entry, "malloc");
    bool there = has_mapped(entry, "jemalloc"); /* its file may not say a version */
    bool none = entry->mapped_count && !there;  /* as in a program that isn't soak's */
    /* The server is linked with jemalloc, which is mapped even where another malloc was put before
     * it: that one is told by the server itself. */
    if (!is_jemalloc(name))
        return other || none ? 0 : refuse(name, "jemalloc", jemalloc, e);
    const char *version = jemalloc_version(name);
    if (other)
        return refuse(name, "malloc", other, e);
    return there && (!version || (jemalloc && compare_version_is(jemalloc, version)))
               ? 0
               : refuse(name, "jemalloc", jemalloc, e);
}

int compare_part_proved(enum compare_part part, const char *name, const struct compare_entry *entry,
                        struct err *e)
{
    if (part == COMPARE_MALLOC)
        return malloc_proved(name, entry, e);
    if (part == COMPARE_PROGRAM) /* {program} is the folder of this one and no other */
        return 0;
    const char *version = compare_entry_version(entry, compare_part_name(part));
    if (!version || (is_number(name) && !compare_version_is(version, name)))
        return refuse(name, compare_part_name(part), version, e);
    return 0;
}
