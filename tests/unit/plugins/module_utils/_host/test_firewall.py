"""Openings in the words of each firewall's tool, found again by their label, and nothing else's."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, firewall, openings
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._host.firewall import Opening

LABEL = "mssp-syslog-contoso"
WANTED = [
    Opening("udp", 514, ip_network("10.0.0.0/8")),
    Opening("tcp", 22, ip_network("192.0.2.7/32")),
    Opening("tcp", 601, None),
    Opening("tcp", 22, ip_network("2001:db8::/32")),
]
RULES = {
    "ufw": [
        "allow from 192.0.2.7 to any port 22 proto tcp comment 'mssp-syslog-contoso'",
        "allow from 2001:db8::/32 to any port 22 proto tcp comment 'mssp-syslog-contoso'",
        "allow 601/tcp comment 'mssp-syslog-contoso'",
        "allow from 10.0.0.0/8 to any port 514 proto udp comment 'mssp-syslog-contoso'",
    ],
    "firewalld": [
        'rule priority="-100" family="ipv4" source address="192.0.2.7/32" port port="22" protocol="tcp"'
        ' log prefix="mssp-syslog-contoso" level="debug" limit value="1/h" accept',
        'rule priority="-100" family="ipv6" source address="2001:db8::/32" port port="22" protocol="tcp"'
        ' log prefix="mssp-syslog-contoso" level="debug" limit value="1/h" accept',
        'rule priority="-100" port port="601" protocol="tcp"'
        ' log prefix="mssp-syslog-contoso" level="debug" limit value="1/h" accept',
        'rule priority="-100" family="ipv4" source address="10.0.0.0/8" port port="514" protocol="udp"'
        ' log prefix="mssp-syslog-contoso" level="debug" limit value="1/h" accept',
    ],
    "nftables": [
        'ip saddr 192.0.2.7 tcp dport 22 accept comment "mssp-syslog-contoso"',
        'ip6 saddr 2001:db8::/32 tcp dport 22 accept comment "mssp-syslog-contoso"',
        'tcp dport 601 accept comment "mssp-syslog-contoso"',
        'ip saddr 10.0.0.0/8 udp dport 514 accept comment "mssp-syslog-contoso"',
    ],
}
# How each tool lists a rule: around it, and where it stands among others'.
LISTED = {
    "ufw": ("Added user rules (see 'ufw status' for running firewall):\nufw allow 22/tcp\n", "ufw {}\n"),
    "firewalld": ('rule family="ipv4" port port="22" protocol="tcp" accept\n', "{}\n"),
    "nftables": ("table inet filter {\n\tchain input {\n\t\ttcp dport 22 accept\n", "\t\t{}\n"),
}
BACKENDS = sorted(RULES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rules_in_the_words_of_the_tool(backend: str) -> None:
    assert firewall.rules(backend, LABEL, [*WANTED, *WANTED]) == RULES[backend]


@pytest.mark.parametrize("backend", BACKENDS)
def test_ours_are_found_again_and_no_others(backend: str) -> None:
    before, line = LISTED[backend]
    others = [rule.replace(LABEL, f"{LABEL}2") for rule in RULES[backend]]
    listed = before + "".join(line.format(rule) for rule in [*others, *RULES[backend]])
    assert firewall.present(backend, LABEL, listed) == RULES[backend]
    assert firewall.present(backend, LABEL, before) == []


class Tool:
    """Stands for the programs of a host. said: start of a command line to what it prints."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **said: str) -> None:
        self.said = {name.replace("_", " "): text for name, text in said.items()}
        self.lines: list[str] = []
        monkeypatch.setattr(openings, "run", self.run)
        monkeypatch.setattr(commands, "run", self.run)

    def run(self, *command: str) -> Said:
        line = " ".join(command)
        self.lines.append(line)
        found: Any = next((text for start, text in self.said.items() if line.startswith(start)), None)
        return Said(127, "", "") if found is None else Said(0, found, "")


@pytest.mark.parametrize(
    ("said", "backend"),
    [
        ({}, ""),
        ({"ufw_status": "Status: inactive"}, ""),
        ({"ufw_status": "Status: active", "systemctl_is-active": "active"}, "ufw"),
        ({"firewall-cmd_--state": "running", "systemctl_is-active": "active"}, "firewalld"),
        ({"firewall-cmd_--state": "not running", "systemctl_is-active": "active"}, "nftables"),
    ],
)
def test_which_tool_runs_the_firewall(monkeypatch: pytest.MonkeyPatch, said: dict[str, str], backend: str) -> None:
    Tool(monkeypatch, **said)
    assert openings.backend() == backend


def test_nothing_is_opened_where_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Tool(monkeypatch, nft_list="table inet nat { chain x { type nat hook prerouting priority 0; } }")
    assert openings.wanted("", LABEL, WANTED) == frozenset()
    assert openings.wanted("nftables", LABEL, WANTED) == frozenset()
    tool.said["nft list"] = "chain input { type filter hook input priority filter; policy drop; }"
    assert openings.wanted("nftables", LABEL, WANTED) == frozenset(RULES["nftables"])


@pytest.mark.parametrize("backend", sorted(LISTED))
def test_rules_that_cannot_be_read_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    Tool(monkeypatch)
    with pytest.raises(RefusedError, match="read the firewall's rules"):
        openings.present(backend, LABEL)
    with pytest.raises(RefusedError, match="read the firewall's rules"):
        openings.wanted("nftables", LABEL, WANTED)


def test_only_what_differs_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Tool(monkeypatch, ufw="", **{"firewall-cmd": "", "/bin/sh": ""})
    old, same, new = (frozenset([f"allow {port}/tcp comment '{LABEL}'"]) for port in (1, 2, 3))
    openings.change("ufw", LABEL, same, same)
    assert tool.lines == []
    openings.change("ufw", LABEL, same | new, same | old)
    assert tool.lines == [f"ufw allow 3/tcp comment {LABEL}", f"ufw delete allow 1/tcp comment {LABEL}"]
    tool.lines.clear()
    openings.change("firewalld", LABEL, frozenset(["rule a"]), frozenset(["rule b"]))
    assert tool.lines == [
        "firewall-cmd --permanent --add-rich-rule=rule a",
        "firewall-cmd --permanent --remove-rich-rule=rule b",
        "firewall-cmd --reload",
    ]
    tool.lines.clear()
    tool.said["nft list"] = ""
    openings.change("nftables", LABEL, frozenset(), frozenset(["rule"]))
    assert tool.lines[1:] == ["nft list ruleset"]
    assert "nft insert rule" not in tool.lines[0]
    assert f'comment "{LABEL}" # handle' in tool.lines[0]


def test_a_rule_that_nftables_refuses_is_not_taken_for_made(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = RULES["nftables"][:2]
    tool = Tool(monkeypatch, **{"/bin/sh": "", "nft_list": f"  {first}\n"})
    openings.change("nftables", LABEL, frozenset([first]), frozenset())
    with pytest.raises(RefusedError, match=f"open the firewall.*not as wanted: {second}"):
        openings.change("nftables", LABEL, frozenset([first, second]), frozenset())
    tool.said["nft list"] = ""
    openings.change("nftables", LABEL, frozenset(), frozenset([first]))
