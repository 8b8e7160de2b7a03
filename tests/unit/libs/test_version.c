/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/version.h"

#include "base/rng.h"
#include "libs/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

/* Each is older than the next: Debian policy 5.6.12 and dpkg's own words. */
static const char *const rising[] = {"~~",
                                     "~~a",
                                     "~",
                                     "",
                                     "0.9",
                                     "1.0~beta1~svn1245",
                                     "1.0~beta1",
                                     "1.0",
                                     "1.0-1~bpo1",
                                     "1.0-1",
                                     "1.0-1+b1",
                                     "1.0-1.1",
                                     "1.0a-1",
                                     "1.0+dfsg-1",
                                     "1.0.1-1",
                                     "1.2",
                                     "1.10",
                                     "1.99999999999999999999",
                                     "1.100000000000000000000",
                                     "2.36",
                                     "2.36-9+deb12u13",
                                     "2.36-9+deb12u101",
                                     "3.0.17-1~deb12u2",
                                     "3.0.17-1",
                                     "3.0.22-1~deb12u2",
                                     "1:0",
                                     "2:0"};
enum { RISING = sizeof rising / sizeof *rising };

static void each_is_older_than_all_behind_it(void **state)
{
    (void)state;
    for (int i = 0; i < RISING; i++)
        for (int j = 0; j < RISING; j++) {
            int c = sign(version_compare(rising[i], rising[j]));
            if (c != sign(i - j))
                fail_msg("'%s' against '%s' gave %d", rising[i], rising[j], c);
        }
}

static void what_can_be_a_version_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        enum lib_part part;
        const char *asked;
        bool can_be;
    } row[] = {
        {LIB_OPENSSL, "3", true},
        {LIB_OPENSSL, "3.0", true},
        {LIB_OPENSSL, "3.0.22", true},
        {LIB_OPENSSL, "1.1.1w", true},
        {LIB_OPENSSL, "1.1", true},
        {LIB_OPENSSL, "1", true},
        {LIB_OPENSSL, "1.1.1w-0+deb11u1", true},
        {LIB_OPENSSL, "3.0.22-1~deb12u2", true},
        {LIB_OPENSSL, "1:3.0.22-1", true},
        {LIB_OPENSSL, "4.0.0~beta1-1", true},
        {LIB_JEMALLOC, "5.3.0-2", true},
        {LIB_LIBC, "2.36-9+deb12u13", true},
        {LIB_OPENSSL, "X25519", false},
        {LIB_OPENSSL, "999h", false},
        {LIB_OPENSSL, "999", false},
        {LIB_OPENSSL, "3.0h", false},
        {LIB_OPENSSL, "3..0", false},
        {LIB_OPENSSL, "3.", false},
        {LIB_OPENSSL, ".3", false},
        {LIB_OPENSSL, "", false},
        {LIB_OPENSSL, "3.0.22-", false},
        {LIB_OPENSSL, "3.0.22 ", false},
        {LIB_OPENSSL, "1.1.1ww", false},
        {LIB_OPENSSL, "1.0.2", false},
        {LIB_OPENSSL, "1.0", false},
        {LIB_OPENSSL, "0.9.8", false},
        {LIB_LIBUV, "1.39", false},
        {LIB_LIBUV, "1.40", true},
        {LIB_LIBUV, "1.4", false},
        {LIB_JEMALLOC, "4.5", false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct err e = {{0}};
        if ((lib_asked_version(row[i].part, row[i].asked, &e) == 0) != row[i].can_be)
            fail_msg("'%s': %s", row[i].asked, e.text);
    }
}

static void what_is_written_otherwise_is_the_same(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"1.0", "0:1.0"}, {"1.0", "1.00"}, {"1.0", "1.0-0"}, {"007", "7"}, {"1.0", "1.0-"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (version_compare(same[i][0], same[i][1]) != 0)
            fail_msg("'%s' isn't '%s'", same[i][0], same[i][1]);
}

static void draw(struct rng *seed, char *to, size_t size)
{
    static const char letters[] = "0019~+-.:aAz";
    size_t length = rng_next(seed) % size;
    for (size_t i = 0; i < length; i++)
        to[i] = letters[rng_next(seed) % (sizeof letters - 1)];
    to[length] = '\0';
}

/* An order of any texts: the same both ways, and without circles. */
static void it_orders_any_texts(void **state)
{
    (void)state;
    struct rng seed = {7};
    for (int i = 0; i < 200000; i++) {
        char a[8], b[8], c[8];
        draw(&seed, a, sizeof a);
        draw(&seed, b, sizeof b);
        draw(&seed, c, sizeof c);
        int ab = sign(version_compare(a, b)), bc = sign(version_compare(b, c));
        assert_int_equal(version_compare(a, a), 0);
        if (sign(version_compare(b, a)) != -ab)
            fail_msg("'%s' and '%s' differ from behind", a, b);
        if (ab == bc && sign(version_compare(a, c)) != ab)
            fail_msg("'%s', '%s', '%s' run in a circle", a, b, c);
    }
}

static void a_tilde_is_older_and_a_plus_is_newer(void **state)
{
    (void)state;
    struct rng seed = {8};
    for (int i = 0; i < 20000; i++) {
        char a[12], longer[32];
        draw(&seed, a, sizeof a);
        snprintf(longer, sizeof longer, "%s~x", a);
        assert_true(version_compare(longer, a) < 0);
        snprintf(longer, sizeof longer, "%s+1", a);
        assert_true(version_compare(longer, a) > 0);
    }
}

static void the_software_has_its_own_version(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"1:3.0.22-1~deb12u2", "3.0.22"},
                                           {"1.1.1w-0+deb11u8", "1.1.1w"},
                                           {"2.41-12+deb13u5", "2.41"},
                                           {"1.0-rc-2", "1.0-rc"},
                                           {"1.44.2", "1.44.2"}};
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(version_upstream(cases[i][0], text, sizeof text), cases[i][1]);
}

static void a_user_means_a_version_by_its_beginning(void **state)
{
    (void)state;
    assert_true(version_means("3.0.22-1~deb12u2", "3.0.22-1~deb12u2"));
    assert_true(version_means("3.0.22", "3.0.22-1~deb12u2"));
    assert_true(version_means("1.44", "1.44.2-1"));
    assert_true(version_means("3", "1:3.0.22-1"));
    assert_false(version_means("3.0.2", "3.0.22-1"));
    assert_false(version_means("3.0.22-1", "3.0.22-1~deb12u2"));
    assert_false(version_means("1.1.1", "1.1.1w-0"));
    assert_false(version_means("", "1.0"));
    assert_false(version_means("3.0.22.1", "3.0.22-1"));
}

static void only_versions_are_versions(void **state)
{
    (void)state;
    assert_true(version_ok("1:1.1.1w-0+deb11u8~x"));
    assert_false(version_ok(""));
    assert_false(version_ok("-1"));
    assert_false(version_ok("1 2"));
    assert_false(version_ok("1/2"));
    assert_false(version_ok("1;2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_older_than_all_behind_it),
        cmocka_unit_test(what_can_be_a_version_is_asked_for),
        cmocka_unit_test(what_is_written_otherwise_is_the_same),
        cmocka_unit_test(it_orders_any_texts),
        cmocka_unit_test(a_tilde_is_older_and_a_plus_is_newer),
        cmocka_unit_test(the_software_has_its_own_version),
        cmocka_unit_test(a_user_means_a_version_by_its_beginning),
        cmocka_unit_test(only_versions_are_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
