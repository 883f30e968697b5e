"""A preview answers requests that name this machine, and no others."""

from __future__ import annotations

import pytest

from pylit.preview.hosts import is_allowed, is_hidden, is_loopback, refusal

ALLOWED = """
localhost:8000 LOCALHOST:8000 127.0.0.1:8000 127.0.0.2:8000 127.255.255.254:8000 [::1]:8000 [0:0:0:0:0:0:0:1]:8000
my-host.example:8000 My-Host.EXAMPLE:8000
""".split()
REFUSED = """
localhost 127.0.0.1 localhost: localhost:80 localhost:8001 localhost:08000 localhost:8000: localhost:8000:8000
localhost:80000 :8000 evil.example evil.example:8000 localhost.evil.example:8000 evil.localhost:8000 localhost.:8000
127.0.0.1.:8000 127.0.0.1.evil.example:8000 127.1:8000 0177.0.0.1:8000 0x7f.0.0.1:8000 2130706433:8000 0.0.0.0:8000
128.0.0.1:8000 10.0.0.1:8000 ::1:8000 [::1] [::2]:8000 [::]:8000 [::1:8000 ::1]:8000 [127.0.0.1]:8000 [localhost]:8000
[fe80::1%lo]:8000 [::1%lo]:8000 user@localhost:8000 localhost:8000@evil.example localhost:8000/
localhost:8000,evil.example localhost:8000,localhost:8000 localhost%00.evil.example:8000 http://localhost:8000
//localhost:8000 *:8000 my-host.example my-host.example.:8000
my-host.example.evil:8000 a.my-host.example:8000 ｌocalhost:8000 localhoſt:8000 localhost:８000
loca\u212ahost:8000
""".split()


@pytest.mark.parametrize("host", ALLOWED)
def test_hosts_of_this_machine(host: str) -> None:
    assert is_allowed(host, 8000, "my-host.example")
    assert is_allowed(host.removesuffix(":8000"), 80, "my-host.example")


@pytest.mark.parametrize("host", [*REFUSED, "", " ", "localhost:8000\n", "localhost :8000"])
def test_hosts_that_others_may_have(host: str) -> None:
    assert not is_allowed(host, 8000, "my-host.example")


def test_address_that_the_preview_was_started_for() -> None:
    assert is_allowed("10.0.0.1:8000", 8000, "10.0.0.1")
    assert is_allowed("[fd00::1]:8000", 8000, "fd00::1") and is_allowed("[fd00::1]:8000", 8000, "[fd00::1]")
    assert not is_allowed("10.0.0.2:8000", 8000, "10.0.0.1")


def test_own_addresses_of_this_machine() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("[::1]")
    assert not any(map(is_loopback, ("10.0.0.1", "0.0.0.0", "[::]", "::1", "localhost", "")))


@pytest.mark.parametrize("path", ["/.git/config", "/a/.b", "/..a", "/a\0", "/.pylit/x.html"])
def test_paths_that_no_file_of_a_site_has(path: str) -> None:
    assert is_hidden(path)
    assert not is_hidden("/a.b/c..html") and not is_hidden("/a/../b")


def test_refusal_names_the_host_harmlessly_and_the_option() -> None:
    told = refusal("évil<\x1b", 8000, "--address")
    assert "for the host '\\xe9vil<\\x1b'" in told
    assert "start it with --address NAME:8000" in told
