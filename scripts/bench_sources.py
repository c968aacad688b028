# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the requests of the small sources for each object of theirs, against the lab.

scripts/bench sources prints a Markdown table; it needs the Debian package rabbitmq-server. Numbers of requests do not depend on the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import capability as esa
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import options as esa_options
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability as duo
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import options as duo_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import capability as incidents
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import (
    options as incidents_options,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import capability as secure_endpoint
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import options as secure_endpoint_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import capability as intake
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import options as intake_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability as playbook
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import options as playbook_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import capability as sophos
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import options as sophos_options
from lab.cisco_esa.client import ALONE
from lab.client import LabClient
from lab.duo.client import PROSEWARE_KEY
from lab.secure_endpoint.rabbitmq import Place, running_broker
from lab.servicenow.client import USER
from lab.sekoia.client import ENTITY, FORMAT
from lab.sophos.client import BRANCH, HEADQUARTERS, USERNAME
from lab.testing import CLIENT_ID, CONTOSO, running_lab

HEADINGS = ["source", "object", "run", "objects", "requests", "requests/object"]
INCIDENTS = 100
CHILDREN = ["Litware", "Fourth Coffee"]
ORGANISATIONS = 200
COMMUNITIES = 200
Runs = Mapping[str, tuple[Any, Mapping[str, Any], Mapping[str, Any]]]


def duo_runs(lab: LabClient) -> Runs:
    """Child accounts of the provider's; the keys are what a run with return_secrets has told."""
    given = {
        "api_host": lab.duo.host,
        "integration_key": PROSEWARE_KEY,
        "secret_key": lab.duo.secret(PROSEWARE_KEY),
        "child_accounts": CHILDREN,
        "ca_file": lab.ca_file,
    }
    reads = {name: given[name] for name in given if name in duo_options.ACCESS_SPEC}
    return {
        "preflight": (duo.preflight, duo_options.ACCESS_SPEC, reads),
        "onboard": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "onboard again": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "verify": (duo.verify, duo_options.FLOW_SPEC, given),
        "offboard": (duo.converge, duo_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def sophos_runs(lab: LabClient) -> Runs:
    """Both firewalls; what verify asks of them is a run that writes nothing."""
    firewalls = {
        host: {"host": host, "port": lab.sophos.port, "serial_number": lab.sophos.state(host)["serial"]}
        for host in (HEADQUARTERS, BRANCH)
    }
    given = {
        "firewalls": firewalls,
        "username": USERNAME,
        "passwords": {host: lab.sophos.state(host)["password"] for host in firewalls},
        "ca_file": lab.ca_file,
        "receiver": {"address": "127.0.0.1", "port": 9, "transport": "tls"},
    }
    return {
        "preflight": (sophos.preflight, sophos_options.ACCESS_SPEC, given),
        "onboard": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "onboard again": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "verify": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "correct": "never"}),
        "offboard": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def incident_runs(lab: LabClient) -> Runs:
    """A day's incidents without memory, so that each run reads all of them."""
    for number in range(INCIDENTS):
        lab.edit("security_incident", tenant=CONTOSO, id=str(number))
    given = {
        "tenant_id": CONTOSO,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret,
        "authority_url": lab.url,
        "graph_url": lab.graph.url,
        "ca_file": lab.ca_file,
        "servicenow_url": lab.url,
        "servicenow_username": USER,
        "servicenow_password": lab.servicenow.password(),
        "caller": USER,
        "close_code": "Resolved by caller",
    }
    leaving = {**given, "state": "absent", "close_tickets": True}
    return {
        "preflight": (incidents.preflight, incidents_options.FEED_SPEC, given),
        "onboard": (incidents.converge, incidents_options.CONVERGE_SPEC, given),
        "onboard again": (incidents.converge, incidents_options.CONVERGE_SPEC, given),
        "verify": (incidents.verify, incidents_options.FLOW_SPEC, given),
        "offboard": (incidents.converge, incidents_options.CONVERGE_SPEC, leaving),
    }


def secure_endpoint_runs(lab: LabClient, broker: Place, folder: Path, client_id: str, key: str) -> Runs:
    """One organisation's, with a queue of its own on a real broker that nobody reads."""
    authorities = folder / "authorities.pem"
    authorities.write_text(Path(lab.ca_file).read_text() + broker.ca_file.read_text())
    given = {
        "client_id": client_id,
        "api_key": key,
        "api_urls": lab.secure_endpoint.urls,
        "ca_file": str(authorities),
        "streams": [{"name": "SIEM"}],
        "secret_file": str(folder / f"{client_id}.json"),
    }
    access, spec = secure_endpoint_options.ACCESS_SPEC, secure_endpoint_options.CONVERGE_SPEC
    return {
        "preflight": (secure_endpoint.preflight, access, given),
        "onboard": (secure_endpoint.converge, spec, given),
        "onboard again": (secure_endpoint.converge, spec, given),
        "verify": (secure_endpoint.verify, access, given),
        "offboard": (secure_endpoint.converge, spec, {**given, "state": "absent"}),
    }


def secure_endpoint_rows(lab: LabClient) -> list[list[str]]:
    """All verbs of one organisation after the other, one organisation after the other."""
    names = [f"bench-{number:04}" for number in range(ORGANISATIONS)]
    requests: Counter[str] = Counter()
    with TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        lab.configure(secure_endpoint_broker=broker.told)
        for name in names:
            lab.edit("add_secure_endpoint_organisation", client_id=name, name=name)
        keys = lab.secure_endpoint.state()["keys"]
        for name in names:
            runs = secure_endpoint_runs(lab, broker, Path(folder), name, keys[name])
            for row in rows(lab, "secure_endpoint_stream", "organisation", 1, runs):
                requests[row[2]] += int(row[4])
        lab.configure(secure_endpoint_broker="")
    return [
        ["secure_endpoint_stream", "organisation", run, f"{ORGANISATIONS}", f"{all_}", f"{all_ / ORGANISATIONS:.1f}"]
        for run, all_ in requests.items()
def sekoia_runs(lab: LabClient, community: str) -> Mapping[str, Runs]:
    """One of many communities below the provider's, with an alert; by source."""
    identity = {
        "api_url": lab.sekoia.api_url,
        "api_key": lab.sekoia.key(),
        "community_uuid": community,
        "ca_file": lab.ca_file,
    }
    target = lab.receivers.describe()["fluency"]
    sync = {**identity, "target_url": target["url"], "secret": target["token"]}
    intakes = {**identity, "intakes": {"bench": {"format": FORMAT, "entity": ENTITY}}}
    return {
        "sekoia_alert_sync": {
            "preflight": (playbook.preflight, playbook_options.ACCESS_SPEC, identity),
            "onboard": (playbook.converge, playbook_options.CONVERGE_SPEC, sync),
            "onboard again": (playbook.converge, playbook_options.CONVERGE_SPEC, sync),
            "verify": (playbook.verify, playbook_options.FLOW_SPEC, identity),
            "offboard": (playbook.converge, playbook_options.CONVERGE_SPEC, {**sync, "state": "absent"}),
        },
        "sekoia_intake": {
            "preflight": (intake.preflight, intake_options.ACCESS_SPEC, intakes),
            "onboard": (intake.converge, intake_options.CONVERGE_SPEC, intakes),
            "onboard again": (intake.converge, intake_options.CONVERGE_SPEC, intakes),
            "verify": (intake.verify, intake_options.FLOW_SPEC, intakes),
            "offboard": (intake.converge, intake_options.CONVERGE_SPEC, {**intakes, "state": "absent"}),
        },
    }


def sekoia_rows(lab: LabClient) -> list[list[str]]:
    """All communities at once would be as many tenants; the requests of each add up."""
    lab.configure(throttle=False)
    numbers: dict[tuple[str, str], int] = {}
    for number in range(1, COMMUNITIES + 1):
        community = f"5e100000-0000-4000-8000-{number:012d}"
        lab.edit("put_sekoia_community", uuid=community, name=f"Customer {number}")
        for source, runs in sekoia_runs(lab, community).items():
            for row in rows(lab, source, "community", 1, runs):
                numbers[source, row[2]] = numbers.get((source, row[2]), 0) + int(row[4])
    return [
        [source, "community", run, f"{COMMUNITIES}", f"{total}", f"{total / COMMUNITIES:.1f}"]
        for (source, run), total in numbers.items()
    ]
def esa_runs(lab: LabClient, folder: Path) -> Runs:
    """An appliance that stands alone; a request is a session at its command line."""
    state, known = lab.cisco_esa.state(ALONE), folder / "known_hosts"
    known.write_text(lab.cisco_esa.known_hosts(), encoding="ascii")
    reads = {
        "appliances": {"esa": {"host": "127.0.0.1", "port": state["port"], "serial_number": state["serial"]}},
        "username": state["username"],
        "password": state["password"],
        "known_hosts": str(known),
        "subscriptions": {"mssp_mail": {"type": "mail"}},
        "screen_seconds": 5.0,
        "receiver": {
            "method": "scp_push",
            "address": "127.0.0.1",
            "port": 9,
            "user": "drop",
            "directory": "/upload",
            "host_keys": ["ssh-ed25519 " + "A" * 68],
        },
    }
    return {
        "preflight": (esa.preflight, esa_options.ACCESS_SPEC, reads),
        "onboard": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "onboard again": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "verify": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "correct": "never", "probe": True}),
        "offboard": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "state": "absent"}),
    }


