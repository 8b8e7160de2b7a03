/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a report as text, beyond options/grammar.h: signed growths with their unit, rounded
 * sensitivities. Pure; each prints into buf (always terminated) and returns it.
 */
#ifndef SOAK_REPORT_FIGURES_H
#define SOAK_REPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIGURE_SIZE = 48 };

/* True for the unit of metrics that count bytes. */
bool figure_is_bytes(const char *unit);
/* `55,800.12`; values whose size is no longer a matter of digits (1e15 and more) as `1e+15`;
 * `?` for what isn't finite: a figure that could not be had. The same in those below. */
char *figure_grouped(char *buf, size_t size, double value, int decimals);
/* `+32.00 B`; with as many decimals as a figure under 0.1 needs: `+0.032 B` */
char *figure_bytes(char *buf, size_t size, double bytes);
/* `+1.0000`; with as many decimals as a figure under 0.001 needs: `+0.000010` */
char *figure_count(char *buf, size_t size, double count);
/* `1.69 MiB`, `13.4 MiB`: three digits, which is what people compare. */
char *figure_size(char *buf, size_t size, double bytes);
/* `32`, `19.19`, `224`, `0.032`: no more decimals than the figure needs to be read. */
char *figure_plain(char *buf, size_t size, double value);
/* `+32 B`, `+0.2998`; with a half width, rounded to what that leaves: `+0.4 ±0.5 B`, `-10 ±21 B`.
 */
char *figure_growth(char *buf, size_t size, double per_conn, double half_width, bool bytes);
/* A level of a metric: `6.11 MiB`, `4,812`; `-` when it isn't finite. */
char *figure_level(char *buf, size_t size, double value, const char *unit);
/* `server/defect.c:41`; without a line, the file alone. */
char *figure_place(char *buf, size_t size, const char *file, uint32_t line);
/* Rounded down to two digits, so that it never claims more: 8,712 gives `8,700`. */
char *figure_one_in(char *buf, size_t size, double one_in);

#endif
