/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a result as text for people. The soak/1 document is document.h's.
 */
#ifndef SOAK_REPORT_REPORT_H
#define SOAK_REPORT_REPORT_H

#include "report/result.h"

#include <stdio.h>

struct report_style {
    bool colour;
    bool utf8;   /* arrows and blocks; plain ASCII otherwise */
    int columns; /* the terminal's width, 80 when unknown; lines never exceed it (min 40) */
};

enum { REPORT_HEADLINE = 1024 };

/* The sentence that answers the question, without the verdict's word: UTF-8, one line, whatever
 * bytes the strings of the result hold. Returns buf. */
char *report_headline(const struct result *r, char *buf, size_t size);

/* The whole text, verdict first. `quiet`: the verdict line only. */
void report_text(const struct result *r, const struct report_style *style, bool quiet, FILE *out);

#endif
