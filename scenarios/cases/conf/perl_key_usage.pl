# SPDX-License-Identifier: Apache-2.0
# A TLS echo server that reads what each client's certificate may be used for.
#
# perl perl_key_usage.pl PORT CERT KEY CA
#
# SOAK_PROGRAM names the root that Perl and its modules were unpacked to.
BEGIN {
    my $root = "$ENV{SOAK_PROGRAM}/usr";
    my ($version) = sprintf("%vd", $^V) =~ /^(\d+\.\d+)/;
    my @lib = map { ("$_/perl5/$version", "$_/perl/$version", "$_/perl-base") }
        map { "$root/lib/$_" } ("x86_64-linux-gnu", "aarch64-linux-gnu");
    unshift @INC, grep { -d } "$root/share/perl5", "$root/share/perl/$version", @lib;
}
use strict;
use warnings;
use IO::Socket::INET;
use IO::Select;
use Net::SSLeay;

my ($port, $cert, $key, $ca) = @ARGV;
$SIG{PIPE} = 'IGNORE';
Net::SSLeay::initialize();
my $ctx = Net::SSLeay::CTX_new_with_method(Net::SSLeay::TLS_server_method());
Net::SSLeay::set_cert_and_key($ctx, $cert, $key) or die "certificate\n";
Net::SSLeay::CTX_load_verify_locations($ctx, $ca, '');
Net::SSLeay::CTX_set_verify($ctx, Net::SSLeay::VERIFY_PEER(), sub { return 1 });
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 128,
                                     ReuseAddr => 1, Blocking => 0) or die "listen: $!\n";
my $select = IO::Select->new($listener);
my %open;    # by descriptor: [socket, ssl, whether its handshake is complete]

sub leave {
    my ($socket) = @_;
    my $entry = delete $open{fileno $socket};
    $select->remove($socket);
    Net::SSLeay::free($entry->[1]);
    close $socket;
}

sub look_at_certificate {
    my ($ssl) = @_;
    my $x509 = Net::SSLeay::get_peer_certificate($ssl) or return;
    Net::SSLeay::P_X509_get_key_usage($x509);
    Net::SSLeay::P_X509_get_ext_key_usage($x509);
    Net::SSLeay::P_X509_get_crl_distribution_points($x509);
    Net::SSLeay::X509_free($x509);
}

sub go_on {
    my ($entry) = @_;
    my ($socket, $ssl) = @$entry;
    if (!$entry->[2]) {
        my $rc = Net::SSLeay::accept($ssl);
        if ($rc != 1) {
            my $why = Net::SSLeay::get_error($ssl, $rc);
            Net::SSLeay::ERR_clear_error();
            return if $why == Net::SSLeay::ERROR_WANT_READ();
            return leave($socket);
        }
        $entry->[2] = 1;
        look_at_certificate($ssl);
    }
    while (1) {
        my ($data, $rc) = Net::SSLeay::read($ssl, 4096);
        if (defined $data && length $data) {
            Net::SSLeay::write($ssl, $data);
            next;
        }
        my $why = Net::SSLeay::get_error($ssl, defined $rc ? $rc : -1);
        Net::SSLeay::ERR_clear_error();
        return if $why == Net::SSLeay::ERROR_WANT_READ();
        Net::SSLeay::shutdown($ssl) if $why == Net::SSLeay::ERROR_ZERO_RETURN();
        return leave($socket);
    }
}

while (1) {
    for my $ready ($select->can_read()) {
        if ($ready != $listener) {
            go_on($open{fileno $ready});
            next;
        }
        while (my $socket = $listener->accept()) {
            $socket->blocking(0);
            my $ssl = Net::SSLeay::new($ctx);
            Net::SSLeay::set_fd($ssl, fileno $socket);
            $open{fileno $socket} = [$socket, $ssl, 0];
            $select->add($socket);
        }
    }
}
