/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls fake_outer of LIBRARY while another thread opens and closes OTHER, COUNT times. Usage:
 * unload-case LIBRARY ANSWER OTHER COUNT
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const char *other;
static atomic_long left;

static void *open_and_close(void *unused)
{
    for (; atomic_load(&left) > 0; atomic_fetch_sub(&left, 1)) {
        void *library = dlopen(other, RTLD_NOW);
        if (!library)
            exit(3);
        dlclose(library);
    }
    return unused;
}

int main(int argc, char **argv)
{
    int (*call)(void) = NULL;
    pthread_t thread;
    void *library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library)
        *(void **)&call = dlsym(library, "fake_outer");
    if (!call)
        return 2;
    other = argv[3];
    atomic_store(&left, atol(argv[4]));
    if (pthread_create(&thread, NULL, open_and_close, NULL) != 0)
        return 4;
    int answer = atoi(argv[2]), wrong = 0;
    while (atomic_load(&left) > 0) {
        dlclose(dlopen(argv[1], RTLD_NOW)); /* so that it is found out anew where the call goes */
        wrong += call() != answer;
    }
    pthread_join(thread, NULL);
    return wrong ? 1 : 0;
}
