"""Openings in a running nftables: made, kept over a reload, taken away, and nobody else's rule touched."""

from __future__ import annotations

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.syslog_tools import Fleet, lines_with, record, send_tcp, send_udp

RULES = """#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport 22 accept
  }
}
"""


def test_the_ports_are_opened_for_the_senders_only(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> None:
    host = boot("trixie", "walled")
    host.run("cat > /etc/nftables.conf; systemctl enable --now --quiet nftables", stdin=RULES)
    bare = host.run("nft list ruleset").stdout
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), {"trixie": host})
    sources = {
        "near": {"transport": "udp", "port": 5514, "senders": [f"{host.senders[0]}/32"]},
        "any": {"transport": "tcp", "port": 5601},
    }
    variables = {"contoso": {"syslog_target_sources": sources}}
    fleet.play("main", variables)
    assert fleet.play("main", variables).changed == {"contoso-trixie": 0}
    send_tcp(host, 5601, (record("through the wall") + "\n").encode())
    assert len(lines_with(host, "contoso", "any", "through the wall")) == 1

    host.run("systemctl reload nftables")
    send_udp(host, 5514, record("not me"), sender=host.senders[1])
    send_udp(host, 5514, record("after a reload"), sender=host.senders[0])
    assert len(lines_with(host, "contoso", "near", "after a reload")) == 1
    assert fleet.play("main", variables).changed == {"contoso-trixie": 0}

    fleet.play("offboard", variables)
    assert host.run("nft list ruleset").stdout == bare
    host.run("systemctl reload nftables")
    assert host.run("nft list ruleset").stdout == bare
    assert host.run("ls /etc/systemd/system/nftables.service.d", check=False).stdout == ""
