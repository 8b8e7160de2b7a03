/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of C++ that share their last name. Built with debug information and optimised. */
#define NOINLINE __attribute__((noinline))
#define INLINED  inline __attribute__((always_inline))

typedef void callback(void);
static volatile int calls;

namespace net
{
struct Reader {
    NOINLINE void handle(callback *call);
    INLINED void ask(callback *call)
    {
        call();
        calls = calls + 1;
    }
};

template <typename T> struct Writer {
    NOINLINE void handle(callback *call)
    {
        call();
        calls = calls + sizeof(T);
    }
};

void Reader::handle(callback *call)
{
    call();
    calls = calls + 1;
}
} // namespace net

namespace
{
NOINLINE void handle(callback *call)
{
    call();
    calls = calls + 2;
}
} // namespace

/* Calls back from each in turn. */
extern "C" __attribute__((visibility("default"))) void case_cxx(callback *call)
{
    net::Reader reader;
    net::Writer<int> writer;
    reader.handle(call);
    writer.handle(call);
    handle(call);
    reader.ask(call);
    calls = calls + 3;
}
