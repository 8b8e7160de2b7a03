/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __x86_64__

typedef void (*leaf_fn)(void);
typedef void (*thunk_fn)(leaf_fn, uint64_t argument);

/* What a virtual machine writes: functions that keep a frame pointer and have no unwind
 * information. Each calls its first argument. */
static const unsigned char thunk_code[] = {
    0x55,             /* push %rbp */
    0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
    0xff, 0xd7,       /* call *%rdi */
    0x5d,             /* pop %rbp */
    0xc3,             /* ret */
};
/* The same with the second argument for a frame pointer. */
static const unsigned char wild_code[] = {
    0x55,             /* push %rbp */
    0x48, 0x89, 0xf5, /* mov %rsi, %rbp */
    0xff, 0xd7,       /* call *%rdi */
    0x5d,             /* pop %rbp */
    0xc3,             /* ret */
};
enum { WILD_AT = 64, THUNK_RETURNS = 6, CODE_BYTES = 4096 };

static char *code; /* a page of them */
static thunk_fn thunk, wild;
static struct walk walk;

/* A native function that uses the frame pointer for something else, as most do: only its unwind
 * information tells who called it. */
void call_without_frame_pointer(leaf_fn leaf, thunk_fn by);
__asm__(".text\n"
        ".type call_without_frame_pointer, @function\n"
        "call_without_frame_pointer:\n"
        ".cfi_startproc\n"
        "    push %rbp\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %rbp, 0\n"
        "    mov $1, %ebp\n"
        "    call *%rsi\n"
        "    pop %rbp\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %rbp\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size call_without_frame_pointer, . - call_without_frame_pointer\n");

static int write_code(void **state)
{
    (void)state;
    code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return -1;
    memcpy(code, thunk_code, sizeof thunk_code);
    memcpy(code + WILD_AT, wild_code, sizeof wild_code);
    memcpy(&thunk, &(char *){code}, sizeof thunk);
    memcpy(&wild, &(char *){code + WILD_AT}, sizeof wild);
    walk_prepare();
    return mprotect(code, CODE_BYTES, PROT_READ | PROT_EXEC);
}

static int unmap_code(void **state)
{
    (void)state;
    return munmap(code, CODE_BYTES);
}

static __attribute__((noinline)) void leaf(void)
{
    walk_stack(&walk);
    __asm__ volatile("" ::: "memory");
}

/* The index of the first frame within `bytes` from `begin`; SIZE_MAX when there is none. */
static size_t index_in(const void *begin, size_t bytes)
{
    for (size_t i = 0; i < walk.frames; i++) {
        if (walk.frame[i] - (uint64_t)(uintptr_t)begin <= bytes)
            return i;
    }
    return SIZE_MAX;
}

/* Such as a function, of whose size this is the most. */
#define AT(function) index_in((const void *)(uintptr_t)(function), 300)

static void assert_thunk_at(size_t index)
{
    assert_int_equal(walk.frame[index], (uint64_t)(uintptr_t)code + THUNK_RETURNS);
}

/* What stands above the code made at run time. noinline: a frame to look for. */
static __attribute__((noinline)) void call_thunk(void)
{
    thunk(leaf, 0);
    __asm__ volatile("" ::: "memory");
}

static void code_without_unwind_information_is_walked_through(void **state)
{
    (void)state;
    leaf();
    size_t ordinary = walk.frames;
    call_thunk();
    assert_int_equal(AT(leaf), 0);
    assert_thunk_at(1);
    assert_int_equal(AT(call_thunk), 2);
    assert_int_equal(walk.frames, ordinary + 2);
}

static __attribute__((noinline)) void leaf_below_another(void)
{
    thunk(leaf, 0);
    __asm__ volatile("" ::: "memory");
}

static void it_may_come_twice(void **state)
{
    (void)state;
    leaf();
    size_t ordinary = walk.frames;
    thunk(leaf_below_another, 0);
    assert_int_equal(AT(leaf), 0);
    assert_thunk_at(1);
    assert_int_equal(AT(leaf_below_another), 2);
    assert_thunk_at(3);
    assert_int_equal(walk.frames, ordinary + 3);
}

static __attribute__((noinline)) void call_native(void)
{
    call_without_frame_pointer(leaf, thunk);
    __asm__ volatile("" ::: "memory");
}

static void native_frames_above_it_need_no_frame_pointer(void **state)
{
    (void)state;
    call_native();
    assert_thunk_at(1);
    assert_int_equal(AT(call_without_frame_pointer), 2);
    assert_int_equal(AT(call_native), 3);
}

