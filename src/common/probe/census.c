/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/census.h"

#include "base/text.h"
#include "probe/slot.h"

enum { INDEX_EVP_PKEY = 17 }; /* CRYPTO_EX_INDEX_EVP_PKEY, which older headers lack */

/* Outermost first: an object that is kept keeps those below it. */
static const struct {
    int index;
    const char *name;
    unsigned long since; /* OpenSSL's version */
} classes[] = {
    {CRYPTO_EX_INDEX_SSL_CTX, "SSL_CTX", 0},         {CRYPTO_EX_INDEX_SSL, "SSL", 0},
    {CRYPTO_EX_INDEX_SSL_SESSION, "SSL_SESSION", 0}, {CRYPTO_EX_INDEX_X509, "X509", 0},
    {INDEX_EVP_PKEY, "EVP_PKEY", 0x30000000},        {CRYPTO_EX_INDEX_BIO, "BIO", 0},
};

enum { CLASSES = sizeof classes / sizeof classes[0] };
_Static_assert((int)CLASSES <= (int)PAGE_CLASSES, "the page has no room for the census");

static struct page *census_page;
static struct census_calls census;

static void count(long class_, int64_t by)
{
    struct page_thread *slot = slot_own ? slot_own : slot_claim();
    if (slot)
        slot_add_i(true, &slot->census[class_], by);
    else
        slot_add_i(false, &slot_shared()->census[class_], by);
}

/* The first classes have the same number with any version. */
static bool is_ssl(long class_)
{
    return classes[class_].index == CRYPTO_EX_INDEX_SSL;
}

static void on_new(void *object, void *value, CRYPTO_EX_DATA *data, int index, long class_,
                   void *unused)
{
    (void)value;
    (void)data;
    (void)index;
    (void)unused;
    uint32_t site = census.site_of(object);
    page_u64 *known = &census_page->class_[class_].site;
    /* Nearly always the same: a store each time would pass the line from core to core. */
    if (atomic_load_explicit(known, memory_order_relaxed) != site)
        atomic_store_explicit(known, site, memory_order_relaxed);
    count(class_, 1);
    if (census.on_ssl && is_ssl(class_))
        census.on_ssl(1);
}

static void on_free(void *object, void *value, CRYPTO_EX_DATA *data, int index, long class_,
                    void *unused)
{
    (void)value;
    (void)data;
    (void)index;
    (void)unused;
    if (census.is_inherited && census.is_inherited(object))
        return;
    count(class_, -1);
    if (census.on_ssl && is_ssl(class_))
        census.on_ssl(-1);
}

/* Several processes of a subject show the same. */
static void show(struct page *page, long number, const char *name)
{
    struct page_class *class_ = &page->class_[number];
    if (!atomic_load_explicit(&class_->ready, memory_order_acquire))
        text_copy(class_->name, sizeof class_->name, name);
    atomic_store_explicit(&class_->ready, 1, memory_order_release);
    atomic_store_explicit(&page->classes, (uint64_t)number + 1, memory_order_release);
}

int census_start(struct page *page, const struct census_calls *calls, struct err *e)
{
    census_page = page;
    census = *calls;
    for (long i = 0, number = 0; i < CLASSES; i++) {
        if (calls->version < classes[i].since)
            continue;
        if (calls->get_ex_new_index(classes[i].index, number, NULL, on_new, NULL, on_free) < 0)
            return err_set(e, "OpenSSL refuses to count objects of class %s", classes[i].name);
        show(page, number++, classes[i].name);
    }
    return 0;
}
