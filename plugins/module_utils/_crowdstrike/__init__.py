# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CrowdStrike Falcon SIEM Connector: config, desired, plan, log are pure, host does. PRIVATE to the collection.

All but api runs on collectors: standard library only, Python 3.9 or newer.
"""
