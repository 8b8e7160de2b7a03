/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/common/symbol. */
#ifndef SOAK_SYMBOL_DEMANGLE_H
#define SOAK_SYMBOL_DEMANGLE_H

#include <stddef.h>

/* Writes the name of a C++ function as its source has it, without the types of its parameters:
 * `node::crypto::TLSWrap::Wrap` of _ZN4node6crypto7TLSWrap4WrapERKN2v820FunctionCallbackInfoI....
 * Returns buf; `name` itself when it is of no C++ function, longer than DEMANGLE_NAME, doesn't fit,
 * or libstdc++, whose business this is, isn't there. From one thread. */
const char *demangle(const char *name, char *buf, size_t size);

enum { DEMANGLE_NAME = 1024 };

#endif
