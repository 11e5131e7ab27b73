"""URLs of books on a server."""

import pytest

from bespeak.base.errors import UsageError
from bespeak.base.http_url import parse_http_url
from bespeak.base.paths import book_url, public_url


@pytest.mark.parametrize(
    ("url", "origin", "name"),
    [
        ("https://book.example.com", "https://book.example.com", "https://book.example.com"),
        ("https://Book.Example.com:443/", "https://book.example.com", "https://book.example.com"),
        ("https://h:8443/lab/", "https://h:8443", "https://h:8443/lab"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]", "http://[::1]"),
        ("https://[2001:db8::1]:9", "https://[2001:db8::1]:9", "https://[2001:db8::1]:9"),
        ("unix:///run/b.sock", "unix:///run/b.sock", "unix:///run/b.sock"),
        ("http+unix://%2Frun%2Fb.sock", "unix:///run/b.sock", "unix:///run/b.sock"),
    ],
)
def test_what_a_url_means(url, origin, name):
    address = parse_http_url(url)
    assert (address.origin, address.name) == (origin, name)
    assert book_url(url, "--ledger", None) == url


def test_the_certificates_of_a_lab_come_with_the_url():
    url = "https://book.lab?ca=/etc/lab%20ca.pem"
    assert parse_http_url(url).ca_file == "/etc/lab ca.pem"
    assert public_url(url) == "https://book.lab"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://book.example.com", "this machine only"),
        ("http://127.example.com", "this machine only"),
        ("http://127.0.0.1.evil.org", "this machine only"),
        ("http://10.0.0.1", "this machine only"),
        ("https://", "names no host"),
        ("https://:443", "names no host"),
        ("https://a b", "names no host"),
        ("https://h:0", "is no port"),
        ("https://h:99999", "is no port"),
        ("https://h:8x", "is no port"),
        ("https://h/#x", "#"),
        ("https://h?verify=no", "known: ca"),
        ("https://h?ca=lab.pem", "not an absolute path"),
        ("unix://run/b.sock", "an absolute path"),
        ("unix://", "an absolute path"),
    ],
)
def test_what_makes_no_sense_is_refused(url, said):
    with pytest.raises(UsageError, match=said):
        book_url(url, "BESPEAK_LEDGER", None)


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as caught:
        book_url("https://alice:hunter2@book.lab", "--ledger", None)
    assert "hunter2" not in str(caught.value)
    assert "BESPEAK_TOKEN" in str(caught.value)
