/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <string.h>

/*
 * RFC 6120 4 and 5: both ends open a stream, the server lists its features, the client sends
 * <starttls/>, the server <proceed/>, and TLS begins right behind the last `>`: white space isn't
 * allowed there (5.3.3). Tags are understood one at a time; whether the rest is well-formed is
 * nobody's business here.
 */
#define TLS_NAMESPACE "urn:ietf:params:xml:ns:xmpp-tls"
#define STREAM                                                                                     \
    " version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

enum { QUOTED = 120 };
enum client_step { CLIENT_STREAM, CLIENT_FEATURES, CLIENT_FEATURE, CLIENT_PROCEED, CLIENT_END };
enum server_step { SERVER_STREAM, SERVER_STARTTLS, SERVER_END };

static bool tag_is(const struct starttls *p, const char *name)
{
    size_t length = strlen(name);
    const char *tag = (const char *)p->unit + 1;
    return strncmp(tag, name, length) == 0 && tag[length] && strchr(" \t\r\n/>", tag[length]);
}

/* <name/>, which has no end of its own. */
static bool tag_is_empty(const struct starttls *p)
{
    return p->used > 2 && p->unit[p->used - 2] == '/';
}

static bool tag_is_tls(const struct starttls *p, const char *name)
{
    return tag_is(p, name) && strstr((const char *)p->unit, TLS_NAMESPACE);
}

static enum starttls_result unexpected(const struct starttls *p, const char *wanted, struct err *e)
{
    char quoted[QUOTED];
    return starttls_fail(e, "%s was expected, not %s", wanted,
                         starttls_quote(p->unit, p->used, quoted, sizeof quoted));
}

static void open_stream(struct starttls *p, struct starttls_io *io)
{
    starttls_say_text(io, "<?xml version='1.0'?><stream:stream to='");
    starttls_say_text(io, p->host);
    starttls_say_text(io, "'" STREAM);
}

static enum starttls_result heard_features_end(struct starttls *p, struct starttls_io *io,
                                               struct err *e)
{
    if (!p->offered)
        return starttls_fail(e, "the server doesn't offer starttls");
    starttls_say_text(io, "<starttls xmlns='" TLS_NAMESPACE "'/>");
    p->asked = true;
    p->step = CLIENT_PROCEED;
    return STARTTLS_MORE;
}

static enum starttls_result heard_feature(struct starttls *p, struct starttls_io *io, struct err *e)
{
    if (tag_is(p, "/stream:features"))
        return heard_features_end(p, io, e);
    if (tag_is(p, "/stream:stream") || tag_is(p, "stream:error"))
        return unexpected(p, "a feature", e);
    if (tag_is_tls(p, "starttls"))
        p->offered = true;
    return STARTTLS_MORE;
}

static enum starttls_result heard_proceed(struct starttls *p, struct err *e)
{
    if (!tag_is_tls(p, "proceed"))
        return unexpected(p, "<proceed/>", e);
    p->step = CLIENT_END;
    return tag_is_empty(p) ? STARTTLS_DONE : STARTTLS_MORE;
}

static enum starttls_result client_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    switch ((enum client_step)p->step) {
    case CLIENT_STREAM:
        if (tag_is(p, "?xml"))
            return STARTTLS_MORE;
        if (!tag_is(p, "stream:stream") || tag_is_empty(p))
            return unexpected(p, "a stream", e);
        p->step = CLIENT_FEATURES;
        return STARTTLS_MORE;
    case CLIENT_FEATURES:
        if (!tag_is(p, "stream:features"))
            return unexpected(p, "<stream:features>", e);
        p->step = CLIENT_FEATURE;
        return tag_is_empty(p) ? heard_features_end(p, io, e) : STARTTLS_MORE;
    case CLIENT_FEATURE:
        return heard_feature(p, io, e);
    case CLIENT_PROCEED:
        return heard_proceed(p, e);
    case CLIENT_END:
        break;
    }
    return tag_is(p, "/proceed") ? STARTTLS_DONE : unexpected(p, "</proceed>", e);
}

static enum starttls_result proceed(struct starttls_io *io)
{
    starttls_say_text(io, "<proceed xmlns='" TLS_NAMESPACE "'/>");
    return STARTTLS_DONE;
}

static enum starttls_result server_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    switch ((enum server_step)p->step) {
    case SERVER_STREAM:
        if (tag_is(p, "?xml"))
            return STARTTLS_MORE;
        if (!tag_is(p, "stream:stream") || tag_is_empty(p))
            return unexpected(p, "a stream", e);
        starttls_say_text(io,
                          "<?xml version='1.0'?><stream:stream from='localhost' id='soak'" STREAM
                          "<stream:features><starttls xmlns='" TLS_NAMESPACE
                          "'><required/></starttls></stream:features>");
        p->step = SERVER_STARTTLS;
        return STARTTLS_MORE;
    case SERVER_STARTTLS:
        if (!tag_is_tls(p, "starttls"))
            return unexpected(p, "<starttls/>", e);
        p->step = SERVER_END;
        return tag_is_empty(p) ? proceed(io) : STARTTLS_MORE;
    case SERVER_END:
        break;
    }
    return tag_is(p, "/starttls") ? proceed(io) : unexpected(p, "</starttls>", e);
}

const struct starttls_role starttls_xmpp[2] = {
    [STARTTLS_CLIENT] = {.framing = FRAME_TAG, .start = open_stream, .heard = client_heard},
    [STARTTLS_SERVER] = {.framing = FRAME_TAG, .heard = server_heard},
};
