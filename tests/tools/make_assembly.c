/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-assembly OPENSSL LIBUV JEMALLOC LIBC ("" = not asked): what assembly_make says. Prints the
 * folder, the library path and a line per part, as `key value`; with a fifth word, the path of a
 * maps file, `mapped PART FILE` for each file of it that assembly_owns.
 */
#include "src/soak/guard.h"
#include "src/soak/library/assembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *asked(const char *word)
{
    return *word ? word : NULL;
}

static void print_mapped(const struct assembly *a, const char *maps)
{
    char line[PATH_MAX + 128], last[PATH_MAX] = "";
    FILE *in = fopen(maps, "re");
    while (in && fgets(line, sizeof line, in)) {
        char *path = strchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        if (!path || strcmp(path, last) == 0)
            continue;
        snprintf(last, sizeof last, "%.*s", PATH_MAX - 1, path);
        for (int i = 0; i < LIB_PARTS; i++)
            if (assembly_owns(a, (enum lib_part)i, path))
                printf("mapped %s %s\n", lib_part_entry((enum lib_part)i)->name, path);
    }
    if (in)
        fclose(in);
}

int main(int argc, char **argv)
{
    struct err e = {{0}};
    guard_begin(&argc, &argv);
    struct assembly *a = calloc(1, sizeof *a);
    if (argc < 5 || !a)
        return 64;
    struct assembly_request q = {.openssl = asked(argv[1]),
                                 .libuv = asked(argv[2]),
                                 .jemalloc = asked(argv[3]),
                                 .libc = asked(argv[4])};
    if (assembly_make(&q, a, &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        free(a);
        return 2;
    }
    printf("folder %s\nlibrary_path %s\n", a->folder, a->library_path);
    for (int i = 0; i < LIB_PARTS; i++)
        if (a->part[i].name[0])
            printf("part %s %s %s\n", lib_part_entry((enum lib_part)i)->name, a->part[i].name,
                   a->part[i].version);
    if (argc > 5)
        print_mapped(a, argv[5]);
    free(a);
    return 0;
}
