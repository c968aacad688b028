# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in pysnc's own environment: a call as a line of JSON on standard input, its answer as one on standard output."""

import json
import sys

from pysnc import ServiceNowClient


def found(query, table="incident", batch=100):
    record = client.GlideRecord(table, batch_size=batch)
    record.add_encoded_query(query)
    record.query()
    return [row.serialize() for row in record]


def insert(**fields):
    record = client.GlideRecord("incident")
    record.initialize()
    for name, value in fields.items():
        record.set_value(name, value)
    record.insert()
    return record.serialize()


def update(sys_id, **fields):
    record = client.GlideRecord("incident")
    assert record.get(sys_id)
    for name, value in fields.items():
        record.set_value(name, value)
    record.update()
    return record.serialize()


def get(sys_id):
    return client.GlideRecord("incident").get(sys_id)


def delete(sys_id):
    record = client.GlideRecord("incident")
    record.get(sys_id)
    return record.delete()


for line in sys.stdin:
    given = json.loads(line)
    client = ServiceNowClient(
        given["url"], (given["user"], given["password"]), verify=given["ca_file"], auto_retry=False
    )
    try:
        told = globals()[given["do"]](**given["with"])
    except Exception as error:
        told = {"error": type(error).__name__, "text": str(error)}
    print(json.dumps(told), flush=True)
