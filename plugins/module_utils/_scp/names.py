# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of the role lies on a collector, and how it is called."""

from __future__ import annotations

import hashlib

CAPABILITY = "scp_target"
LAUNCHER = "/usr/local/sbin/mssp-scp-target"
LIBRARY = "/usr/local/lib/mssp-onboarding"
PACKAGE = "scp_target"
ETC = "/etc/mssp-onboarding"
CONFIGS = f"{ETC}/scp-target"
KEYS = "/etc/ssh/mssp-onboarding"
SSHD_CONFIG = "/etc/ssh/sshd_config"
DROP_INS = "/etc/ssh/sshd_config.d"
# First of all drop-ins: of this keyword sshd takes the first.
EXEMPT = f"{DROP_INS}/01-mssp-scp-ansible.conf"
SPOOL = "/var/spool/collected"
UNDO = "/run/mssp-onboarding"
COMMENT = "mssp.onboarding scp_target"
NO_VARIABLE = "MSSP_NONE"  # what a client may set in place of what the host lets others set
TAKEN = "another tenant has it"
MAX_USER = 32  # of shadow-utils


def user_name(tenant: str, source: str) -> str:
    """The account of a source when no name is given; long ones end in a hash of the whole."""
    whole = f"mssp-{tenant}-{source}"
    if len(whole) <= MAX_USER:
        return whole
    return f"{whole[: MAX_USER - 7]}-{hashlib.sha256(whole.encode()).hexdigest()[:6]}"


def comment(tenant: str, source: str) -> str:
    """The account's comment, by which it is known as ours."""
    return f"{COMMENT} {tenant}/{source}"


def base(tenant: str, source: str) -> str:
    return f"{SPOOL}/{tenant}/{source}"


def config(user: str) -> str:
    return f"{CONFIGS}/{user}.json"


def keys(user: str) -> str:
    return f"{KEYS}/{user}.keys"


def drop_in(tenant: str) -> str:
    return f"{DROP_INS}/60-mssp-scp-{tenant}.conf"


def legacy_config(tenant: str) -> str:
    return f"{CONFIGS}/{tenant}.sshd_config"


def legacy_unit(tenant: str) -> str:
    return f"mssp-scp-legacy-{tenant}.service"


def unit_file(unit: str) -> str:
    return f"/etc/systemd/system/{unit}"


def firewall(tenant: str) -> str:
    """Label of the tenant's openings in the host's firewall."""
    return f"mssp-scp-{tenant}"


def firewall_script(tenant: str) -> str:
    return f"{CONFIGS}/{tenant}.firewall"


def label_record(tenant: str) -> str:
    """Where the port is noted that was labelled in SELinux: a list of labels does not say who made them."""
    return f"{CONFIGS}/{tenant}.selinux"


def tmpfiles(tenant: str) -> str:
    return f"/etc/tmpfiles.d/mssp-scp-{tenant}.conf"


def undo(tenant: str) -> str:
    return f"{UNDO}/undo-{tenant}"


def undo_unit(tenant: str) -> str:
    return f"mssp-scp-undo-{tenant}"