static void a_frame_pointer_that_is_none_ends_the_walk(void **state)
{
    (void)state;
    char *hole = mmap(NULL, CODE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t here = (uint64_t)(uintptr_t)&state;
    const uint64_t bad[] = {
        0,
        1,
        (uint64_t)(uintptr_t)hole,
        here + 4,
        here - 100000,
        here | 1ull << 63,
        8 * 1024,
        UINT64_MAX,
        UINT64_MAX - 7,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wild(leaf, bad[i]);
        assert_int_equal(walk.frames, 2);
        assert_int_equal(walk.frame[1], (uint64_t)(uintptr_t)code + WILD_AT + THUNK_RETURNS);
    }
    munmap(hole, CODE_BYTES);
}

static void a_return_address_that_is_none_ends_the_walk(void **state)
{
    (void)state;
    uint64_t record[2] = {0, 0};
    record[0] = (uint64_t)(uintptr_t)record;
    const uint64_t bad[] = {0, 1, UINT64_MAX, 1ull << 63};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        record[1] = bad[i];
        wild(leaf, (uint64_t)(uintptr_t)record);
        assert_int_equal(walk.frames, 2);
    }
}

/* A chain that leads to itself would be walked for ever. */
static void a_chain_only_goes_up(void **state)
{
    (void)state;
    uint64_t record[2] = {0, (uint64_t)(uintptr_t)code + 1};
    record[0] = (uint64_t)(uintptr_t)record;
    wild(leaf, (uint64_t)(uintptr_t)record);
    assert_int_equal(walk.frames, 3);
    assert_int_equal(walk.frame[2], record[1]);
}

static void a_deep_stack_is_cut(void **state)
{
    (void)state;
    enum { DEPTH = 2 * PAGE_STACK_FRAMES };
    static uint64_t record[DEPTH][2];
    uint64_t chain[DEPTH][2];
    for (size_t i = 0; i < DEPTH; i++) {
        chain[i][0] = (uint64_t)(uintptr_t)chain[(i + 1) % DEPTH];
        chain[i][1] = (uint64_t)(uintptr_t)code + 1;
    }
    memcpy(record, chain, sizeof chain);
    wild(leaf, (uint64_t)(uintptr_t)chain);
    assert_int_equal(walk.frames, PAGE_STACK_FRAMES);
    assert_int_equal(walk.frame[PAGE_STACK_FRAMES - 1], record[0][1]);
}

static ucontext_t outside, inside;
static uint64_t stack_top;
static size_t frames_of_wild[2];

static __attribute__((noinline)) void walk_beyond_the_stack(void)
{
    for (size_t i = 0; i < 2; i++) { /* a record beyond it, and one half beyond */
        wild(leaf, stack_top - i * sizeof(uint64_t));
        frames_of_wild[i] = walk.frames;
    }
}

static void on_coroutine(void)
{
    walk_beyond_the_stack();
    call_thunk();
    __asm__ volatile("" ::: "memory");
}

/* Its stack is no thread's, and lies between pages that can't be read. */
static void a_coroutines_stack_is_walked_to_its_end(void **state)
{
    (void)state;
    enum { STACK_BYTES = 64 * 1024 };
    char *room =
        mmap(NULL, STACK_BYTES + CODE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(room != MAP_FAILED);
    assert_int_equal(mprotect(room, STACK_BYTES, PROT_READ | PROT_WRITE), 0);
    stack_top = (uint64_t)(uintptr_t)room + STACK_BYTES;
    assert_int_equal(getcontext(&inside), 0);
    inside.uc_stack.ss_sp = room;
    inside.uc_stack.ss_size = STACK_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, on_coroutine, 0);
    assert_int_equal(swapcontext(&outside, &inside), 0);
    assert_int_equal(frames_of_wild[0], 2);
    assert_int_equal(frames_of_wild[1], 2);
    assert_thunk_at(1);
    assert_int_equal(AT(call_thunk), 2);
    assert_int_equal(AT(on_coroutine), 3);
    munmap(room, STACK_BYTES + CODE_BYTES);
}

static void *on_thread(void *unused)
{
    call_thunk();
    return unused;
}

static void a_threads_stack_is_walked_to_its_end(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, on_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_thunk_at(1);
    assert_int_equal(AT(call_thunk), 2);
    assert_int_equal(AT(on_thread), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_without_unwind_information_is_walked_through),
        cmocka_unit_test(it_may_come_twice),
        cmocka_unit_test(native_frames_above_it_need_no_frame_pointer),
        cmocka_unit_test(a_frame_pointer_that_is_none_ends_the_walk),
        cmocka_unit_test(a_return_address_that_is_none_ends_the_walk),
        cmocka_unit_test(a_chain_only_goes_up),
        cmocka_unit_test(a_deep_stack_is_cut),
        cmocka_unit_test(a_coroutines_stack_is_walked_to_its_end),
        cmocka_unit_test(a_threads_stack_is_walked_to_its_end),
    };
    return cmocka_run_group_tests(tests, write_code, unmap_code);
}

#else

int main(void)
{
    print_message("skipped: frames without unwind information are walked on x86-64 only\n");
    return 77;
}

#endif
