/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile_internal.h"

#include "profile_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The field numbers of profile.proto. */
enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION };
enum { PROFILE_FUNCTION = 5, PROFILE_STRING_TABLE, PROFILE_PERIOD_TYPE = 11, PROFILE_PERIOD };
enum { PROFILE_COMMENT = 13, PROFILE_DEFAULT_SAMPLE_TYPE };
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM, LABEL_NUM_UNIT };
enum { MAPPING_ID = 1, MAPPING_FILENAME = 5, MAPPING_HAS_FUNCTIONS = 7 };
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION_ID = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILENAME };

struct encoder {
    struct proto body;
    struct proto part, inner; /* messages under way */
    /* What was written, by its key; the number in the set, from 1, is its id. */
    struct intern *strings, *mappings, *functions, *locations;
    bool failed;
};

static uint64_t string_of(struct encoder *x, const char *text)
{
    int64_t number = intern_number(x->strings, text);
    x->failed = x->failed || number < 0;
    return number < 0 ? 0 : (uint64_t)number;
}

/* The id of `key`; `*ret_new` when it must be written yet. */
static uint64_t id_of(struct encoder *x, struct intern *set, const char *key, bool *ret_new)
{
    size_t before = intern_count(set);
    int64_t number = intern_number(set, key);
    x->failed = x->failed || number < 0;
    *ret_new = intern_count(set) > before;
    return (uint64_t)(number + 1);
}

static void write_type(struct encoder *x, unsigned field, const char *type, const char *unit)
{
    proto_number(&x->part, VALUE_TYPE_TYPE, string_of(x, type));
    proto_number(&x->part, VALUE_TYPE_UNIT, string_of(x, unit));
    proto_message(&x->body, field, &x->part);
}

/* A module. Its names are settled, so pprof needn't look for the file. 0: no module. */
static uint64_t mapping_of(struct encoder *x, const struct profile_frame *frame)
{
    bool new;
    if (!*frame->module)
        return 0;
    uint64_t id = id_of(x, x->mappings, frame->module, &new);
    if (!new)
        return id;
    proto_number(&x->part, MAPPING_ID, id);
    proto_number(&x->part, MAPPING_FILENAME, string_of(x, frame->module));
    proto_number(&x->part, MAPPING_HAS_FUNCTIONS, 1);
    proto_message(&x->body, PROFILE_MAPPING, &x->part);
    return id;
}

static uint64_t function_of(struct encoder *x, const struct profile_frame *frame)
{
    char key[2048];
    bool new;
    snprintf(key, sizeof key, "%s\n%s\n%s", frame->name, frame->file, frame->module);
    uint64_t id = id_of(x, x->functions, key, &new);
    if (!new)
        return id;
    proto_number(&x->part, FUNCTION_ID, id);
    proto_number(&x->part, FUNCTION_NAME, string_of(x, frame->name));
    proto_number(&x->part, FUNCTION_SYSTEM_NAME, string_of(x, frame->name));
    proto_number(&x->part, FUNCTION_FILENAME, string_of(x, frame->file));
    proto_message(&x->body, PROFILE_FUNCTION, &x->part);
    return id;
}

/* Two subjects may have different code at one address: the function is part of what tells places
 * apart. */
static uint64_t location_of(struct encoder *x, const struct profile_frame *frame)
{
    char key[96];
    bool new;
    uint64_t mapping = mapping_of(x, frame);
    uint64_t function = function_of(x, frame);
    snprintf(key, sizeof key, "%" PRIx64 " %" PRIu64 " %" PRIu64, frame->address, function,
             frame->line);
    uint64_t id = id_of(x, x->locations, key, &new);
    if (!new)
        return id;
    proto_number(&x->part, LOCATION_ID, id);
    proto_number(&x->part, LOCATION_MAPPING_ID, mapping);
    proto_number(&x->part, LOCATION_ADDRESS, frame->address);
    proto_number(&x->inner, LINE_FUNCTION_ID, function);
    proto_number(&x->inner, LINE_LINE, frame->line);
    proto_message(&x->part, LOCATION_LINE, &x->inner);
    proto_message(&x->body, PROFILE_LOCATION, &x->part);
    return id;
}

static void write_label(struct encoder *x, struct proto *sample, const char *key, const char *text)
{
    if (!*text)
        return;
    proto_number(&x->inner, LABEL_KEY, string_of(x, key));
    proto_number(&x->inner, LABEL_STR, string_of(x, text));
    proto_message(sample, SAMPLE_LABEL, &x->inner);
}

static void write_epoch(struct encoder *x, struct proto *sample, uint64_t epoch)
{
    proto_number(&x->inner, LABEL_KEY, string_of(x, "epoch"));
    proto_number(&x->inner, LABEL_NUM, epoch);
    proto_number(&x->inner, LABEL_NUM_UNIT, string_of(x, "epoch"));
    proto_message(sample, SAMPLE_LABEL, &x->inner);
}

