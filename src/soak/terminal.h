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
/* How a report is written to `out`: arrows and blocks also where no terminal reads it. */
struct report_style terminal_style(FILE *out, enum color_when when);
/* Cuts UTF-8 text in place to at most `columns` characters, the last of which is then an ellipsis;
 * the text has room for three bytes more. Returns its columns. */
int terminal_cut(char *text, int columns);

/*
 * Lines that stand at the bottom of the terminal on stderr and are drawn again and again. They
 * never scroll and leave nothing in the scrollback: the cursor waits in the first column below
 * them, goes up over them, and each line is written over the old one. (Clearing the screen from its
 * first line on would push what stands there into tmux's history.) Whatever the terminal echoes in
 * between, such as ^C, is drawn over.
 *
 * A terminal that becomes narrower wraps what stands there, and the program may learn of it a
 * moment later (tmux: 250 ms). Drawn until then without wrapping, the block covers the last of the
 * rows it has become; afterwards the cursor goes up over all of them. It stays where it is then: if
 * it rose, there would be room below it, and tmux would push the block into its history at the next
 * turn. As many rows as the wrapped lines take more tmux pushes out at the top of the window, full
 * or not: with too few lines above the block, its own head.
 *
 * A terminal that is too low for all lines gets the most telling ones, always one line less than it
 * has. Plain data of one owner; zeroed is empty. Doesn't fail: what can't be written isn't.
 */
enum { BLOCK_LINES = 16, BLOCK_COLUMNS = 78, BLOCK_TEXT = 512 };

struct block {
    int above; /* empty rows that belong to it: they were wrapped ones */
    int lines; /* that stand below them */
    struct {
        int width;  /* in columns: the largest of the last frames */
        int frames; /* since it was drawn so wide */
    } line[BLOCK_LINES];
    int columns; /* of the terminal when they were drawn */
};

struct block_line {
    int rank;              /* the lower, the longer it stays where room is short */
    char text[BLOCK_TEXT]; /* UTF-8 */
};

/* Draws these lines in place of those that stand there, each cut to the terminal and to
 * BLOCK_COLUMNS; what is cut ends in an ellipsis. At most BLOCK_LINES. */
void block_draw(struct block *b, const struct block_line *line, int lines);
/* Prints a sentence that stays, above where the next lines will be; those there were are removed.
 */
void block_say(struct block *b, const char *text);
/* Removes the lines; the cursor is where the first began. */
void block_clear(struct block *b);

#endif
