/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the control socket in pieces, what a client's weights may be, and the requests that the
 * page of figures gets. The first byte says how long a piece is. */
#include "base/line.h"
#include "client/behaviour.h"
#include "fuzz.h"
#include "soak/run/http_request.h"

static void on_line(void *ctx, const char *line)
{
    const struct behaviour_rows *rows = ctx;
    static const char *const keys[] = {"pid", "id", "opened", "port", "mix", "text", "kind"};
    char text[64];
    uint64_t number;
    struct behaviour_mix mix;
    line_is(line, "quiet");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        line_number(line, keys[i], &number);
        if (line_text(line, keys[i], i % 2, text, sizeof text) == 0)
            behaviour_mix_parse(text, rows, &mix);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0)
        return 0;
    struct line_reader reader = {0};
    struct behaviour_rows rows;
    struct behaviour_mix mix = {.weight = {1, 1, 1}};
    struct http_request request;
    size_t piece = 1 + bytes[0];
    behaviour_rows_make(&mix, BEHAVIOUR_CLEAN, &rows);
    for (size_t at = 1; at < count; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        char *copy = fuzz_text(bytes + at, size);
        int done = line_reader_feed(&reader, copy, size, on_line, &rows);
        free(copy);
        if (done != 0)
            break;
    }
    char *text = fuzz_text(bytes + 1, count - 1);
    http_request_read(text, &request);
    behaviour_mix_parse(text, &rows, &mix);
    free(text);
    return 0;
}
