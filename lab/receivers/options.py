# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of `python -m lab.receivers`."""

from __future__ import annotations

import argparse
from pathlib import Path

_HELP = """\
Receivers that check what they get and say why they refuse it, for when a vendor's connector will not connect.

Each listens on a port of its own: splunk (HTTP Event Collector) 8088, azure (HTTP Data Collector API) 8443, generic
(webhook) 8444, fluency 8445. One line per request says accepted or refused, and why; so does one for a connection that
fails before HTTP. No secret is ever printed.
"""
_MORE = """\
options of receivers, for --set:
  all       answer=401|500|timeout|drop|redirect   instead of judging
  splunk    ack, cloud, disabled, query_auth, busy, broken=true, strict=false, indexes=[main, soc]
  azure     closed, busy, throttled=true
  generic   status=202                             what accepted requests are answered

files in the state directory, readable by you alone:
  secrets.json     what the receivers expect; made when missing, kept afterwards: put a sender's own tokens there
  ca.pem, tls.pem  own CA and certificate of localhost, 127.0.0.1 and ::1; made anew when they are about to expire
  receivers.json   addresses and secrets, control.json: for programs, while the receivers run
"""


def parser() -> argparse.ArgumentParser:
    one = argparse.ArgumentParser(
        prog="python -m lab.receivers",
        description=_HELP,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--state-dir", type=Path, default=Path(".lab/receivers"), help="default: .lab/receivers")
    one.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    one.add_argument(
        "--port", action="append", default=[], metavar="NAME=PORT", help="another port; 0 a free one, off for none"
    )
    one.add_argument(
        "--tls", default="own", metavar="own|off|FILE", help="FILE: PEM of certificate, chain and key; default: own"
    )
    one.add_argument("--set", action="append", default=[], metavar="NAME.OPTION=VALUE", help="see below")
    one.add_argument("--records", type=Path, metavar="FILE", help="append each request as JSON, secrets masked")
    return one
