/*
 * Where the project's things lie: its folder, its scenarios.
 */
#ifndef SOAK_PLACE_H
#define SOAK_PLACE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The project's folder, set by the launcher; the present folder for a program run by hand. */
const char *place_root(void);
/* Whether a scenario's word is a path (it has a slash or ends in .soak) and not a name. */
bool place_is_path(const char *word);
/* "default, smoke": what can be named. Returns buf. */
char *place_scenarios(char *buf, size_t size);
/* The file of a scenario, a path or a name in scenarios/. Returns 0, or -1 when it can't be read.
 */
int place_scenario(const char *word, char *path, size_t size, struct err *e);
/* `nightly` of "scenarios/nightly.soak": names the run's folder. */
void place_name(const char *word, char *name, size_t size);

#endif
