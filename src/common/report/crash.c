/* SPDX-License-Identifier: Apache-2.0 */
/* Where a subject was when a signal ended it. */
#include "sections.h"

#include <string.h>

enum { FRAMES_SHOWN = 8 };

void parts_crash(const struct result_crash *crash, int column, const struct screen *s)
{
    char text[SCREEN_TEXT];
    size_t shown = crash->frames < FRAMES_SHOWN ? crash->frames : FRAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        struct screen_lead lead = screen_lead_at(i == 0 ? "crash" : "", column);
        screen_wrap(s, &lead, "%s%s", i == 0 ? "" : "← ",
                    symbol_text(&crash->frame[i], text, sizeof text));
    }
    struct screen_lead lead = screen_lead_at("", column);
    if (crash->frames > shown)
        screen_wrap(s, &lead, "← %zu more", crash->frames - shown);
}
