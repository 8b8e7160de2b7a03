/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_write.h"

#include "archive/outputs.h"
#include "suite_json.h"
#include "suite_junit.h"

#include <stdlib.h>

int suite_outputs_check(const struct suite_outputs *o, struct err *e)
{
    if (output_is_stdout(o->junit))
        return err_set(e, "--junit: it takes a file: --junit=FILE");
    return output_check("json", o->json, e) == 0 ? output_check("junit", o->junit, e) : -1;
}

static void write_json(const void *ctx, FILE *out)
{
    char *text = suite_dump(ctx);
    if (text)
        fputs(text, out);
    free(text);
}

static void write_junit(const void *ctx, FILE *out)
{
    suite_junit(ctx, out);
}

int suite_outputs_write(const struct suite_outputs *o, const struct suite *s, struct err *e)
{
    int json = output_write("json", o->json, write_json, s, e);
    int junit = output_write("junit", o->junit, write_junit, s, e);
    return json == 0 && junit == 0 ? 0 : -1;
}

FILE *suite_outputs_text(const struct suite_outputs *o)
{
    return output_is_stdout(o->json) ? stderr : stdout;
}
