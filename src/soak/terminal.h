/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the terminal can do: width, UTF-8, colour. Reads the environment and ioctl only.
 */
#ifndef SOAK_TERMINAL_H
#define SOAK_TERMINAL_H

#include "options/choices.h"
#include "report/report.h"

#include <stdbool.h>
#include <stdio.h>

/* A terminal that can move the cursor (TERM isn't dumb). */
bool terminal_is(int fd);
/* Its columns, or 80. */
int terminal_columns(int fd);
/* Its rows, or 24. */
int terminal_rows(int fd);
bool terminal_is_utf8(void);
/* Whether to colour output on fd: what --color says; then NO_COLOR, then CLICOLOR_FORCE, then
 * whether fd is a terminal. */
bool terminal_colour(int fd, enum color_when when);
/* How a report is written to `out`: arrows and blocks also where no terminal reads it. */
struct report_style terminal_style(FILE *out, enum color_when when);
/* Columns that UTF-8 text takes. */
int terminal_width(const char *text);
/* Cuts UTF-8 text in place to at most `columns` characters, the last of which is then an ellipsis;
 * the text has room for three bytes more. Returns its columns. */
int terminal_cut(char *text, int columns);

#endif
