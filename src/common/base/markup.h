/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in XML, HTML and Markdown. Whoever wrote it, nothing in it is taken for markup: in an
 * element, and in an attribute between double quotes. Pure but for the stream.
 */
#ifndef SOAK_BASE_MARKUP_H
#define SOAK_BASE_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* At most `length` bytes of `text` (NULL: none), SIZE_MAX for all. Line ends and tabs are written
 * as references; a byte that isn't part of a character which XML has a place for becomes `?`. */
void markup_put(const char *text, size_t length, FILE *out);
/* ` name="value"`. */
void markup_attribute(const char *name, const char *value, FILE *out);

/* A line of Markdown, in a table too: as it is, nothing in it taken for Markdown, HTML, an address
 * to follow, a mention of somebody, or another issue. It may be printed on a terminal: control
 * characters become blanks, and what text_character refuses otherwise `?`. */
void markdown_put(const char *text, FILE *out);

#endif
