"""Openings in a running nftables for file drops: sshd's ports, for the senders only, and all of it taken back."""

from __future__ import annotations

from pathlib import Path

from tests.hosts.conftest import Boot
from tests.hosts.scp_drops import Done, Drops, changed

RULES = """#!/usr/sbin/nft -f
flush ruleset
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr {control} tcp dport 22 accept
  }}
}}
"""
OLD_PORT = 2222


def test_the_ports_of_sshd_are_open_for_the_senders_only(boot: Boot, tmp_path: Path) -> None:
    host = boot("trixie", "scp-walled")
    host.run("cat > /etc/nftables.conf", stdin=RULES.format(control=host.gateway))
    host.run("systemctl enable --now --quiet nftables")
    units = "ls -d /etc/systemd/system/nftables.service.d /etc/systemd/system/mssp*; true"
    bare = host.run(f"nft list ruleset; {units}").stdout
    drops = Drops(host, tmp_path, options={"scp_target_legacy_port": OLD_PORT})
    new, old, stranger = host.senders[:3]
    drops.add("esa")
    drops.sources["esa"]["from"] = [new]
    drops.add("branch", legacy_transport=True)
    drops.sources["branch"]["from"] = [f"{old}/32"]
    path = tmp_path / "a.log"
    path.write_text("x", encoding="ascii")

    def push(source: str, sender: str, port: int = 22) -> Done:
        known = ("-o", "StrictHostKeyChecking=no") if port != 22 else ()
        bound = ("-O", "-P", str(port), "-o", f"BindAddress={sender}", "-o", "ConnectTimeout=2", *known)
        return drops.scp(source, path, flags=bound)

    predicted = drops.play("main", "--check", "--diff")
    assert f"ip saddr {new} tcp dport 22 accept" in predicted
    assert host.run(f"nft list ruleset; {units}").stdout == bare
    drops.play()
    assert changed(drops.play()) == 0
    assert push("esa", new).code == 0
    assert push("branch", old).code == 0
    assert push("branch", old, OLD_PORT).code == 0
    assert "timed out" in push("esa", stranger).said
    assert "timed out" in push("esa", new, OLD_PORT).said

    host.run("systemctl reload nftables")
    assert push("branch", old, OLD_PORT).code == 0
    assert changed(drops.play()) == 0
    host.run("nft flush chain inet filter input; nft add rule inet filter input tcp dport 22 accept")
    drops.play("drift", drift_correct=True)
    assert push("branch", old, OLD_PORT).code == 0

    host.run("systemctl reload nftables")
    del drops.sources["branch"]
    drops.play()
    assert old not in host.run("nft list ruleset").stdout
    assert push("esa", new).code == 0
    drops.play("offboard")
    assert host.run(f"nft list ruleset; {units}").stdout == bare
