/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The join token of a run: a text that both ends know beforehand, from a file, the environment or
 * stdin, never from a command line, which other users see. Both make the key of their TLS
 * connection from it: who doesn't know it can neither join a run nor play one.
 */
#ifndef SOAK_CHANNEL_TOKEN_H
#define SOAK_CHANNEL_TOKEN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 bits in hexadecimal at least. */
enum { TOKEN_LEAST = 32, TOKEN_MOST = 256, TOKEN_BYTES = TOKEN_MOST + 1, TOKEN_KEY = 32 };
#define TOKEN_VARIABLE "SOAK_JOIN_TOKEN"

/* A new one, of 256 bits by chance. Returns 0 or -1. */
int token_make(char ret[TOKEN_BYTES], struct err *e);
/* Reads the file, "-" being stdin; or the environment, which then has it no more, where `file` is
 * NULL. Returns 0; -ENOENT when there is none, -1 when it is none. */
int token_read(const char *file, char ret[TOKEN_BYTES], struct err *e);
/* Whether token_find can be had later: nothing is made, or read that can be read only once. Returns
 * 0 or -1. */
int token_check(const char *file, struct err *e);
/* Whether others can read or write the file, which may be NULL or "-", or it belongs to one of
 * them; `buf` gets a sentence that says so. One of root's may be for a group, as mounted secrets
 * are. */
bool token_is_exposed(const char *file, char *buf, size_t size);
/* Makes a file that no one else can read, whole from the moment it has its name. Returns 0; -EEXIST
 * where there is one, which stays as it is; or -1. */
int token_write(const char *file, const char *token, struct err *e);
/* For a run: the one that is there, as token_read has it; else a new one, written to `file`, or to
 * join-token in `folder` where that is NULL. `ret_made` is the path of one that was made, else "".
 * Of two runs that make it at once one does, and both have it. Returns 0 or -1. */
enum { TOKEN_PATH = 4096 };
int token_find(const char *file, const char *folder, char ret[TOKEN_BYTES],
               char ret_made[TOKEN_PATH], struct err *e);
/* The key: HMAC-SHA256 of the token under a name of the protocol (RFC 5869 2.2). */
void token_key(const char *token, uint8_t ret[TOKEN_KEY]);

#endif
