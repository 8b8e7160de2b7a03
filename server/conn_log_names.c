/* SPDX-License-Identifier: Apache-2.0 */
/* Short names of handshake messages, and the alerts' names of RFC 8446 6 and RFC 5246 7.2. */
#include "conn_log_internal.h"

#define STEPS(X)                                                                                   \
    X(0, "HR")                                                                                     \
    X(1, "CH")                                                                                     \
    X(2, "SH")                                                                                     \
    X(4, "NST")                                                                                    \
    X(5, "EOED")                                                                                   \
    X(8, "EE")                                                                                     \
    X(11, "CERT")                                                                                  \
    X(12, "SKE")                                                                                   \
    X(13, "CR")                                                                                    \
    X(14, "SHD")                                                                                   \
    X(15, "CV")                                                                                    \
    X(16, "CKE")                                                                                   \
    X(20, "FIN")                                                                                   \
    X(22, "CS")                                                                                    \
    X(24, "KU")                                                                                    \
    X(25, "CCERT")                                                                                 \
    X(67, "NP")                                                                                    \
    X(STEP_CCS, "CCS")                                                                             \
    X(STEP_HRR, "HRR")

#define ALERTS(X)                                                                                  \
    X(0, "close_notify")                                                                           \
    X(10, "unexpected_message")                                                                    \
    X(20, "bad_record_mac")                                                                        \
    X(21, "decryption_failed")                                                                     \
    X(22, "record_overflow")                                                                       \
    X(30, "decompression_failure")                                                                 \
    X(40, "handshake_failure")                                                                     \
    X(41, "no_certificate")                                                                        \
    X(42, "bad_certificate")                                                                       \
    X(43, "unsupported_certificate")                                                               \
    X(44, "certificate_revoked")                                                                   \
    X(45, "certificate_expired")                                                                   \
    X(46, "certificate_unknown")                                                                   \
    X(47, "illegal_parameter")                                                                     \
    X(48, "unknown_ca")                                                                            \
    X(49, "access_denied")                                                                         \
    X(50, "decode_error")                                                                          \
    X(51, "decrypt_error")                                                                         \
    X(60, "export_restriction")                                                                    \
    X(70, "protocol_version")                                                                      \
    X(71, "insufficient_security")                                                                 \
    X(80, "internal_error")                                                                        \
    X(86, "inappropriate_fallback")                                                                \
    X(90, "user_canceled")                                                                         \
    X(100, "no_renegotiation")                                                                     \
    X(109, "missing_extension")                                                                    \
    X(110, "unsupported_extension")                                                                \
    X(111, "certificate_unobtainable")                                                             \
    X(112, "unrecognized_name")                                                                    \
    X(113, "bad_certificate_status_response")                                                      \
    X(114, "bad_certificate_hash_value")                                                           \
    X(115, "unknown_psk_identity")                                                                 \
    X(116, "certificate_required")                                                                 \
    X(120, "no_application_protocol")

#define X(number, name)                                                                            \
    case number:                                                                                   \
        return name;

const char *trace_step_name(unsigned what)
{
    switch (what) {
        STEPS(X)
    default:
        return NULL;
    }
}

const char *trace_alert_name(int code)
{
    switch (code) {
        ALERTS(X)
    default:
        return NULL;
    }
}
