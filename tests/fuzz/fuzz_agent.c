/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent says, in pieces: the figures that are added to the run's page, and the lines that
 * are handed on as those of a client. And what a run says to an agent: options. The first byte says
 * how long a piece is. */
#include "base/line.h"
#include "base/text.h"
#include "channel/figures.h"
#include "fuzz.h"
#include "soak/subject/args.h"

struct reading {
    struct figures *heard;
    struct page *page;
};

static void on_line(void *ctx, const char *line)
{
    struct reading *r = ctx;
    char text[LINE_MAX_BYTES];
    uint64_t number;
    if (figures_hear(r->heard, r->page, line) == 0)
        return;
    line_number(line, "share", &number);
    line_number(line, "status", &number);
    if (line_text(line, "text", true, text, sizeof text) == 0)
        args_client_takes(text_clean(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct page *page; /* large: made once, and what was heard is cleared */
    struct reading r = {calloc(1, sizeof *r.heard), page ? page : calloc(1, sizeof *page)};
    struct line_reader reader = {0};
    if (!r.heard || !r.page)
        abort();
    page = r.page;
    memset(&page->app, 0, sizeof page->app);
    memset(&page->times, 0, sizeof page->times);
    memset(page->behaviour, 0, sizeof page->behaviour);
    page->behaviours = 0;
    size_t piece = count ? 1 + (size_t)bytes[0] : 1;
    for (size_t at = 1; at < count; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        char *copy = fuzz_text(bytes + at, size);
        int done = line_reader_feed(&reader, copy, size, on_line, &r);
        free(copy);
        if (done != 0)
            break;
    }
    figures_lose(r.heard, r.page);
    free(r.heard);
    return 0;
}
