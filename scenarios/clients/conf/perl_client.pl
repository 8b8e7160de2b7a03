# SPDX-License-Identifier: Apache-2.0
# perl_client.pl ADDRESS:PORT CA CERT KEY: says a request over TLS and reads the answer, again and again.
use strict;
use warnings;

use IO::Socket::SSL;

$SIG{PIPE} = 'IGNORE';
my ($address, $ca, $cert, $key) = @ARGV;
my $context = IO::Socket::SSL::SSL_Context->new(
    SSL_ca_file => $ca, SSL_cert_file => $cert, SSL_key_file => $key, SSL_use_cert => 1)
  or die "no context: $SSL_ERROR\n";

while (1) {
    my $socket = IO::Socket::SSL->new(PeerAddr => $address, SSL_reuse_ctx => $context) or next;
    print $socket "GET / HTTP/1.0\r\n\r\n";
    1 while sysread $socket, my $answer, 4096;
    close $socket;
}
