# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Net::Duo, unmodified: calls from stdin (JSON), what came of them to stdout (JSON). A call is {"client": [key, secret,
# host, port, ca_file], "do": name of a method, "with": [argument, ...]}. What it throws comes back as {"error": text}.
#
# It knows no port, and wants a certificate of Duo's own: the agent that it is given sees to both.
use strict;
use warnings;
use JSON ();
use LWP::UserAgent;
use Net::Duo::Admin;

sub client {
    my ($key, $secret, $host, $port, $ca_file) = @_;
    my $agent = LWP::UserAgent->new(ssl_opts => { SSL_ca_file => $ca_file });
    $agent->add_handler(
        request_prepare => sub {
            my ($request) = @_;
            $request->uri->port($port);
            $request->header(Host => "$host:$port");
            $request->remove_header('If-SSL-Cert-Subject');
            return;
        }
    );
    return Net::Duo::Admin->new(
        { integration_key => $key, secret_key => $secret, api_hostname => $host, user_agent => $agent });
}

my $json = JSON->new->utf8;
my @told;
for my $call (@{ $json->decode(do { local $/; <STDIN> }) }) {
    my $do = $call->{do};
    my $found = eval { client(@{ $call->{client} })->$do(@{ $call->{with} }) };
    push @told, $@ ? { error => "$@" } : $found;
}
print $json->encode(\@told);
