/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/census.h"

#include "probe/ledger.h"
#include "probe/slot.h"

#include <openssl/crypto.h>
#include <string.h>

/* Outermost first: an object that is kept keeps those below it. */
static const struct {
    int index;
    const char *name;
} classes[] = {
    {CRYPTO_EX_INDEX_SSL_CTX, "SSL_CTX"},
    {CRYPTO_EX_INDEX_SSL, "SSL"},
    {CRYPTO_EX_INDEX_SSL_SESSION, "SSL_SESSION"},
    {CRYPTO_EX_INDEX_X509, "X509"},
#ifdef CRYPTO_EX_INDEX_EVP_PKEY
    {CRYPTO_EX_INDEX_EVP_PKEY, "EVP_PKEY"},
#endif
    {CRYPTO_EX_INDEX_BIO, "BIO"},
};

enum { CLASSES = sizeof classes / sizeof classes[0] };
_Static_assert((int)CLASSES <= (int)PAGE_CLASSES, "the page has no room for the census");

static struct page *census_page;

static void count(long class_, int64_t by)
{
    struct page_thread *slot = slot_own ? slot_own : slot_claim();
    if (slot)
        slot_add_i(true, &slot->census[class_], by);
    else
        slot_add_i(false, &slot_shared()->census[class_], by);
}

static void on_new(void *object, void *value, CRYPTO_EX_DATA *data, int index, long class_,
                   void *unused)
{
    (void)value;
    (void)data;
    (void)index;
    (void)unused;
    uint32_t site = ledger_site_of(object);
    page_u64 *known = &census_page->class_[class_].site;
    /* Nearly always the same: a store each time would pass the line from core to core. */
    if (atomic_load_explicit(known, memory_order_relaxed) != site)
        atomic_store_explicit(known, site, memory_order_relaxed);
    count(class_, 1);
}

static void on_free(void *object, void *value, CRYPTO_EX_DATA *data, int index, long class_,
                    void *unused)
{
    (void)object;
    (void)value;
    (void)data;
    (void)index;
    (void)unused;
    count(class_, -1);
}

int census_start(struct page *page, struct err *e)
{
    census_page = page;
    for (long i = 0; i < CLASSES; i++) {
        struct page_class *class_ = &page->class_[i];
        strcpy(class_->name, classes[i].name);
        if (CRYPTO_get_ex_new_index(classes[i].index, i, NULL, on_new, NULL, on_free) < 0)
            return err_set(e, "OpenSSL refuses to count objects of class %s", classes[i].name);
        atomic_store_explicit(&class_->ready, 1, memory_order_release);
        atomic_store_explicit(&page->classes, (uint64_t)i + 1, memory_order_release);
    }
    return 0;
}
