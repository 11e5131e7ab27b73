"""What settings say about ``run``: whose jobs are started, and how many of a tag at once."""

from __future__ import annotations

import pytest

from bespeak.jobs.concurrency import Limits
from bespeak.jobs.run_settings import RunSettings, run_settings
from bespeak.settings import files
from bespeak.settings.repo import SettingsError
from support.job_sites import Site


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that writes the user's own settings and returns an environment that has them."""
    monkeypatch.setattr(files, "SYSTEM_PATH", str(tmp_path / "none.toml"))
    folder = tmp_path / "config" / "bespeak"
    folder.mkdir(parents=True)

    def write(text: str) -> dict[str, str]:
        (folder / "settings.toml").write_text(text)
        return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}

    return write


def test_what_settings_say(own) -> None:
    assert run_settings(own("")) == RunSettings()
    found = run_settings(own('[jobs]\naccept_from = ["alice", "bob"]\nmax_jobs = 3\nmax_per_tag = { gpu = 2 }\n'))
    assert found == RunSettings(("alice", "bob"), Limits(3, {"gpu": 2}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("accept = []", "accept_from"),
        ('accept_from = "alice"', "accept_from must be a list"),
        ('accept_from = [""]', "accept_from must be a list"),
        ("max_jobs = 0", "max_jobs must be a whole number from 1 to 10000, not 0"),
        ("max_jobs = true", "max_jobs must be a whole number"),
        ("max_per_tag = 3", "max_per_tag must be a table"),
        ("max_per_tag = { gpu = 0 }", "max_per_tag must be a table"),
        ('max_per_tag = { "a b" = 1 }', "max_per_tag must be a table"),
        ("max_per_tag = { gpu = true }", "max_per_tag must be a table"),
    ],
)
def test_what_settings_cannot_say(own, text: str, told: str) -> None:
    environ = own(f"[jobs]\n{text}\n")
    with pytest.raises(SettingsError, match=told):
        run_settings(environ)


def test_an_option_goes_before_settings(site: Site, own) -> None:
    environ = own("[jobs]\nmax_jobs = 3\nmax_per_tag = { gpu = 2, disk = 1 }\n")
    (first, *_) = site.once("--max-per-tag", "gpu=5", env=environ)
    assert (first["max_jobs"], first["max_per_tag"]) == (3, {"gpu": 5, "disk": 1})
    assert site.once("--max-jobs", "7", env=environ)[0]["max_jobs"] == 7
    refused = site.call("run", "--once", **own('[jobs]\naccept_from = "x"\n'))
    assert (refused.code, "[jobs] accept_from" in refused.error) == (2, True)
