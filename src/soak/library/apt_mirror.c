/* SPDX-License-Identifier: Apache-2.0 */
#include "apt_mirror.h"

#include "spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of apt's answer: address|origin|label|keys. Returns whether it is the one. */
static bool take_line(char *line, const char *label, struct apt_mirror *ret)
{
    char *field[4] = {line};
    for (int i = 1; i < 4; i++) {
        char *bar = strchr(field[i - 1], '|');
        if (!bar)
            return false;
        *bar = '\0';
        field[i] = bar + 1;
    }
    if (strcmp(field[1], "Debian") != 0 || strcmp(field[2], label) != 0 || !*field[0] ||
        strpbrk(field[0], " \t[]") || strlen(field[0]) >= sizeof ret->address)
        return false;
    bool file = field[3][0] == '/' && !strpbrk(field[3], " \t[],");
    snprintf(ret->address, sizeof ret->address, "%s", field[0]);
    snprintf(ret->keys, sizeof ret->keys, "%s", file ? field[3] : "");
    return true;
}

int apt_mirror_find(bool security, const char *log, struct apt_mirror *ret, struct err *e)
{
    static const char *const argv[] = {"apt-get",
                                       "indextargets",
                                       "--format",
                                       "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(SIGNED_BY)",
                                       "Created-By: Packages",
                                       NULL};
    const char *label = security ? "Debian-Security" : "Debian";
    char *text = NULL, *rest = NULL;
    bool found = false;
    struct spawn s = {.argv = argv, .log = log, .ret_output = &text};
    int rc = spawn_need(&s, "apt's own set-up can't be read", e);
    if (rc != 0)
        return rc;
    for (char *line = strtok_r(text, "\n", &rest); line && !found;
         line = strtok_r(NULL, "\n", &rest))
        found = take_line(line, label, ret);
    free(text);
    if (found)
        return 0;
    return err_set(e, "this machine's apt has no lists of %s; run apt-get update, or give --mirror",
                   label);
}
