"""Which hosts are meant: what is wrong with one host is never told of another."""

import pytest

from bespeak.base.errors import NotFoundError, UsageError
from bespeak.lifecycle.selection import load_hosts
from bespeak.settings import load_settings

GOOD = '[[hosts]]\nid = "h"\nkind = "local"\nlabs = ["demo"]\n'
BROKEN = '[[hosts]]\nid = "broken"\nip = 7\nlabs = ["demo"]\n'


@pytest.fixture
def labs(tmp_path, monkeypatch):
    """A function that writes lab data into a folder of that name and stands in it."""

    def write(folder, text):
        here = tmp_path / folder
        (here / ".bespeak").mkdir(parents=True)
        (here / ".bespeak" / "settings.toml").write_text("")
        (here / "lab.toml").write_text(text)
        monkeypatch.chdir(here)
        return load_settings()

    return write


def test_a_host_with_a_mistake_is_named_with_it(labs):
    with pytest.raises(UsageError, match="broken"):
        load_hosts(labs("plain", GOOD + BROKEN), (), ["broken"])


def test_a_host_that_is_not_there_is_not_found_although_a_folder_is_called_so(labs):
    with pytest.raises(NotFoundError, match="there is no host 'ghost'"):
        load_hosts(labs("a (ghost) b", GOOD + BROKEN), (), ["ghost"])
