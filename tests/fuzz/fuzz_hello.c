/* SPDX-License-Identifier: Apache-2.0 */
/* What the client makes of a flight of OpenSSL's: cut into small records, damaged, and a
 * ClientHello of its own around any extensions. The first byte says in which pieces. */
#include "client/records.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct wire_out from, to;
    if (count == 0 || count > sizeof from.bytes / 2)
        return 0;
    size_t piece = 1 + bytes[0];
    from.used = to.used = 0;
    memcpy(from.bytes, bytes + 1, count - 1);
    from.used = count - 1;
    for (size_t at = 0, end; (end = record_end(&from, at)) > at && end <= from.used; at = end)
        ;
    records_split(&from, piece, &to);
    records_damage_last(&from, RECORD_DATA);
    records_damage_last(&from, RECORD_HANDSHAKE);
    to.used = 0;
    struct hello_extensions extensions = {.bytes = (const char *)bytes + 1, .count = count - 1};
    if (extensions.count <= HELLO_EXTENSIONS_MAX) {
        hello_put(&to, 0x0303, (uint16_t[2]){0x1301, 0xc02b}, &extensions);
        records_split(&to, piece, &from);
    }
    return 0;
}
