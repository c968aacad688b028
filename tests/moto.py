# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's server as AWS: unmodified, in an environment of its own, on loopback, with authorization on.

One for each test process, ended with it. moto looks at no Condition of a policy, and takes a Deny
in a bucket's policy for everybody's.
"""

from __future__ import annotations

import atexit
import gzip
import json
import os
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from lab.testing import ROOT

REGION = "eu-central-1"
MANAGED = f"cisco-managed-{REGION}"
PYTHON = ROOT / ".cache" / "peers" / "moto" / "bin" / "python"
START_SECONDS = 60.0


class Moto:
    """The server, and an administrator's way to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        iam = self.client("iam", "none", "none")
        iam.create_user(UserName="admin")
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=json.dumps(everything))
        made = iam.create_access_key(UserName="admin")["AccessKey"]
        self.keys = made["AccessKeyId"], made["SecretAccessKey"]
        request = urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
        urllib.request.urlopen(request).read()
        self.s3, self.iam, self.sts = (self.client(name, *self.keys) for name in ("s3", "iam", "sts"))
        self.make_bucket(MANAGED)

    def client(self, service: str, key: str, secret: str, token: str | None = None) -> Any:
        import boto3  # type: ignore[import-untyped]

        return boto3.client(
            service, region_name=REGION, endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret,
            aws_session_token=token,
        )  # fmt: skip

    def make_bucket(self, name: str) -> None:
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def user(self, name: str, bucket: str) -> None:
        """A user as Cisco makes one for an organization: it lists and reads the bucket."""
        if name in {one["UserName"] for one in self.iam.list_users()["Users"]}:
            return
        self.iam.create_user(UserName=name)
        may = [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": may})
        self.iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=document)

    def log(
        self, prefix: str, folder: str = "dnslogs", ago: float = 300.0, bucket: str = MANAGED, width: int = 4
    ) -> str:
        """Umbrella writes a file of one line, so many seconds ago."""
        when = datetime.fromtimestamp(time.time() - ago, UTC)
        key = f"{prefix}{folder}/{when:%Y-%m-%d}/{when:%Y-%m-%d-%H-%M}-ab12.csv.gz"
        line = ",".join([f'"{when:%Y-%m-%d %H:%M:%S}"', *['"x"'] * (width - 1)]) + "\n"
        self.s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(line.encode()))
        return key


@cache
def moto() -> Moto:
    """The server of this process."""
    if not PYTHON.exists():
        pytest.skip("there is no moto in .cache/peers/moto")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "INITIAL_NO_AUTH_ACTION_COUNT": "inf"}
    # It ends with this process, however that ends.
    alone = ["setpriv", "--pdeathsig", "TERM"]
    command = [*alone, str(PYTHON), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and (server.terminate(), server.wait()))
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/").close()
            return Moto(url)
        except OSError:
            assert server.poll() is None, "moto has ended"
            assert time.monotonic() < until, "moto did not start"
            time.sleep(0.1)