def rows(lab: LabClient, source: str, kind: str, objects: int, runs: Runs) -> list[list[str]]:
    found = []
    for name, (engine, spec, given) in runs.items():
        params = ArgumentSpecValidator(dict(spec)).validate(dict(given)).validated_parameters
        result = execute(engine, source, params, check=False, diff=False)
        if result["failed"]:
            raise SystemExit(f"{source}, {name}: {result['msg']}")
        requests = sum(result["summary"]["requests"].values())
        found.append([source, kind, name, f"{objects}", f"{requests}", f"{requests / objects:.1f}"])
    return found


def main() -> None:
    with running_lab() as lab, tempfile.TemporaryDirectory() as folder:
        table = [
            *rows(lab, "duo_logs", "child account", len(CHILDREN), duo_runs(lab)),
            *rows(lab, "sophos_syslog", "firewall", 2, sophos_runs(lab)),
            *rows(lab, "incident_sync", "incident", INCIDENTS, incident_runs(lab)),
            *secure_endpoint_rows(lab),
            *sekoia_rows(lab),
            *rows(lab, "cisco_esa_logs", "subscription (session)", 1, esa_runs(lab, Path(folder))),
        ]
    for line in (HEADINGS, ["---"] * len(HEADINGS), *table):
        print("| " + " | ".join(line) + " |")
