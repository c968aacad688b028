# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of antsibull-nox, as antsibull-nox.toml says; scripts/test runs them, and everything else."""

import sys

try:
    import antsibull_nox
except ImportError:
    print("You need: python -m pip install antsibull-nox")
    sys.exit(1)

antsibull_nox.load_antsibull_nox_toml()
