#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: falcon_connector_package
short_description: Install a pinned version of the CrowdStrike Falcon SIEM Connector from a file
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Installs, upgrades or downgrades the package (deb or rpm) from a file or a mirror of yours, after its SHA-256 and
    its version were found to be the wanted ones. The vendor offers the package behind a login only.
  - Refuses a host of another processor, a system that is not on the vendor's list, and a host whose clock nothing
    keeps, before anything is changed.
  - Shipped files that somebody has edited stay as they are, and nothing asks.
extends_documentation_fragment:
  - mssp.onboarding.falcon
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
  action:
    support: partial
    details: Brings O(src) from the control node to the host, where the module does the work.
options:
  state:
    description: V(absent) removes the package (the offsets stay), if this module has installed it and no
      configuration is left that needs it. Otherwise nothing is done.
    type: str
    choices:
      - present
      - absent
    default: present
  src:
    description: The package as a file on the control node, or as an C(http) or C(https) URL that the host
      can read, without a user or password in it. Brought to the host only when it has to be installed.
    type: str
    default: ''
  version:
    description: The version that shall be installed, such as V(2.29.0); its end may be left out. Empty
      takes the version that is there, and needs one to be there.
    type: str
    default: ''
  sha256:
    description: Checksum of the package. Required with O(version).
    type: str
    default: ''
  version_change:
    description: Which change of an installed version is allowed. V(any) is downgrades, too.
    type: str
    choices:
      - never
      - upgrade
      - any
    default: never
  allow_unsupported_os:
    description: Take a system that is not on the vendor's list.
    type: bool
    default: false
  require_time_sync:
    description: Refuse a host of which nothing says that its clock is kept.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: The connector as the SOC has tested it
  mssp.onboarding.falcon_connector_package:
    src: packages/crowdstrike-cs-falconhoseclient_2.29.0_amd64.deb
    version: 2.29.0
    sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
"""

RETURN = r"""
package:
  description: The package that was there before, with C(kind), C(name) and C(version); empty for none.
  returned: success
  type: dict
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(falcon_siem_connector).
      type: str
      returned: always
    outcome:
      description:
        - The worst that is counted, of V(skipped), V(in_sync), V(corrected), V(pending) (data that is
          expected is not there yet), V(waiting) (only somebody else can go on), V(drifted), V(unknown)
          and V(failed).
      type: str
      returned: always
    counts:
      description: Targets by where they ended up, C(targets) and each of the words that outcome may be.
      type: dict
      returned: always
    drift:
      description: Targets by class of drift as found.
      type: dict
      returned: always
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import catalog, options, package

MODULE = Module(package.run, catalog.CAPABILITY, options.PACKAGE_SPEC, on_host=True, file_option="src")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
