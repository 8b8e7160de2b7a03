/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/walk.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

/* What a frame is found by. walk_from() knows the order. */
struct place {
    uint64_t fp, ip, sp;
};

/* One walk of the unwinder. */
struct unwinding {
    struct walk *walk;
    struct place last; /* the frame that it saw last */
    bool begun;        /* past the frames of our own */
};

/* The linker's names for the ends of the section of STACKS_OWN. */
extern const char section_begin[] __asm__("__start_soak_hooks")
    __attribute__((visibility("hidden")));
extern const char section_end[] __asm__("__stop_soak_hooks") __attribute__((visibility("hidden")));

static bool is_own(uint64_t ip)
{
    return ip > (uint64_t)section_begin && ip <= (uint64_t)section_end;
}

/* DWARF's number of the frame pointer, and a function that makes the unwinder walk from a frame of
 * our choice: its own unwind information says that it was called from there. */
#ifdef __x86_64__
#define FRAME_POINTER 6
__asm__(".pushsection soak_hooks, \"ax\", @progbits\n"
        ".globl walk_from\n"
        ".hidden walk_from\n"
        ".type walk_from, @function\n"
        "walk_from:\n"
        ".cfi_startproc\n"
        "    push %rbx\n"
        "    mov %rdi, %rbx\n"
        ".cfi_escape 0x0f, 3, 0x73, 16, 0x06\n" /* the caller's sp: *(rbx + 16) */
        ".cfi_escape 0x10, 6, 2, 0x73, 0\n"     /* its frame pointer is kept at rbx */
        ".cfi_escape 0x10, 16, 2, 0x73, 8\n"    /* the return address at rbx + 8 */
        "    mov %rsi, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    call _Unwind_Backtrace@PLT\n"
        "    pop %rbx\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size walk_from, . - walk_from\n"
        ".popsection\n");
#endif

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *to)
{
    struct unwinding *now = to;
    struct walk *walk = now->walk;
    uint64_t ip = (uint64_t)_Unwind_GetIP(context);
    if (!now->begun && is_own(ip))
        return _URC_NO_REASON;
    now->begun = true;
    now->last.ip = ip;
    if (!ip || walk->frames == PAGE_STACK_FRAMES)
        return _URC_END_OF_STACK;
    walk->frame[walk->frames++] = ip;
#ifdef FRAME_POINTER
    now->last.fp = (uint64_t)_Unwind_GetGR(context, FRAME_POINTER);
    now->last.sp = (uint64_t)_Unwind_GetCFA(context);
#endif
    return _URC_NO_REASON;
}

#ifdef FRAME_POINTER

_Unwind_Reason_Code walk_from(const struct place *from, _Unwind_Trace_Fn on, void *to)
    __attribute__((visibility("hidden")));

enum { FRAME_BYTES_MAX = 1 << 20, PAGE_BYTES = 4096, KERNEL_SIGSET_BYTES = 8 };

/* A frame without unwind information, by the ABI: the caller's frame pointer, the return address.
 */
struct frame {
    uint64_t fp, ip;
};

/* Tells whether an address lies in a loaded program or library; NULL before glibc 2.35. */
typedef int (*find_object_fn)(void *address, void *ret);
static find_object_fn find_object;

static void find_object_prepare(void)
{
    *(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
}

/* Whether the unwinder may know the place. Without find_object() it is asked itself. */
static bool in_object(uint64_t ip)
{
    uint64_t room[32]; /* struct dl_find_object has 13 words in glibc 2.36 */
    return !find_object || find_object((void *)(uintptr_t)(ip - 1), room) == 0;
}

/* The kernel reads the set before it looks at what is to be done with it, and refuses that: EINVAL
 * when it could be read, EFAULT when not. Sandboxes let this call through. */
static int sigset_error(uint64_t address)
{
    int kept = errno;
    long done = syscall(SYS_rt_sigprocmask, ~0, address, NULL, (size_t)KERNEL_SIGSET_BYTES);
    int code = done == 0 ? 0 : errno;
    errno = kept;
    return code;
}

static bool can_read(uint64_t address)
{
    return address >= PAGE_BYTES && sigset_error(address) == EINVAL;
}

/* A kernel, or what stands in for one, that answers otherwise can't be asked. */
static bool kernel_answers(void)
{
    uint64_t here = 0;
    return sigset_error((uint64_t)(uintptr_t)&here) == EINVAL &&
           sigset_error(PAGE_BYTES / 2) == EFAULT;
}

/* Goes from a frame to its caller's, along the frame pointer. The stack is another function's, so
 * the address sanitizer must let this one look. Returns false where there is none. */
static __attribute__((no_sanitize("address"))) bool step(struct place *at)
{
    uint64_t up = at->fp - at->sp;
    const struct frame *frame = (const struct frame *)(uintptr_t)at->fp;
    if (at->fp % sizeof frame->fp || up > FRAME_BYTES_MAX)
        return false;
    if (!can_read(at->fp) || !can_read(at->fp + offsetof(struct frame, ip)))
        return false;
    struct place caller = {frame->fp, frame->ip, at->fp + sizeof *frame};
    if (!can_read(caller.ip))
        return false;
    *at = caller;
    return true;
}

/* The unwinder found no way out of `now->last`. */
static __attribute__((noinline)) STACKS_OWN void walk_on(struct unwinding *now)
{
    struct walk *walk = now->walk;
    if (!kernel_answers())
        return;
    while (walk->frames < PAGE_STACK_FRAMES && now->last.ip && step(&now->last)) {
        if (!in_object(now->last.ip)) {
            walk->frame[walk->frames++] = now->last.ip;
            continue;
        }
        struct place from = now->last;
        now->begun = false;
        walk_from(&from, on_frame, now);
    }
}

#else

static void find_object_prepare(void)
{
}

static void walk_on(struct unwinding *now)
{
    (void)now;
}

#endif

STACKS_OWN void walk_stack(struct walk *ret)
{
    struct unwinding now = {.walk = ret};
    ret->frames = 0;
    _Unwind_Backtrace(on_frame, &now);
    if (__builtin_expect(now.last.ip != 0, 0) && ret->frames < PAGE_STACK_FRAMES)
        walk_on(&now);
}

void walk_prepare(void)
{
    struct walk warm;
    find_object_prepare();
    walk_stack(&warm);
}
