/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_write.h"

#include "archive/outputs.h"
#include "compare_json.h"
#include "compare_text.h"

#include <stdlib.h>

int compare_outputs_check(const struct compare_outputs *o, struct err *e)
{
    if (output_is_stdout(o->json) && output_is_stdout(o->markdown))
        return err_set(e, "--json and --markdown: one of them to stdout, the other to a FILE");
    return output_check("json", o->json, e) == 0 ? output_check("markdown", o->markdown, e) : -1;
}

static void write_json(const void *ctx, FILE *out)
{
    char *text = compare_json(ctx);
    if (text)
        fputs(text, out);
    free(text);
}

static void write_markdown(const void *ctx, FILE *out)
{
    compare_markdown(ctx, out);
}

int compare_outputs_write(const struct compare_outputs *o, const struct compare_set *s,
                          struct err *e)
{
    int json = output_write("json", o->json, write_json, s, e);
    int markdown = output_write("markdown", o->markdown, write_markdown, s, e);
    return json == 0 && markdown == 0 ? 0 : -1;
}

FILE *compare_outputs_text(const struct compare_outputs *o)
{
    return output_is_stdout(o->json) || output_is_stdout(o->markdown) ? stderr : stdout;
}
