"""Lab data: both formats, several labs at once, and mistakes that name themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bespeak.base.errors import NoContextError
from bespeak.labs import LabDataError, LabStore, lab_names, open_labs, required_resources
from bespeak.settings import SettingsError, load_settings

TOML = """
[labs.demo]
resources = ["bench1"]
description = "the bench by the window"

[labs.spare]

[hosts.router1]
labs = ["demo"]
resources = ["rack3", "psu-1"]
address = "10.0.0.1"
power_control = {kind = "redfish", url = "https://bmc1", password = "env:PW"}

[hosts.meter]
labs = ["demo", "other"]
resources = ["analyser"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labs"


def store(folder: Path, **files: str | bytes | object) -> LabStore:
    folder.mkdir(exist_ok=True)
    for kind, content in files.items():
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path = folder / {"toml": "lab.toml", "hosts": "hosts.json"}[kind]
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return LabStore([str(folder)])


def test_a_lab_needs_its_own_resources_and_those_of_its_hosts(folder):
    labs = store(folder, toml=TOML)
    assert labs.names() == ["demo", "other", "spare"]
    assert labs.problems == []
    lab = labs.load(["demo"])
    assert (lab.name, lab.description) == ("demo", "the bench by the window")
    assert lab.resources == {"bench1"}
    assert list(lab.hosts) == ["meter", "router1"]
    assert required_resources(lab) == {"bench1", "rack3", "psu-1", "analyser"}
    assert lab.hosts["router1"].address == "10.0.0.1"
    assert required_resources(labs.load(["spare"])) == set()


def test_several_labs_at_once_are_their_union(folder):
    lab = store(folder, toml=TOML).load(["other", "demo", "other"])
    assert lab.name == "other_demo"
    assert lab.names == ("other", "demo")
    assert list(lab.hosts) == ["meter", "router1"]
    assert required_resources(lab) == {"bench1", "rack3", "psu-1", "analyser"}


def test_the_json_that_otto_reads(folder):
    hosts = [
        {"ip": "10.1.1.1", "element": "Orange", "element_id": 2, "board": "SEED", "slot": 0, "creds": {"admin": "pw"},
         "labs": ["tech1"], "resources": ["orange", "orange"], "os_type": "unix", "ssh_options": {"port": 22}},
        {"ip": "10.1.1.2", "element": "apple", "creds": {}, "labs": ["tech1", "tech2"]},
    ]  # fmt: skip
    labs = store(folder, hosts=hosts)
    assert labs.problems == []
    lab = labs.load(["tech1"])
    assert list(lab.hosts) == ["apple", "orange2_seed0"]
    assert required_resources(lab) == {"orange"}
    assert required_resources(labs.load(["tech2"])) == set()


def test_the_short_form_describes_one_lab(folder):
    text = 'name = "bench"\nresources = ["bench"]\n[[hosts]]\nid = "a"\nresources = ["x"]\n[[hosts]]\nid = "b"\nlabs = []\n'
    lab = store(folder, toml=text).load(["bench"])
    assert list(lab.hosts) == ["a"]
    assert required_resources(lab) == {"bench", "x"}


def test_both_files_of_a_directory_count_together(folder):
    labs = store(folder, toml=TOML, hosts=[{"id": "extra", "labs": ["demo"], "resources": ["e"]}])
    assert "e" in required_resources(labs.load(["demo"]))
    assert [os.path.basename(path) for path in labs.files] == ["lab.toml", "hosts.json"]


def test_secrets_of_a_host_are_not_in_its_repr(folder):
    host = store(folder, toml=TOML).load(["demo"]).hosts["router1"]
    assert host.power_control["password"] == "env:PW"
    assert "env:PW" not in repr(host)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ({"id": "h", "labs": ["demo"], "resources": "rack1"}, r"host number 0 \(h\): resources must be a list of texts, not 'rack1'"),
        ({"id": "h", "labs": ["demo"], "resources": ["a", 1]}, r"\(h\): resources\[1\] must be a text, not 1"),
        ({"id": "h", "labs": ["demo"], "resources": [""]}, r"resources\[0\] must be a text, not ''"),
        ({"id": "h", "labs": "demo"}, r"labs must be a list of texts, not 'demo'"),
        ({"id": "h", "labs": ["demo"], "resource": ["a"]}, "there is no field 'resource'; did you mean resources"),
        ({"id": "h", "lab": ["demo"], "resources": ["a"]}, "there is no field 'lab'; did you mean labs"),
        ({"id": 3, "labs": ["demo"]}, "id must be a text, not 3"),
        ({"labs": ["demo"]}, r"needs an id \(or element, or name\)"),
        ({"element": "", "labs": ["demo"]}, "element must be a text, not ''"),
        ({"element": "e", "element_id": "1", "labs": ["demo"]}, "element_id must be a number, not '1'"),
        ({"element": "e", "element_id": True, "labs": ["demo"]}, "element_id must be a number, not True"),
        ({"element": "e", "board": 1, "labs": ["demo"]}, "board must be a text, not 1"),
        ({"id": "h", "labs": ["demo"], "ip": 7}, "ip must be a text, not 7"),
        ("router", "host number 0: must be a table, not 'router'"),
        ({"id": "\x1b[2J", "labs": ["demo"], "resources": 0}, r"\\x1b\[2J"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_host_names_file_host_field_and_value(folder, host, message):
    labs = store(folder, hosts=[host, {"id": "ok", "labs": ["demo"]}])
    with pytest.raises(LabDataError, match=message) as caught:
        labs.load(["demo"])
    assert f"{folder}/hosts.json" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_bad_host_of_one_lab_does_not_lock_the_others(folder):
    hosts = [{"id": "bad", "labs": ["one"], "resources": 5}, {"id": "good", "labs": ["two"], "resources": ["r"]}]
    labs = store(folder, hosts=hosts)
    assert required_resources(labs.load(["two"])) == {"r"}
    assert labs.names() == ["one", "two"]
    with pytest.raises(LabDataError, match="bad"):
        labs.load(["one", "two"])
    assert [problem.labs for problem in labs.problems] == [frozenset({"one"})]


def test_a_host_whose_labs_cannot_be_read_may_belong_to_any(folder):
    labs = store(folder, hosts=[{"id": "bad", "labs": 5}, {"id": "good", "labs": ["two"]}])
    with pytest.raises(LabDataError, match="labs must be a list"):
        labs.load(["two"])


def test_the_same_host_twice_in_one_lab_is_a_mistake_of_that_lab(folder):
    hosts = [
        {"id": "h", "labs": ["a", "b"]},
        {"id": "h", "labs": ["b"], "resources": ["r"]},
        {"id": "h", "labs": ["c"]},
    ]
    labs = store(folder, hosts=hosts)
    assert labs.load(["a"]).hosts
    with pytest.raises(LabDataError, match=r"host number 1: the host 'h' is also in .*host number 0"):
        labs.load(["b"])
    with pytest.raises(LabDataError, match="also in"):
        labs.load(["a", "c"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"hosts": "[{"}, "hosts.json: is not JSON"),
        ({"hosts": ""}, "hosts.json: is not JSON"),
        ({"hosts": "3"}, "must be a list of hosts or a table, not 3"),
        ({"hosts": "[" * 100_000}, "nested too deeply"),
        ({"hosts": b"\xff\xfe"}, "is not UTF-8"),
        ({"hosts": '[{"id": "a", "labs": ["x"], "labs": ["y"]}]'}, "the key 'labs' stands twice"),
        ({"toml": "[labs"}, "lab.toml: is not TOML"),
        ({"toml": "labs = 3"}, "labs must be a table, not 3"),
        ({"toml": "[labs]\nx = 3"}, "lab 'x': must be a table, not 3"),
        ({"toml": '[labs.""]'}, "the name is empty"),
        ({"toml": "[labs.x]\nresource = []"}, "lab 'x': there is no setting 'resource'; did you mean resources"),
        ({"toml": "[labs.x]\nresources = [1]"}, r"lab 'x': resources\[0\] must be a text, not 1"),
        ({"toml": "[labs.x]\ndescription = 1"}, "description must be a text, not 1"),
        ({"toml": "hosts = 3"}, "hosts must be a table or a list, not 3"),
        ({"toml": "name = 3"}, "name must be a text, not 3"),
        ({"toml": "resources = []"}, "need the name of the lab"),
        ({"toml": "[lbas.x]"}, "there is no setting 'lbas'; did you mean labs"),
    ],
)
def test_a_file_that_cannot_be_understood_refuses_every_lab(folder, files, message):
    with pytest.raises(LabDataError, match=message):
        store(folder, **files).load(["demo"])


