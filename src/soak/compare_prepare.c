#include "compare_prepare.h"

/* The runs find their libraries themselves; a library that is missing ends the first of its runs.
 */
int compare_prepare(const struct prepare_request *q, struct prepared *ret, struct err *e)
{
    if (q->same_libc)
        return err_set(e, "--same-libc: this build of soak can't choose a libc");
    *ret = (struct prepared){.libc = ""};
    return 0;
}

int compare_prepare_list(enum compare_part part, struct prepare_list *ret, struct err *e)
{
    (void)ret;
    return err_set(e, "--%s: this build of soak knows no list of versions; name them all: A,B,C",
                   compare_part_name(part));
}
