"""Options become keys, and what cannot be right is refused before anything is touched."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.catalog import CLOUDS
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.desired import Cid, cids

CLIENT = "0123456789abcdef0123456789abcdef"


def cid(**options: Any) -> dict[str, Any]:
    return {"cloud": "us_1", "client_id": CLIENT, **options}


def made(
    given: dict[str, Any], secrets: dict[str, Any] | None = None, tenant: str = "contoso", **options: Any
) -> tuple[Cid, ...]:
    known = {name: {"client_secret": "s3cret"} for name in given} if secrets is None else secrets
    return cids({"tenant": tenant, "cids": given, **options}, known)


def settings(**options: Any) -> dict[str, str]:
    return dict(made({"main": cid(**options)})[0].keys["Settings"])


def syslog(**options: Any) -> dict[str, str]:
    sources = options.pop("sources", {})
    given = {"main": cid(format="cef", **options)}
    return dict(made(given, syslog_sources=sources, syslog_hosts={"log2": "192.0.2.7"})[0].keys["Syslog"])


def refused(given: dict[str, Any], secrets: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        made(given, secrets, **options)
    return str(caught.value)


def test_a_cid_with_nothing_but_its_client() -> None:
    [found] = made({"main": cid()})
    assert found.path == "/opt/crowdstrike/config/contoso-main.cfg"
    assert found.keys["Settings"] == {
        "api_url": "https://api.crowdstrike.com/sensors/entities/datafeed/v2",
        "request_token_url": "https://api.crowdstrike.com/oauth2/token",
        "app_id": "contoso-main",
        "client_id": CLIENT,
        "client_secret": "s3cret",
        "partition": "all",
        "http_proxy": "",
        "output_format": "json",
        "output_to_file": "true",
        "output_path": "/var/log/crowdstrike/falconhoseclient/output.contoso-main",
        "offset_path": "/var/log/crowdstrike/falconhoseclient/stream_offsets.contoso-main",
    }
    assert found.keys["Syslog"] == {"send_to_syslog_server": "false"}
    assert set(found.keys) == {"Settings", "Syslog"}


@pytest.mark.parametrize("name", sorted(CLOUDS))
def test_every_cloud_has_its_own_url(name: str) -> None:
    assert settings(cloud=name)["api_url"] == f"{CLOUDS[name]}/sensors/entities/datafeed/v2"
    assert len(set(CLOUDS.values())) == len(CLOUDS)


def test_own_urls() -> None:
    found = settings(cloud=None, base_url="https://lab.example:8443/")
    assert found["request_token_url"] == "https://lab.example:8443/oauth2/token"


@pytest.mark.parametrize(
    ("format_", "sample", "output"),
    [
        ("json", "cs.falconhoseclient.cfg", "json"),
        ("cef", "cs.falconhoseclient.cef.cfg", "syslog"),
        ("leef", "cs.falconhoseclient.leef.cfg", "syslog"),
        ("key_value", "cs.falconhoseclient.cfg", "syslog"),
    ],
)
def test_formats(format_: str, sample: str, output: str) -> None:
    [found] = made({"main": cid(format=format_)})
    assert found.sample == f"/opt/crowdstrike/etc/{sample}"
    assert found.keys["Settings"]["output_format"] == output
    assert ("header_prefix" in found.keys["Syslog"]) == (format_ == "key_value")


def test_rotation_log_and_settings_of_the_vendor() -> None:
    [found] = made(
        {
            "main": cid(
                rotation={"max_size_mb": 5},
                verbose_log=False,
                settings={"Settings": {"read_timeout": 60}, "FirewallMatchEvent": {"keys_ordered": True}},
            )
        }
    )
    assert found.keys["Output_File_Rotation"] == {
        "rotate_file": "true",
        "max_size": "5",
        "max_backups": "10",
        "max_age": "30",
    }
    assert found.keys["Logging"] == {"verbose_log": "false"}
    assert found.keys["Settings"]["read_timeout"] == "60"
    assert found.keys["FirewallMatchEvent"] == {"keys_ordered": "true"}


class TestSyslog:
    SOURCES = {  # noqa: RUF012
        "": {
            "falcon": {"transport": "udp", "port": 5514, "senders": ["127.0.0.0/8"]},
            "bound": {"transport": "tcp", "port": 601, "address": "192.0.2.9", "senders": ["192.0.2.9"]},
            "closed": {"transport": "udp", "senders": ["192.0.2.0/24"]},
            "secure": {"transport": "tls", "peers": ["x"]},
        },
        "log2": {"falcon": {"transport": "tcp"}},
    }

    def test_an_address_as_given(self) -> None:
        assert syslog(syslog={"host": "siem", "port": 601, "protocol": "tcp"}) == {
            "send_to_syslog_server": "true",
            "host": "siem",
            "port": "601",
            "protocol": "tcp",
        }

    @pytest.mark.parametrize(
        ("given", "address"),
        [
            ({"source": "falcon"}, ("127.0.0.1", "5514", "udp")),
            ({"source": "bound"}, ("192.0.2.9", "601", "tcp")),
            ({"source": "falcon", "collector": "log2"}, ("192.0.2.7", "514", "tcp")),
        ],
    )
    def test_the_address_of_a_source(self, given: dict[str, str], address: tuple[str, str, str]) -> None:
        found = syslog(syslog=given, sources=self.SOURCES)
        assert (found["host"], found["port"], found["protocol"]) == address

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"source": "nothing"}, "no source «nothing» in syslog_target_sources of this collector"),
            ({"source": "falcon", "collector": "log3"}, "of log3"),
            ({"source": "secure"}, "is tls, but the connector sends by udp and tcp only"),
            ({"source": "closed"}, "takes nothing from 127.0.0.1"),
            ({}, "either source or host"),
            ({"source": "falcon", "host": "siem"}, "either source or host"),
            ({"host": "a b"}, "not of the expected form"),
            ({"host": "siem", "port": 70000}, "port 70000"),
        ],
    )
    def test_refused(self, given: dict[str, Any], words: str) -> None:
        wrong = {"main": cid(format="cef", syslog=given or {"protocol": "tcp"})}
        assert words in refused(wrong, syslog_sources=self.SOURCES)

    def test_a_collector_without_an_address(self) -> None:
        given = {"main": cid(format="cef", syslog={"source": "falcon", "collector": "log2"})}
        assert "not known" in refused(given, syslog_sources=self.SOURCES)

    def test_json_goes_to_a_file_unless_it_is_asked_for(self) -> None:
        assert "allow_json" in refused({"main": cid(syslog={"host": "siem"})})
        keys = made({"main": cid(syslog={"host": "siem", "allow_json": True})})[0].keys
        assert (keys["Settings"]["output_format"], keys["Syslog"]["send_to_syslog_server"]) == ("json", "true")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cloud": None}, "it needs cloud, or base_url"),
        ({"base_url": "https://x"}, "mutually exclusive"),
        ({"cloud": "us-1"}, "value of cloud must be one of"),
        ({"cloud": None, "base_url": "http://x"}, "base_url"),
        ({"client_id": None}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"app_id": "x" * 33}, "more than 32"),
        ({"app_id": "a b"}, "app_id"),
        ({"partition": "-1"}, "partition"),
        ({"partition": "some"}, "partition"),
        ({"output_path": "relative"}, "output_path"),
        ({"file": False}, "no output"),
        ({"file": False, "format": "cef"}, "no output"),
        ({"http_proxy": "proxy:3128"}, "http_proxy"),
        ({"http_proxy": "http://user:pass@proxy:3128"}, "give it as http_proxy of this CID's secrets"),
        ({"rotation": {"max_backups": 0}}, "max_backups"),
        ({"event_types": ["A;B"]}, "event type"),
        ({"settings": {"Settings": {"client_secret": "x"}}}, "has an option of its own"),
        ({"settings": {"Settings": {"app_id": "x"}}}, "has an option of its own"),
        ({"settings": {"EventTypeCollection": {"X": True}}}, "has an option of its own"),
        ({"settings": {"A": {"b": "c\nd = e"}}}, "one line"),
        ({"settings": {"A": "b"}}, "not a dictionary"),
        ({"password": "x"}, "password"),
    ],
)
def test_options_that_cannot_be_right(options: dict[str, Any], words: str) -> None:
    assert words in refused({"main": cid(**options)})


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        ({}, "expected client_secret"),
        ({"main": {"client_secret": ""}}, "expected client_secret"),
        ({"main": {"client_secret": "a", "other": "b"}}, "expected client_secret"),
        ({"main": {"client_secret": "a\nb"}}, "line end"),
        ({"main": {"client_secret": " a"}}, "blanks"),
        ({"main": {"client_secret": "abc"}, "gone": {"client_secret": "abc"}}, "cids has no gone"),
        ({"main": {"client_secret": "abc", "http_proxy": "user:topsecret@proxy"}}, "http_proxy is not of the form"),
    ],
)
def test_secrets_that_cannot_be_right(secrets: dict[str, Any], words: str) -> None:
    text = refused({"main": cid()}, secrets)
    assert words in text
    assert "topsecret" not in text


def test_a_proxy_with_a_password_is_a_secret() -> None:
    secrets = {"main": {"client_secret": "abc", "http_proxy": "http://user:pass@proxy:3128"}}
    assert made({"main": cid()}, secrets)[0].keys["Settings"]["http_proxy"] == "http://user:pass@proxy:3128"


def test_reading_needs_no_secrets() -> None:
    [found] = cids({"tenant": "contoso", "cids": {"main": cid()}}, None)
    assert "client_secret" not in found.keys["Settings"]


@pytest.mark.parametrize("name", ["Main", "a/b", "", "-a", "a" * 41, 5])
def test_names(name: Any) -> None:
    assert "CID" in refused({name: cid()}, {})


def test_what_two_cids_may_not_share() -> None:
    assert "CIDs a, b: InputError: they have the same app_id" in refused({"a": cid(app_id="x"), "b": cid(app_id="x")})
    for option in ("offset_path", "output_path"):
        both = {name: cid(**{option: "/srv/contoso/x"}) for name in ("a", "b")}
        assert f"the same {option}" in refused(both, file_roots=["/srv"])


LOGS = "/var/log/crowdstrike/falconhoseclient"


@pytest.mark.parametrize("option", ["output_path", "offset_path"])
@pytest.mark.parametrize(
    ("path", "fits"),
    [
        (f"{LOGS}/events.contoso-main", True),
        ("/srv/siem/contoso/events", True),
        ("/srv/siem/contoso/deep/events", True),
        (f"{LOGS}/output.fabrikam-main", False),
        (f"{LOGS}/cs.falconhoseclient.fabrikam-main.log", False),
        (f"{LOGS}/sub/x.contoso-main", False),
        (f"{LOGS}/../x.contoso-main", False),
        ("/srv/siem/fabrikam/events", False),
        ("/srv/siem/contoso", False),
        ("/srv/siem/contoso-x/events", False),
        ("/srv/siem/contoso/../fabrikam/events", False),
        ("/srv/siem//contoso/events", False),
        ("/var/log/collected/fabrikam/fw/fw.log", False),
        ("/etc/cron.d/x", False),
    ],
)
def test_files_lie_where_the_provider_allows_and_never_in_another_tenants_place(
    option: str, path: str, fits: bool
) -> None:
    given = {"main": cid(**{option: path})}
    if fits:
        assert made(given, file_roots=["/srv/siem/"])[0].keys["Settings"][option] == path
    else:
        assert f"{option} «{path}» is not below a place" in refused(given, file_roots=["/srv/siem/"])
    if not path.startswith(f"{LOGS}/events"):
        assert f"{option} «{path}» is not below a place" in refused(given)
