/* SPDX-License-Identifier: Apache-2.0 */
/* A soak/1 document of anybody's: read, written again, and shown in every form. */
#include "fuzz.h"
#include "report/document.h"
#include "report/html/html.h"
#include "report/report.h"

static void show(const struct result *r)
{
    static FILE *out;
    struct report_style style = {.columns = 80};
    struct html_run page = {.result = r};
    if (!out && !(out = fopen("/dev/null", "we")))
        abort();
    report_text(r, &style, false, out);
    html_run(&page, out);
    free(document_write(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct err e = {{0}};
    json_t *root = json_loadb((const char *)bytes, count, 0, NULL);
    if (!root)
        return 0;
    struct document *d = document_read(root, &e);
    if (d && !d->torture)
        show(&d->result);
    document_free(d);
    json_decref(root);
    return 0;
}
