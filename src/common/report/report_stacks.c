/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_stacks.h"

#include <inttypes.h>
#include <stdio.h>

/* An offset doesn't fit into the numbers of every reader of JSON: it is written as text. */
static json_t *frame_json(const struct symbol *frame)
{
    char offset[24];
    snprintf(offset, sizeof offset, "0x%" PRIx64, frame->offset);
    return json_pack("{s:s?,s:s?,s:s?,s:o,s:s,s:b,s:s?}", "function", frame->function, "module",
                     frame->module, "file", frame->file, "line",
                     frame->file ? json_integer(frame->line) : json_null(), "offset", offset,
                     "sure", frame->function != NULL, "package", frame->package);
}

static json_t *frames_json(const struct result_stack *stack)
{
    json_t *array = json_array();
    for (size_t i = 0; i < stack->frames; i++)
        json_array_append_new(array, frame_json(&stack->frame[i]));
    return array;
}

static json_t *stack_json(const struct result_stack *stack)
{
    json_t *line = stack->file ? json_integer(stack->line) : json_null();
    return json_pack("{s:s,s:s?,s:o,s:I,s:I,s:o}", "source", stack->file ? "ledger" : "heap",
                     "file", stack->file, "line", line, "blocks", (json_int_t)stack->blocks,
                     "bytes", (json_int_t)stack->bytes, "frames", frames_json(stack));
}

json_t *report_stacks_json(const struct result_subject *subject)
{
    json_t *array = json_array();
    for (size_t i = 0; i < subject->capture.stacks; i++)
        json_array_append_new(array, stack_json(&subject->capture.stack[i]));
    return array;
}

static json_t *site_json(const struct result_capture_site *site)
{
    return json_pack("{s:s,s:i,s:i,s:I,s:I}", "file", site->file, "line", (int)site->line, "epochs",
                     site->epochs, "blocks", (json_int_t)site->blocks, "bytes",
                     (json_int_t)site->bytes);
}

json_t *report_capture_json(const struct result_subject *subject)
{
    const struct result_capture *c = &subject->capture;
    json_t *sites = json_array();
    for (size_t i = 0; i < c->sites; i++)
        json_array_append_new(sites, site_json(&c->site[i]));
    return json_pack("{s:I,s:I,s:I,s:I,s:f,s:o}", "taken", (json_int_t)c->taken, "lost",
                     (json_int_t)c->lost, "stacks_dropped", (json_int_t)c->stacks_dropped,
                     "heap_connections", (json_int_t)c->heap_connections, "cpu_us_per_conn",
                     c->cpu_us_per_conn, "sites", sites);
}