static void write_sample(struct encoder *x, const struct profile_stack *stack)
{
    struct proto sample = {0};
    struct proto list = {0};
    for (size_t i = 0; i < stack->frames; i++)
        proto_element(&list, location_of(x, &stack->frame[i]));
    proto_message(&sample, SAMPLE_LOCATION_ID, &list);
    proto_element(&list, (uint64_t)stack->blocks);
    proto_element(&list, (uint64_t)stack->bytes);
    proto_message(&sample, SAMPLE_VALUE, &list);
    write_label(x, &sample, "subject", stack->subject);
    write_label(x, &sample, "behaviour", stack->behaviour);
    write_epoch(x, &sample, stack->epoch);
    proto_message(&x->body, PROFILE_SAMPLE, &sample);
    proto_fini(&list);
    proto_fini(&sample);
}

/* The strings come last, when all are known; the first must be "". */
static void encode(struct encoder *x, const struct profile *p)
{
    char legend[160], comment[sizeof legend + 8];
    string_of(x, "");
    write_type(x, PROFILE_SAMPLE_TYPE, "inuse_objects", "count");
    write_type(x, PROFILE_SAMPLE_TYPE, "inuse_space", "bytes");
    for (size_t i = 0; i < p->stacks && !x->failed; i++)
        write_sample(x, &p->stack[i]);
    write_type(x, PROFILE_PERIOD_TYPE, "space", "bytes");
    proto_number(&x->body, PROFILE_PERIOD, 1);
    snprintf(comment, sizeof comment, "soak: %s", profile_legend(p, legend, sizeof legend));
    proto_number(&x->body, PROFILE_COMMENT, string_of(x, comment));
    proto_number(&x->body, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(x, "inuse_space"));
    for (size_t i = 0; i < intern_count(x->strings); i++) {
        const char *text = intern_at(x->strings, i);
        proto_bytes(&x->body, PROFILE_STRING_TABLE, text, strlen(text));
    }
    x->failed = x->failed || x->body.failed;
}

/* deflateInit2 writes a header without a time of its own, so equal profiles are equal files. */
static int write_gzip(const struct proto *body, FILE *out, struct err *e)
{
    enum { GZIP = 16, BLOCK = 16384 };
    unsigned char block[BLOCK];
    z_stream z = {.next_in = body->data, .avail_in = (uInt)body->used};
    if (body->used > UINT32_MAX)
        return err_set(e, "a profile of more than 4 GiB");
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return err_set(e, "out of memory for the pprof profile");
    int state;
    profile_begin();
    do {
        z.next_out = block;
        z.avail_out = BLOCK;
        state = deflate(&z, Z_FINISH);
        fwrite(block, 1, BLOCK - z.avail_out, out);
    } while (state == Z_OK && !ferror(out));
    deflateEnd(&z);
    return profile_finish(out, e);
}

static int start(struct encoder *x)
{
    x->strings = intern_new();
    x->mappings = intern_new();
    x->functions = intern_new();
    x->locations = intern_new();
    return x->strings && x->mappings && x->functions && x->locations ? 0 : -1;
}

static void finish(struct encoder *x)
{
    intern_free(x->strings);
    intern_free(x->mappings);
    intern_free(x->functions);
    intern_free(x->locations);
    proto_fini(&x->body);
    proto_fini(&x->part);
    proto_fini(&x->inner);
}

int profile_write_pprof(const struct profile *p, FILE *out, struct err *e)
{
    struct encoder x = {.failed = false};
    x.failed = start(&x) != 0;
    if (!x.failed)
        encode(&x, p);
    int rc =
        x.failed ? err_set(e, "out of memory for the pprof profile") : write_gzip(&x.body, out, e);
    finish(&x);
    return rc;
}

enum { VARINT = 0, DELIMITED = 2, FIRST_ROOM = 256 };

void proto_fini(struct proto *m)
{
    free(m->data);
    *m = (struct proto){0};
}

static void put(struct proto *m, const void *data, size_t length)
{
    if (m->failed || length == 0)
        return;
    size_t room = m->room ? m->room : FIRST_ROOM;
    while (room - m->used < length)
        room *= 2;
    if (room != m->room) {
        unsigned char *grown = realloc(m->data, room);
        m->failed = !grown;
        if (!grown)
            return;
        m->data = grown;
        m->room = room;
    }
    memcpy(m->data + m->used, data, length);
    m->used += length;
}

void proto_element(struct proto *m, uint64_t value)
{
    unsigned char bytes[10];
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[length++] = (unsigned char)(value | 0x80);
    bytes[length++] = (unsigned char)value;
    put(m, bytes, length);
}

void proto_number(struct proto *m, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    proto_element(m, (uint64_t)field << 3 | VARINT);
    proto_element(m, value);
}

void proto_bytes(struct proto *m, unsigned field, const void *data, size_t length)
{
    proto_element(m, (uint64_t)field << 3 | DELIMITED);
    proto_element(m, length);
    put(m, data, length);
}

void proto_message(struct proto *m, unsigned field, struct proto *message)
{
    proto_bytes(m, field, message->data, message->used);
    m->failed = m->failed || message->failed;
    message->used = 0;
}
