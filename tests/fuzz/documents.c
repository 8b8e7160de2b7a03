/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-documents FOLDER: writes the results of the reports' tests as soak/1 documents. */
#include "report/document.h"
#include "tests/unit/report/report_cases.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    static struct result result; /* large */
    char path[4096];
    for (size_t i = 0; argc == 2 && i < REPORT_CASES; i++) {
        result = (struct result){0};
        report_cases[i].fill(&result);
        char *text = document_write(&result);
        snprintf(path, sizeof path, "%s/%02zu.json", argv[1], i);
        FILE *out = text ? fopen(path, "we") : NULL;
        if (!out || fputs(text, out) < 0 || fclose(out) != 0)
            return EXIT_FAILURE;
        free(text);
    }
    return argc == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
