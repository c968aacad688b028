# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m lab.receivers: only the receivers, on ports of their own."""

from __future__ import annotations

import sys

from lab.receivers import cli, options

if __name__ == "__main__":
    sys.exit(cli.run(options.parser().parse_args()))
