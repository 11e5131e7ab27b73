"""Who calls: each credential that counts, and every one that must not."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import pwd
import time

import pytest
from joserfc.jwk import ECKey, RSAKey

from bespeak.access import sessions, tokens
from bespeak.access.model import Role, Scope
from bespeak.base.clock import DAY_US, FOREVER_US, MINUTE_US, now
from bespeak.base.errors import NotAllowedError, UnavailableError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.server.identity import METHOD, PATH, SCHEME, NotSignedInError, Peer
from bespeak.server.sign_in.authenticator import COOKIES, CSRF_HEADER, SignIn
from bespeak.server.sign_in.code_flow import CodeFlow
from bespeak.server.sign_in.issuers import FAILED_SECONDS, REFETCH_SECONDS, Issuers
from bespeak.server.sign_in.settings import OidcSettings, SignInSettings
from support.device_provider import device_provider
from support.issuers import AUDIENCE, BUILDKITE, GITHUB, GITLAB, Issuer, buildkite, github, gitlab, shared_secret_token

ROOT = Holder("root")
PROVIDER = "https://login.example.com"
CLIENT = "bespeak-client"
KINDS = {GITHUB: "RSA", GITLAB: "EC", BUILDKITE: "EC", PROVIDER: "RSA"}
REMOTE = Peer(address="192.0.2.7")


@pytest.fixture(scope="module")
def signers():
    return {address: Issuer(address, kind) for address, kind in KINDS.items()}


@pytest.fixture(scope="module")
def foreign_key():
    return RSAKey.generate_key(2048)


@pytest.fixture
def book(tmp_path):
    with open_ledger(str(tmp_path / "book")) as ledger:
        yield ledger


class Steady:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Steady()


@pytest.fixture
def sign_in(signers, clock):
    def fetch(address):
        return next(one for one in signers.values() if address.startswith(one.address)).fetch(address)

    settings = SignInSettings(
        oidc=OidcSettings(PROVIDER, CLIENT, audiences=(CLIENT,), groups_claim="groups"),
        proxy_user_header="x-remote-user",
        proxies=(ipaddress.ip_network("10.1.0.0/16"),),
    )
    return SignIn(settings, Issuers(fetch, clock))


def call(sign_in, book, credential, **headers):
    return sign_in(book).authenticate({"authorization": f"Bearer {credential}", **headers}, REMOTE)


def refused(sign_in, book, credential):
    with pytest.raises(NotSignedInError) as told:
        call(sign_in, book, credential)
    assert credential not in str(told.value)
    return str(told.value)


# The peer of the Unix socket


def test_the_account_of_the_unix_socket(sign_in, book):
    mine = sign_in(book).authenticate({}, Peer(uid=os.getuid()))
    assert (mine.holder, mine.method, mine.unruled) == (pwd.getpwuid(os.getuid()).pw_name, "peer", Role.ADMIN)
    other = next(one for one in pwd.getpwall() if one.pw_uid not in (0, os.getuid()))
    assert sign_in(book).authenticate({}, Peer(uid=other.pw_uid)).unruled is Role.BOOKER
    with pytest.raises(NotSignedInError, match="account 4000000000 has no name"):
        sign_in(book).authenticate({}, Peer(uid=4_000_000_000))


def test_without_a_credential_it_is_nobody(sign_in, book):
    assert sign_in(book).authenticate({}, REMOTE) is None


# Tokens of the book


def made(book, user="alice", **more):
    secret = tokens.new_token()
    return secret, book.token_create(ROOT, user, tokens.hashed(secret), **more)


def test_a_token_signs_its_holder_in_and_notes_its_use(sign_in, book):
    secret, token = made(book, scopes=("read", "book"), selectors=("rack*",))
    caller = call(sign_in, book, secret)
    assert (caller.holder, caller.kind, caller.method) == ("alice", "user", "token")
    assert (caller.scopes, caller.selectors, caller.unruled) == ({Scope.READ, Scope.BOOK}, ("rack*",), Role.BOOKER)
    used_us = book.token_list(ROOT)[0].used_us
    assert used_us is not None
    call(sign_in, book, secret)
    assert book.token_list(ROOT)[0].used_us == used_us, "written once a minute"
    assert book.as_caller(caller).reserve(Request(("rack1",), Holder("alice"))).holder == "alice"
    with pytest.raises(NotAllowedError, match=r"is for rack\*, not for board1"):
        book.as_caller(caller).reserve(Request(("board1",), Holder("alice")))
    assert token.id not in secret


@pytest.mark.parametrize(("scope", "role"), [("admin", Role.ADMIN), ("manage", Role.MANAGER), ("read", Role.BOOKER)])
def test_a_token_that_may_administer_is_an_admin_where_there_are_no_rules(sign_in, book, scope, role):
    assert call(sign_in, book, made(book, scopes=(scope,))[0]).unruled is role


def test_a_token_that_does_not_count_is_refused(sign_in, book):
    revoked, token = made(book)
    book.token_revoke(token.id, ROOT)
    assert refused(sign_in, book, revoked) == f"token {token.id} was revoked"
    assert refused(sign_in, book, tokens.new_token()) == "the token is not known here"
    assert "mistyped or cut off" in refused(sign_in, book, revoked[:-1])
    assert "mistyped or cut off" in refused(sign_in, book, "x")
    for header in ("Basic YWxpY2U6eA==", "Bearer", "Bearer ", "token x"):
        with pytest.raises(NotSignedInError, match="only 'Bearer TOKEN'"):
            sign_in(book).authenticate({"authorization": header}, REMOTE)


def test_a_token_ends(sign_in, tmp_path):
    present = [now()]
    with open_ledger(str(tmp_path / "other"), now=lambda: present[0]) as book:
        secret, token = made(book, expires_us=present[0] + DAY_US)
        assert call(sign_in, book, secret).holder == "alice"
        present[0] += DAY_US
        assert refused(sign_in, book, secret) == f"token {token.id} has expired"


# People of a provider


def test_a_person_signs_in_with_a_token_of_the_provider(sign_in, book, signers):
    text = signers[PROVIDER].token(aud=CLIENT, preferred_username="alice", groups=["lab", 7, "a\nb"])
    caller = call(sign_in, book, text)
    assert (caller.holder, caller.method, caller.groups, caller.unruled) == ("alice", "oidc", ("lab",), Role.BOOKER)
    call(sign_in, book, text)
    told = [(entry.action.value, entry.who, entry.after["note"]) for entry in book.log()]
    assert told == [("signed_in", "alice", f"oidc, {PROVIDER}")], "one row for each token"


@pytest.mark.parametrize("name", [None, "", 7, "a\nb", "ci:nightly", "user:root", " alice", ["alice"]])
def test_a_person_without_a_proper_name_is_refused(sign_in, book, signers, name):
    text = signers[PROVIDER].token(aud=CLIENT, preferred_username=name)
    assert "preferred_username" in refused(sign_in, book, text)


NOW = int(time.time())
A_DAY = 86_400  # longer than any run of the tests, which begins when this is read
BAD_CLAIMS = {
    "another audience": ({"aud": "somebody-else"}, "made for 'somebody-else', not for bespeak-client"),
    "several other audiences": ({"aud": ["a", "b"]}, "not for bespeak-client"),
    "no audience": ({"aud": None}, "Missing claim: 'aud'"),
    "an audience that is none": ({"aud": {"bespeak-client": 1}}, "not for bespeak-client"),
    "expired": ({"exp": NOW - 120}, "has expired"),
    "no end": ({"exp": None}, "exp"),
    "an end that is no number": ({"exp": "tomorrow"}, "exp"),
    "not valid yet": ({"nbf": NOW + A_DAY}, "not yet valid"),
    "made in the future": ({"iat": NOW + A_DAY}, "issued in the future"),
}


@pytest.mark.parametrize("what", BAD_CLAIMS)
def test_a_token_whose_claims_do_not_fit_is_refused(sign_in, book, signers, what):
    claims, message = BAD_CLAIMS[what]
    claims = {"aud": CLIENT, "preferred_username": "alice", **claims}
    assert message in refused(sign_in, book, signers[PROVIDER].token(**claims))


def test_the_clock_of_an_issuer_may_be_a_minute_off_and_no_more(sign_in, book, signers):
    def token(**claims):
        return signers[PROVIDER].token(aud=CLIENT, preferred_username="alice", **claims)

    present = int(time.time())
    assert call(sign_in, book, token(exp=present - 20)).holder == "alice"
    assert call(sign_in, book, token(nbf=present + 30, iat=present + 30)).holder == "alice"
    assert "has expired" in refused(sign_in, book, token(exp=present - 61))


def encoded(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_an_unsigned_token_is_refused(sign_in, book, signers):
    claims = encoded({"iss": PROVIDER, "aud": CLIENT, "exp": NOW + A_DAY, "preferred_username": "alice"})
    for algorithm in ("none", "None", "NONE", "nOnE"):
        header = encoded({"alg": algorithm, "kid": signers[PROVIDER].key_id})
        for signature in ("", "AA"):
            text = f"{header}.{claims}.{signature}"
            assert "not accepted" in refused(sign_in, book, text) or "cannot be read" in refused(sign_in, book, text)


def test_a_published_key_is_no_shared_secret(sign_in, book, signers):
    signer = signers[PROVIDER]
    published = signer.key.as_pem(private=False)
    text = shared_secret_token(signer, published, aud=CLIENT, preferred_username="alice")
    assert refused(sign_in, book, text) == "the token is signed by 'HS256', which is not accepted"


def test_a_shared_secret_among_the_published_keys_is_passed_over(sign_in, book, signers):
    signer = Issuer(PROVIDER, "EC")
    signer.more_keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, {"kty": "RSA"}, {"kty": "EC", "crv": "x"}, 7]
    signers = {**signers, PROVIDER: signer}
    alone = SignIn(sign_in.settings, Issuers(signer.fetch))
    assert call(alone, book, signer.token(aud=CLIENT, preferred_username="alice")).holder == "alice"
    with_secret = signer.token({"kid": "s"}, aud=CLIENT, preferred_username="alice")
    assert "not signed with a key" in refused(alone, book, with_secret)


def test_a_key_of_somebody_else_is_refused(sign_in, book, signers, foreign_key):
    signer = signers[PROVIDER]
    for key_id in (signer.key_id, "another", None):
        text = signer.token({"kid": key_id}, foreign_key, aud=CLIENT, preferred_username="alice")
        assert refused(sign_in, book, text) == f"the token is not signed with a key that {PROVIDER} publishes"
    elliptic = signer.token({"alg": "ES256"}, ECKey.generate_key("P-256"), aud=CLIENT, preferred_username="alice")
    assert "not signed with a key" in refused(sign_in, book, elliptic)


def test_a_key_inside_the_token_or_at_an_address_in_it_is_not_believed(sign_in, book, signers, foreign_key):
    signer, own = signers[PROVIDER], foreign_key
    for header in (
        {"jwk": own.as_dict(private=False)},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://e.example"},
    ):
        text = signer.token({"kid": None, **header}, own, aud=CLIENT, preferred_username="alice")
        told = refused(sign_in, book, text)
        assert "not signed with a key" in told or "cannot be read" in told
    assert not any("evil" in address for address in signer.fetched)


def test_a_changed_token_is_refused(sign_in, book, signers):
    header, claims, signature = signers[PROVIDER].token(aud=CLIENT, preferred_username="alice").split(".")
    changed = encoded({**json.loads(base64.urlsafe_b64decode(claims + "==")), "preferred_username": "root"})
    assert "not signed with a key" in refused(sign_in, book, f"{header}.{changed}.{signature}")


@pytest.mark.parametrize(
    "text", ["ey..", "eyJ9.e30.", "eyJhbGciOiJSUzI1NiJ9.!!.x", "ey.ey.ey", "eyJhbGciOiJSUzI1NiJ9.W10.AA"]
)
def test_what_cannot_be_read_is_refused(sign_in, book, text):
    assert refused(sign_in, book, text)


def test_a_token_for_another_purpose_or_too_long_is_refused(sign_in, book, signers):
    signer = signers[PROVIDER]
    logout = signer.token({"typ": "logout+jwt"}, aud=CLIENT, preferred_username="alice")
    assert "not for signing in" in refused(sign_in, book, logout)
    long = signer.token(aud=CLIENT, preferred_username="alice", note="x" * 20_000)
    assert "more than 16384 characters" in refused(sign_in, book, long)


def test_an_issuer_that_nobody_named_is_never_asked(sign_in, book):
    stranger = Issuer("https://evil.example", "EC")
    assert "issuer is not known here" in refused(sign_in, book, stranger.token(preferred_username="root"))
    assert stranger.fetched == []


# Keys that change


def test_a_new_key_is_fetched_when_it_is_seen_and_the_old_one_stops_counting(sign_in, book, clock):
    signer = Issuer(PROVIDER, "EC")
    sign_in = SignIn(sign_in.settings, Issuers(signer.fetch, clock))

    def token():
        return signer.token(aud=CLIENT, preferred_username="alice")

    old = token()
    assert call(sign_in, book, old).holder == "alice"
    signer.rotate()
    clock.seconds += REFETCH_SECONDS
    assert call(sign_in, book, token()).holder == "alice"
    assert "not signed with a key" in refused(sign_in, book, old)
    signer.rotate(key_id=signer.key_id)
    clock.seconds += REFETCH_SECONDS
    assert call(sign_in, book, token()).holder == "alice", "a new key under the same name"


def test_made_up_keys_make_nobody_ask_the_issuer_again_and_again(sign_in, book, clock, foreign_key):
    signer = Issuer(PROVIDER, "EC")
    sign_in = SignIn(sign_in.settings, Issuers(signer.fetch, clock))
    call(sign_in, book, signer.token(aud=CLIENT, preferred_username="alice"))
    before = len(signer.fetched)
    clock.seconds += REFETCH_SECONDS
    for number in range(20):
        text = signer.token({"alg": "RS256", "kid": f"k{number}"}, foreign_key, aud=CLIENT, preferred_username="alice")
        refused(sign_in, book, text)
    assert len(signer.fetched) == before + 2


def test_an_issuer_that_is_away_costs_nobody_who_has_its_keys(sign_in, book, clock):
    signer = Issuer(PROVIDER, "EC")
    sign_in = SignIn(sign_in.settings, Issuers(signer.fetch, clock))
    text = signer.token(aud=CLIENT, preferred_username="alice")
    signer.away = True
    with pytest.raises(UnavailableError, match="away"):
        call(sign_in, book, text)
    asked = len(signer.fetched)
    with pytest.raises(UnavailableError, match="away"):
        call(sign_in, book, text)
    assert len(signer.fetched) == asked
    signer.away = False
    clock.seconds += FAILED_SECONDS
    assert call(sign_in, book, text).holder == "alice"
    signer.away = True
    clock.seconds += 7200
    assert call(sign_in, book, text).holder == "alice"


def test_an_issuer_that_says_it_is_another_is_refused(sign_in, book, clock):
    signer = Issuer(PROVIDER, "EC")

    def fetch(address):
        return {**signer.fetch(address), "issuer": "https://other.example"}

    with pytest.raises(UnavailableError, match="says that it is 'https://other"):
        call(SignIn(sign_in.settings, Issuers(fetch, clock)), book, signer.token(aud=CLIENT))


# Workloads


SHAPES = {
    GITHUB: (("repository", "org/x"), github, lambda make, name: make(name)),
    GITLAB: (("project_path", "org/x"), gitlab, lambda make, name: make(name)),
    BUILDKITE: (("pipeline_slug", "org/x"), buildkite, lambda make, name: make(name)),
}


@pytest.mark.parametrize("issuer", SHAPES)
def test_a_workload_acts_as_its_holder_and_that_of_another_project_does_not(sign_in, book, signers, issuer):
    claim, make, with_name = SHAPES[issuer]
    mapping = book.rights_map(issuer, (claim,), "ci:org-x", "booker", ROOT, selector="rack*")
    caller = call(sign_in, book, signers[issuer].token(**with_name(make, "org/x")))
    assert (caller.holder, caller.kind, caller.method) == ("ci:org-x", "ci", "workload")
    assert [(one.role, one.selector, one.why) for one in caller.grants] == [
        (Role.BOOKER, "rack*", f"mapping {mapping.id}")
    ]
    seen = book.as_caller(caller)
    assert seen.reserve(Request(("rack1",), Holder("ci:org-x"))).holder == "ci:org-x"
    with pytest.raises(NotAllowedError, match="on board1"):
        seen.reserve(Request(("board1",), Holder("ci:org-x")))
    with pytest.raises(NotAllowedError, match="signed in as ci:org-x"):
        seen.reserve(Request(("rack2",), Holder("alice")))
    for other in ("evil/x", "org/x2", "org/xx", "ORG/X", "xorg/x"):
        foreign = signers[issuer].token(**with_name(make, other))
        assert "no mapping of the book means this token" in refused(sign_in, book, foreign)


def test_the_token_of_a_workload_is_for_this_server_only(sign_in, book, signers):
    book.rights_map(GITHUB, (("repository", "org/x"),), "ci:org-x", "booker", ROOT)
    book.rights_map(GITHUB, (("repository", "org/y"),), "ci:org-y", "booker", ROOT, audience="https://book.example")
    assert "made for 'https://github.com/org'" in refused(
        sign_in, book, signers[GITHUB].token(**github(), aud="https://github.com/org")
    )
    assert "no mapping" in refused(sign_in, book, signers[GITHUB].token(**github("org/y"), aud=AUDIENCE))
    assert (
        call(sign_in, book, signers[GITHUB].token(**github("org/y"), aud="https://book.example")).holder == "ci:org-y"
    )


def test_all_claims_of_a_mapping_have_to_fit(sign_in, book, signers):
    claims = (("repository", "org/*"), ("ref", "refs/heads/main"), ("build", "1"), ("safe", "true"))
    book.rights_map(GITHUB, claims, "ci:{repository}", "booker", ROOT)
    fitting = {**github("org/lib"), "build": 1, "safe": True}
    assert call(sign_in, book, signers[GITHUB].token(**fitting)).holder == "ci:org/lib"
    for change in (
        {"ref": "refs/heads/evil"},
        {"build": 2},
        {"safe": "no"},
        {"safe": None},
        {"ref": ["refs/heads/main"]},
    ):
        assert "no mapping" in refused(sign_in, book, signers[GITHUB].token(**{**fitting, **change}))
    assert "mapping" in refused(sign_in, book, signers[GITHUB].token(**{**fitting, "repository": "org/a\nb"}))


def test_a_token_that_counts_once_is_refused_when_it_comes_again(sign_in, book, signers):
    book.rights_map(GITHUB, (("repository", "org/x"),), "ci:org-x", "booker", ROOT, once=True)
    text = signers[GITHUB].token(**github())
    assert call(sign_in, book, text).holder == "ci:org-x"
    assert refused(sign_in, book, text) == "the token was used before, and is accepted once"
    assert "has no jti" in refused(sign_in, book, signers[GITHUB].token(**github(jti=None)))


def test_a_request_that_goes_on_uses_nothing_up_and_writes_nothing_down(sign_in, book, signers):
    book.rights_map(GITHUB, (("repository", "org/x"),), "ci:org-x", "booker", ROOT, once=True)
    text = signers[GITHUB].token(**github())
    headers = {"authorization": f"Bearer {text}"}
    caller = call(sign_in, book, text)
    rows = book.log()
    for _ in range(2):
        assert sign_in(book).authenticate(headers, REMOTE, again=True) == caller
    assert book.log() == rows
    book.rights_revoke(book.rights_list().mappings[0].id, ROOT)
    with pytest.raises(NotSignedInError):
        sign_in(book).authenticate(headers, REMOTE, again=True)


# Sessions of browsers


def session(book, expires_us=FOREVER_US):
    secret = sessions.new_secret()
    found = book.engine.transact(["x"], lambda tx: sessions.begin(tx, secret, "alice", ("lab",), expires_us))
    return secret, found


@pytest.mark.parametrize("name", COOKIES)
def test_a_session_may_look_and_changes_need_its_own_word(sign_in, book, name):
    secret, found = session(book)
    cookie = {"cookie": f"other=1; {name}={secret}"}

    def ask(**headers):
        return sign_in(book).authenticate({**cookie, **headers}, REMOTE)

    caller = ask(**{METHOD: "GET"})
    assert (caller.holder, caller.method, caller.groups) == ("alice", "session", ("lab",))
    for headers in ({METHOD: "POST"}, {METHOD: "POST", CSRF_HEADER: "wrong"}, {}, {METHOD: "DELETE", CSRF_HEADER: "é"}):
        with pytest.raises(NotSignedInError, match="x-csrf-token"):
            ask(**headers)
    assert ask(**{METHOD: "POST", CSRF_HEADER: found.csrf}).holder == "alice"


@pytest.mark.parametrize(
    ("headers", "meant"),
    [
        ({"origin": "https://book.example.com"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://book.example.com.evil.example"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({}, False),
    ],
)
def test_a_form_of_another_site_changes_nothing(sign_in, book, headers, meant):
    secret, _ = session(book)
    every = {"cookie": f"{COOKIES[0]}={secret}", "host": "book.example.com", METHOD: "POST", PATH: "/act", **headers}
    if meant:
        assert sign_in(book).authenticate(every, REMOTE).holder == "alice"
    else:
        with pytest.raises(NotSignedInError, match="another site"):
            sign_in(book).authenticate(every, REMOTE)
    with pytest.raises(NotSignedInError, match="x-csrf-token"):
        sign_in(book).authenticate({**every, PATH: "/api/v1/reservations"}, REMOTE)


def test_over_tls_a_session_that_another_host_can_have_given_the_browser_is_none(sign_in, book):
    secret, _ = session(book)
    for settings, scheme in ((SignInSettings(), "https"), (SignInSettings(url="https://book.example.com"), "http")):
        for name, known in ((COOKIES[0], True), (COOKIES[1], False)):
            headers = {"cookie": f"{name}={secret}", METHOD: "GET", SCHEME: scheme}
            assert (SignIn(settings)(book).authenticate(headers, REMOTE) is not None) is known, (name, scheme)


def test_over_tls_a_page_that_came_without_it_changes_nothing(sign_in, book):
    secret, _ = session(book)
    every = {"cookie": f"{COOKIES[0]}={secret}", "host": "book.example.com", METHOD: "POST", PATH: "/act"}
    every |= {SCHEME: "https", "origin": "http://book.example.com"}
    with pytest.raises(NotSignedInError, match="another site"):
        sign_in(book).authenticate(every, REMOTE)
    assert sign_in(book).authenticate({**every, "origin": "https://book.example.com"}, REMOTE).holder == "alice"


def test_a_session_that_is_over_or_made_up_is_nobody(sign_in, book):
    secret, _ = session(book, expires_us=1)
    for cookie in (f"{COOKIES[0]}={secret}", f"{COOKIES[0]}=made-up", f"{COOKIES[0]}=", "=;=", ""):
        assert sign_in(book).authenticate({"cookie": cookie, METHOD: "GET"}, REMOTE) is None
    rows = book.engine.read(lambda tx: tx.fetch_all("SELECT * FROM access_sessions"))
    assert secret not in repr(rows)


# A proxy's header


def test_the_header_of_a_proxy_counts_from_the_proxy_only(sign_in, book):
    ask = sign_in(book).authenticate
    caller = ask({"x-remote-user": "alice"}, Peer(address="10.1.2.3"))
    assert (caller.holder, caller.method) == ("alice", "proxy")
    for elsewhere in ("10.2.0.1", "127.0.0.1", "2001:db8::1", None, "unknown"):
        with pytest.raises(NotSignedInError, match="believed from the proxy only"):
            ask({"x-remote-user": "alice"}, Peer(address=elsewhere))
    for name in ("", "ci:x", "alice, root\n", "a" * 300):
        with pytest.raises(NotSignedInError, match="the header x-remote-user"):
            ask({"x-remote-user": name}, Peer(address="10.1.2.3"))
    plain = SignIn(SignInSettings())
    assert plain(book).authenticate({"x-remote-user": "alice"}, Peer(address="10.1.2.3")) is None


def test_a_value_that_counts_once_is_forgotten_at_its_end(tmp_path):
    present = [now()]
    with open_ledger(str(tmp_path / "b"), now=lambda: present[0]) as book:

        def do(work):
            return book.engine.transact(["x"], work)

        end_us = present[0] + MINUTE_US
        assert do(lambda tx: sessions.keep_once(tx, "a", "v", end_us))
        assert not do(lambda tx: sessions.keep_once(tx, "a", "v", end_us))
        assert do(lambda tx: sessions.take_once(tx, "a")) == "v"
        assert do(lambda tx: sessions.take_once(tx, "a")) is None
        assert do(lambda tx: sessions.keep_once(tx, "b", "v", end_us))
        present[0] += MINUTE_US
        assert do(lambda tx: sessions.take_once(tx, "b")) is None
        assert do(lambda tx: sessions.keep_once(tx, "b", "w", end_us + MINUTE_US))


def test_what_an_id_token_leaves_out_is_asked_for_at_the_provider(tmp_path):
    with device_provider() as provider:
        flow = CodeFlow(
            OidcSettings(provider.address, "book", groups_claim="groups"), Issuers(), "http://localhost/back"
        )
        thin = {"sub": "7", "iss": provider.address}
        told = {"preferred_username": "alice", "groups": ["lab"]}
        assert flow.complete(thin, "token") == {**thin, **told}
        assert flow.complete(thin, "") == thin
        assert flow.complete({**thin, "preferred_username": "bob"}, "token")["preferred_username"] == "bob"
        with pytest.raises(NotSignedInError, match="somebody else"):
            flow.complete({**thin, "sub": "8"}, "token")
