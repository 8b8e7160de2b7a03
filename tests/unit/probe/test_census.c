/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "page/snapshot.h"
#include "probe/probe.h"
#include "tests/unit/tls/bio_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

static int start(void **state)
{
    return bio_pair_start(state, SESSION_TICKET);
}

/* A message is passed each way, so that the client has read its tickets. */
static struct bio_pair connect_ends(SSL_SESSION *session)
{
    char byte = 0;
    struct bio_pair ends = bio_pair_open(session);
    CHECK(SSL_write(ends.client, &byte, 1) == 1 && SSL_read(ends.server, &byte, 1) == 1);
    CHECK(SSL_write(ends.server, &byte, 1) == 1 && SSL_read(ends.client, &byte, 1) == 1);
    return ends;
}

static void free_ends(struct bio_pair ends)
{
    SSL_shutdown(ends.client);
    SSL_shutdown(ends.server);
    bio_pair_free(ends);
}

static struct snapshot now(void)
{
    struct snapshot s;
    assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
    return s;
}

static const struct snapshot_class *class_of(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->classes; i++) {
        if (strcmp(s->class_[i].name, name) == 0)
            return &s->class_[i];
    }
    return NULL;
}

static int64_t live(const char *name)
{
    struct snapshot s = now();
    const struct snapshot_class *class_ = class_of(&s, name);
    assert_non_null(class_);
    int64_t count = class_->live;
    snapshot_free(&s);
    return count;
}

static void assert_same_census(const struct snapshot *before)
{
    struct snapshot after = now();
    for (size_t i = 0; i < after.classes; i++) {
        if (after.class_[i].live != before->class_[i].live)
            fail_msg("%s: %ld before, %ld after", after.class_[i].name,
                     (long)before->class_[i].live, (long)after.class_[i].live);
    }
    snapshot_free(&after);
}

static void contexts_keys_and_certificates_are_counted(void **state)
{
    (void)state;
    assert_int_equal(live("SSL_CTX"), 2);
    assert_int_equal(live("SSL"), 0);
    assert_true(live("X509") >= 1);
}

static void open_connections_are_counted(void **state)
{
    (void)state;
    struct bio_pair ends[3];
    int64_t before = live("SSL");
    int64_t bios = live("BIO");
    for (int i = 0; i < 3; i++)
        ends[i] = connect_ends(NULL);
    assert_int_equal(live("SSL") - before, 6);
    assert_true(live("BIO") - bios >= 6);
    for (int i = 0; i < 3; i++)
        free_ends(ends[i]);
    assert_int_equal(live("SSL"), before);
    assert_int_equal(live("BIO"), bios);
}

static void each_class_names_the_site_of_its_objects(void **state)
{
    (void)state;
    free_ends(connect_ends(NULL));
    static const char *const names[] = {"SSL_CTX", "SSL", "SSL_SESSION", "X509", "BIO"};
    struct snapshot s = now();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_not_equal(class_of(&s, names[i])->site, 0);
    assert_non_null(strstr(s.site[class_of(&s, "SSL")->site].file, "ssl_lib.c"));
    snapshot_free(&s);
}

/* Each ticket and each resumption copies the session inside OpenSSL. */
static void fifty_connections_with_tickets_and_resumption_leave_the_census_as_it_was(void **state)
{
    (void)state;
    free_ends(connect_ends(NULL));
    struct snapshot before = now();
    SSL_SESSION *session = NULL;
    int resumed = 0;
    for (int i = 0; i < 50; i++) {
        struct bio_pair ends = connect_ends(session);
        resumed += SSL_session_reused(ends.server);
        assert_int_equal(SSL_get_num_tickets(ends.server), 2);
        SSL_SESSION_free(session);
        session = SSL_get1_session(ends.client);
        free_ends(ends);
    }
    assert_int_equal(live("SSL_SESSION") - class_of(&before, "SSL_SESSION")->live, 1);
    SSL_SESSION_free(session);
    assert_int_equal(resumed, 49);
    assert_same_census(&before);
    snapshot_free(&before);
}

static void copies_are_counted_as_objects_of_their_own(void **state)
{
    (void)state;
    struct snapshot before = now();
    struct bio_pair ends = connect_ends(NULL);
    int64_t sessions = live("SSL_SESSION");
    int64_t certificates = live("X509");
    SSL_SESSION *session = SSL_SESSION_dup(SSL_get0_session(ends.client));
    X509 *certificate = X509_dup(bio_pair_certificate());
    assert_int_equal(live("SSL_SESSION") - sessions, 1);
    assert_int_equal(live("X509") - certificates, 1);
    X509_free(certificate);
    SSL_SESSION_free(session);
    free_ends(ends);
    assert_same_census(&before);
    snapshot_free(&before);
}

static void *free_session(void *session)
{
    SSL_SESSION_free(session);
    return NULL;
}

static void an_object_freed_by_another_thread_is_gone_from_the_sum(void **state)
{
    (void)state;
    struct snapshot before = now();
    struct bio_pair ends = connect_ends(NULL);
    SSL_SESSION *session = SSL_get1_session(ends.client);
    free_ends(ends);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_session, session), 0);
    pthread_join(thread, NULL);
    assert_same_census(&before);
    snapshot_free(&before);
}

static void connections_leave_the_ledger_as_it_was(void **state)
{
    (void)state;
    free_ends(connect_ends(NULL));
    struct snapshot before = now();
    for (int i = 0; i < 20; i++)
        free_ends(connect_ends(NULL));
    struct snapshot after = now();
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.bad_frees, 0);
    snapshot_free(&before);
    snapshot_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_keys_and_certificates_are_counted),
        cmocka_unit_test(open_connections_are_counted),
        cmocka_unit_test(each_class_names_the_site_of_its_objects),
        cmocka_unit_test(fifty_connections_with_tickets_and_resumption_leave_the_census_as_it_was),
        cmocka_unit_test(copies_are_counted_as_objects_of_their_own),
        cmocka_unit_test(an_object_freed_by_another_thread_is_gone_from_the_sum),
        cmocka_unit_test(connections_leave_the_ledger_as_it_was),
    };
    return cmocka_run_group_tests(tests, start, bio_pair_stop);
}
