/*
 * A suite for people: a line per scenario, then what to look at and the totals.
 */
#ifndef SOAK_SUITE_TEXT_H
#define SOAK_SUITE_TEXT_H

#include "suite.h"

#include <stdio.h>

/* The head of the table, and a scenario's row: name, verdict, outcome, connections, time. */
void suite_text_head(FILE *out);
void suite_text_row(const struct suite_entry *entry, FILE *out);
/* What wasn't as expected, each with its evidence and its folder. */
void suite_text_failures(const struct suite *s, FILE *out);
/* What a joined suite lacks, and in what its shards differ. */
void suite_text_notes(const struct suite *s, FILE *out);
/* `24 scenarios: 23 as expected, 1 broken; 48,120 connections, 12m04s` */
void suite_text_totals(const struct suite *s, FILE *out);

#endif
