#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *place_root(void)
{
    const char *root = getenv("SOAK_ROOT");
    return root && root[0] ? root : ".";
}

bool place_is_path(const char *word)
{
    size_t length = strlen(word);
    return strchr(word, '/') || (length > 5 && strcmp(word + length - 5, ".soak") == 0);
}

char *place_scenarios(char *buf, size_t size)
{
    char folder[PATH_MAX];
    struct dirent **entry = NULL;
    size_t used = 0;
    snprintf(folder, sizeof folder, "%s/scenarios", place_root());
    int count = scandir(folder, &entry, NULL, alphasort);
    snprintf(buf, size, "none");
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entry[i]->d_name, '.');
        if (dot && strcmp(dot, ".soak") == 0 && used < size)
            used += (size_t)snprintf(buf + used, size - used, "%s%.*s", used ? ", " : "",
                                     (int)(dot - entry[i]->d_name), entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return buf;
}

int place_scenario(const char *word, char *path, size_t size, struct err *e)
{
    bool is_path = place_is_path(word);
    int n = is_path ? snprintf(path, size, "%s", word)
                    : snprintf(path, size, "%s/scenarios/%s.soak", place_root(), word);
    if (n < 0 || (size_t)n >= size)
        return err_set(e, "%.60s...: the scenario's path is too long", word);
    if (access(path, R_OK) == 0)
        return 0;
    if (is_path)
        return err_set(e, "%.200s: the scenario can't be read: %s", word, strerror(errno));
    char names[256];
    return err_set(e, "%.60s: no such command or scenario; scenarios/ has %s", word,
                   place_scenarios(names, sizeof names));
}

void place_name(const char *word, char *name, size_t size)
{
    const char *slash = strrchr(word, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : word);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
}