def test_an_unknown_lab_names_the_nearest_and_the_known(folder):
    with pytest.raises(
        NoContextError, match=r"there is no lab 'deom'; did you mean demo.* known: demo, other, spare"
    ) as caught:
        store(folder, toml=TOML).load(["deom"])
    assert caught.value.exit_code == 3
    assert caught.value.details["known"] == ["demo", "other", "spare"]


def test_no_lab_data_says_where_it_was_looked_for(folder):
    with pytest.raises(NoContextError, match=f"no lab.toml and no hosts.json in {folder}"):
        store(folder).load(["demo"])
    with pytest.raises(NoContextError, match="no lab is named"):
        store(folder).load([])


class TestWhereLabDataComesFrom:
    def settings(self, root: Path, text: str):
        (root / ".bespeak").mkdir(parents=True)
        (root / ".bespeak" / "settings.toml").write_text(text)
        return load_settings(str(root), {"HOME": str(root)})

    def test_the_settings_name_directories_and_files(self, tmp_path):
        settings = self.settings(tmp_path, '[labs]\nsearch = ["a", "b/own.toml"]')
        for name in ("a/lab.toml", "b/own.toml"):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_text(f'name = "{Path(name).stem}"')
        assert open_labs(settings).names() == ["lab", "own"]

    def test_without_a_word_the_root_and_the_settings_folder(self, tmp_path):
        settings = self.settings(tmp_path, "")
        (tmp_path / ".bespeak" / "lab.toml").write_text('name = "inside"')
        (tmp_path / "hosts.json").write_text('[{"id": "h", "labs": ["outside"]}]')
        assert open_labs(settings).names() == ["inside", "outside"]

    def test_without_settings_the_working_directory(self, tmp_path):
        (tmp_path / "lab.toml").write_text('name = "here"')
        settings = load_settings(str(tmp_path), {"HOME": str(tmp_path)})
        assert open_labs(settings, str(tmp_path)).names() == ["here"]

    def test_a_missing_file_refuses_and_a_missing_directory_is_only_told(self, tmp_path):
        settings = self.settings(tmp_path, 'labs = ["none", "."]')
        (tmp_path / "lab.toml").write_text('name = "x"')
        labs = open_labs(settings)
        assert "which does not exist" in labs.problems[0].text
        assert labs.load(["x"]).name == "x"
        with pytest.raises(LabDataError, match="there is no such file"):
            LabStore([str(tmp_path), str(tmp_path / "gone.toml")]).load(["x"])

    def test_another_source_of_labs_is_refused(self, tmp_path):
        with pytest.raises(SettingsError, match=r"\[lab\] backend 'sql' is not known here; known: json"):
            open_labs(self.settings(tmp_path, '[lab]\nbackend = "sql"'))


def test_lab_names_come_from_the_option_else_from_the_environment():
    env = {"BESPEAK_LAB": "c,,c"}
    assert lab_names(["a, b", "b"], env) == ["a", "b"]
    assert lab_names([], env) == ["c"]
    assert lab_names([], {}) == []
