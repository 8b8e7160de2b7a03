/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bench.py compares, by its name there: key, protocol and whether connections resume. The
 * contexts of a case are the harness's own, so that floor and least do the same TLS.
 */
#ifndef SOAK_BENCH_CASES_H
#define SOAK_BENCH_CASES_H

#include <openssl/ssl.h>
#include <stdbool.h>

enum { CASE_PAYLOAD = 32 /* bytes of the message that is echoed */ };
#define CASE_NAMES "full|rsa|resume|resume12"

struct bench_case {
    const char *name;
    bool rsa;
    bool resumes;
    bool tls12;
};

/* Returns NULL for a name that none has. */
const struct bench_case *case_named(const char *name);

/* Owned by the caller (SSL_CTX_free). What can't be made ends the process. */
SSL_CTX *case_server(const struct bench_case *c);
SSL_CTX *case_client(const struct bench_case *c);

/* Lets a client's connection resume the last session that another was given, when the case resumes
 * and there is one. */
void case_resume(const struct bench_case *c, SSL *ssl);

/* Frees the session that is kept. */
void case_fini(void);

/* As the harness sets its sockets. */
void case_no_delay(int fd);

#endif
