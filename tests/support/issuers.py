"""Small issuers of signed tokens: what GitHub Actions, GitLab and Buildkite publish, with keys of ours."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from bespeak.base.errors import UnavailableError

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.example.com"
BUILDKITE = "https://agent.buildkite.com"
AUDIENCE = "bespeak"


class Issuer:
    """An issuer that lives in a test: signs tokens, and answers what is fetched from its address."""

    def __init__(self, address: str, kind: str = "RSA") -> None:
        self.address = address
        self.kind = kind
        self.fetched: list[str] = []
        self.away = False
        self.more_keys: list[dict[str, Any]] = []
        self.rotate()

    def rotate(self, *, key_id: str | None = None) -> None:
        """Take a new key; the old one is not published any more."""
        made = RSAKey.generate_key(2048) if self.kind == "RSA" else ECKey.generate_key("P-256")
        self.key_id = key_id or made.thumbprint()
        self.key = type(made).import_key({**made.as_dict(private=True), "kid": self.key_id, "use": "sig"})
        self.algorithm = "RS256" if self.kind == "RSA" else "ES256"

    def fetch(self, address: str) -> dict[str, Any]:
        self.fetched.append(address)
        if self.away:
            raise UnavailableError(f"{address}: away")
        if address == f"{self.address}/.well-known/openid-configuration":
            return {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        if address == f"{self.address}/keys":
            return {"keys": [{**self.key.as_dict(private=False)}, *self.more_keys]}
        raise UnavailableError(f"{address}: answers 404")

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """Sign a token that counts now; a claim given as None is left out."""
        now = int(time.time())
        every = {"iss": self.address, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300, **claims}
        every = {name: value for name, value in every.items() if value is not None}
        whole = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT", **(header or {})}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, every, key or self.key, algorithms=[whole["alg"]])


def github(repository: str = "org/x", **claims: Any) -> dict[str, Any]:
    """Return the claims of a token of GitHub Actions, as GitHub publishes their shape."""
    owner, _, _ = repository.partition("/")
    return {
        "jti": f"example-id-{time.monotonic_ns()}",
        "sub": f"repo:{repository}:ref:refs/heads/main",
        "ref": "refs/heads/main",
        "sha": "0" * 40,
        "repository": repository,
        "repository_owner": owner,
        "repository_id": "74",
        "repository_owner_id": "65",
        "run_id": "17001",
        "run_number": "10",
        "run_attempt": "2",
        "actor": "octocat",
        "workflow": "nightly",
        "event_name": "push",
        "ref_type": "branch",
        "ref_protected": "true",
        "job_workflow_ref": f"{repository}/.github/workflows/nightly.yml@refs/heads/main",
        "runner_environment": "github-hosted",
        **claims,
    }


def gitlab(project: str = "org/x", **claims: Any) -> dict[str, Any]:
    """Return the claims of an ID token of GitLab CI, as GitLab publishes their shape."""
    return {
        "jti": f"235b9d3b-{time.monotonic_ns()}",
        "sub": f"project_path:{project}:ref_type:branch:ref:main",
        "project_id": "20",
        "project_path": project,
        "namespace_id": "72",
        "namespace_path": project.partition("/")[0],
        "user_login": "sam",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_protected": "true",
        **claims,
    }


def buildkite(pipeline: str = "nightly", **claims: Any) -> dict[str, Any]:
    """Return the claims of a token of a Buildkite agent, as Buildkite publishes their shape."""
    return {
        "sub": f"organization:acme:pipeline:{pipeline}:ref:refs/heads/main:commit:0:step:build",
        "organization_slug": "acme",
        "pipeline_slug": pipeline,
        "build_number": 1,
        "build_branch": "main",
        "build_commit": "0" * 40,
        "step_key": "build",
        "job_id": "0184990a",
        **claims,
    }


def shared_secret_token(issuer: Issuer, secret: bytes, **claims: Any) -> str:
    """Sign a token with a published key as if it were a shared secret (the confusion of RFC 8725, 2.1)."""
    header, body, _ = issuer.token(**claims).split(".")
    whole = {**json.loads(base64.urlsafe_b64decode(header + "==")), "alg": "HS256"}
    signed = f"{unpadded(json.dumps(whole).encode())}.{body}"
    return f"{signed}.{unpadded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def unpadded(raw: bytes) -> str:
    """Return bytes as tokens write them."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
