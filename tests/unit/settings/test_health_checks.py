"""The tables ``[health.NAME]``: what they may say, who may say it, and what trust is bound to."""

import pytest

from bespeak.base.clock import HOUR_US, MINUTE_US, SECOND_US
from bespeak.labs.trust_survey import survey
from bespeak.settings import SettingsError, files, load_settings
from bespeak.settings.health_checks import HealthCheck, health_checks
from bespeak.settings.trust import UntrustedError
from support.trusting import trust

PING = '[health.ping]\ncommand = ["ping", "-c1", "{resource}"]\nresources = ["board*"]\n'
SCRIPT = '[health.own]\ncommand = ["sh", "check.sh", "{resource}"]\nresources = ["board*"]\n'


@pytest.fixture
def env(tmp_path):
    return {"HOME": str(tmp_path / "home")}


def repo(tmp_path, text, folder=".bespeak"):
    root = tmp_path / "repo"
    (root / folder).mkdir(parents=True)
    (root / folder / "settings.toml").write_text(text)
    return root


def checks(root, env):
    return health_checks(load_settings(str(root), env), env)


def own(env, text):
    path = f"{env['HOME']}/.config/bespeak/settings.toml"
    files.os.makedirs(files.os.path.dirname(path))
    with open(path, "w") as stream:
        stream.write(text)
    return path


def test_a_repository_names_commands_only_when_it_is_trusted(tmp_path, env):
    root = repo(tmp_path, PING)
    with pytest.raises(UntrustedError, match="names commands that check resources"):
        checks(root, env)
    (one,) = survey(str(root), env)
    assert one.names == ("a command to run: ping -c1 {resource} ([health.ping])",)
    trust(root, env)
    assert checks(root, env)[0] == [HealthCheck("ping", ("ping", "-c1", "{resource}"), str(root), ("board*",))]
    (root / ".bespeak" / "settings.toml").write_text(PING.replace("ping", "pong"))
    with pytest.raises(UntrustedError, match="has changed since"):
        checks(root, env)


def test_trust_is_bound_to_the_files_that_a_check_names(tmp_path, env):
    root = repo(tmp_path, SCRIPT)
    (root / "check.sh").write_text("exit 0\n")
    trust(root, env)
    assert checks(root, env)[0][0].name == "own"
    (root / "check.sh").write_text("exit 1\n")
    with pytest.raises(UntrustedError, match="has changed since"):
        checks(root, env)


def test_a_file_that_comes_after_the_folder_was_trusted_is_not_trusted(tmp_path, env):
    root = repo(tmp_path, SCRIPT)
    trust(root, env)
    checks(root, env)
    (root / "check.sh").write_text("exit 1\n")
    with pytest.raises(UntrustedError):
        checks(root, env)


def test_the_user_s_own_settings_need_no_trust_and_count_after_a_repository_s(tmp_path, env):
    path = own(env, PING)
    found, source = checks(tmp_path, env)
    assert (found[0].folder, source) == (None, path)
    root = repo(tmp_path, SCRIPT)
    trust(root, env)
    assert [one.name for one in checks(root, env)[0]] == ["own"]


def test_a_table_of_that_name_in_otto_s_settings_is_another_program_s(tmp_path, env):
    root = repo(tmp_path, PING, folder=".otto")
    assert checks(root, env) == ([], "")
    assert survey(str(root), env)[0].names == ()


def test_every_value(tmp_path, env):
    more = (
        'label = "arm64 and not old"\nevery = "2m"\ntimeout = "3s"\npause = "0s"\nfall = 1\nrise = 4\n'
        'flaps = "2 in 4h"\nmark = "offline"\nwhile_held = true\n'
    )
    own(env, PING + more)
    (found,), _ = checks(tmp_path, env)
    assert (found.label, found.every_us, found.timeout_us) == ("arm64 and not old", 2 * MINUTE_US, 3 * SECOND_US)
    assert (found.pause_us, found.fall, found.rise) == (0, 1, 4)
    assert (found.flaps, found.within_us, found.mark, found.while_held) == (2, 4 * HOUR_US, "offline", True)


def test_there_can_be_no_limit_of_flaps(tmp_path, env):
    own(env, PING + "flaps = false\n")
    assert checks(tmp_path, env)[0][0].flaps == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("health = 3\n", "health must be a table"),
        ('health.a = "x"\n', r"\[health.a\] must be a table"),
        ('[health."a b"]\ncommand = ["x"]\nlabel = "x"\n', "letters, digits"),
        ('[health.a]\nlabel = "x"\n', "command is missing"),
        ('[health.a]\ncommand = "true"\nlabel = "x"\n', "command must be a list of texts, not 'true'"),
        ('[health.a]\ncommand = ["x"]\n', "says of no resource"),
        ('[health.a]\ncommand = ["x"]\nlabel = "("\n', "label"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nfal = 2\n', "did you mean fall"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nfall = 0\n', "fall must be a whole number from 1 to 100"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nevery = "0s"\n', "every"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nevery = 5\n', "every must be a duration"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nflaps = 5\n', "flaps must be like '3 in 1h', or false"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nmark = "ok"\n', "mark must be sick or offline"),
        ('[health.a]\ncommand = ["x"]\nlabel = "x"\nwhile_held = 1\n', "while_held must be true or false"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_field(tmp_path, env, text, message):
    path = own(env, text)
    with pytest.raises(SettingsError, match=message) as told:
        checks(tmp_path, env)
    assert str(told.value).startswith(path)
