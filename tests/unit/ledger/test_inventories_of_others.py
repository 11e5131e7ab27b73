"""The inventories of labgrid, Jenkins and call-dibs: what they say comes back to them, and what we say to us."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base import yaml_text
from bespeak.base.errors import UsageError
from bespeak.ledger.inventory.files import left_out, read, write
from bespeak.ledger.inventory.jenkins import declared

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
names = st.text(alphabet="ab01.-_ é", min_size=1, max_size=8).filter(lambda name: name.strip() == name)
words = st.text(alphabet="abAB01.-_:/", min_size=1, max_size=8)
plain = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S"), exclude_characters="/"), max_size=8)
matches = st.fixed_dictionaries(
    {
        **dict.fromkeys(("exporter", "group", "cls"), plain),
        **dict.fromkeys(("name", "rename"), st.one_of(st.none(), plain)),
    }
)
places = st.dictionaries(
    names,
    st.fixed_dictionaries(
        {
            "aliases": st.lists(words, max_size=3, unique=True).map(sorted),
            "comment": texts,
            "tags": st.dictionaries(words.filter(lambda key: key != "bespeak"), texts, max_size=4),
            "matches": st.lists(matches, max_size=3),
        },
        optional={"created": st.floats(1, 2e9), "changed": st.integers(1, 2 * 10**9)},
    ),
    max_size=3,
)
lockable = st.lists(
    st.fixed_dictionaries(
        {"name": names},
        optional={
            "description": texts.filter(bool),
            "labels": st.lists(words, min_size=1, max_size=4, unique=True).map(lambda found: " ".join(sorted(found))),
            "properties": st.lists(
                st.fixed_dictionaries({"name": words}, optional={"value": texts}), min_size=1, max_size=3
            ),
            "ephemeral": st.just(True),
        },
    ),
    max_size=3,
    unique_by=lambda one: one["name"],
)


@settings(max_examples=60, deadline=None)
@given(places)
def test_places_of_labgrid_come_back(said):
    back = yaml_text.read(write(read("places.yaml", yaml_text.write(said).encode(), "labgrid").values(), "labgrid"))
    assert back == said


@settings(max_examples=60, deadline=None)
@given(lockable)
def test_lockable_resources_of_jenkins_come_back(said):
    text = yaml_text.write({"unclassified": {"lockableResourcesManager": {"declaredResources": said}}})
    back = declared("", yaml_text.read(write(read("casc.yaml", text.encode(), "jenkins").values(), "jenkins")))
    assert sorted(back, key=lambda one: one["name"]) == sorted(said, key=lambda one: one["name"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, texts, max_size=4), st.data())
def test_resources_of_call_dibs_come_back(described, data):
    groups = st.dictionaries(
        names.filter(lambda name: name not in described),
        st.lists(st.sampled_from(sorted(described)), min_size=1, unique=True).map(sorted),
        max_size=2,
    )
    said = described | (data.draw(groups) if described else {})
    back = json.loads(write(read("resources.json", json.dumps(said).encode(), "dibs").values(), "dibs"))
    assert {key: sorted(value) if isinstance(value, list) else value for key, value in back.items()} == said


CASC = """
jenkins:
  systemMessage: hello
unclassified:
  lockableResourcesManager:
    declaredResources:
      - name: S7_1
        description: S7 PLC
        labels: "plc:S7 model:1200 spare"
        reservedBy: carol
        note: a soak test
      - name: S7_2
        properties:
          - {name: IP, value: 10.0.0.7}
"""
PLACES = """
board-1:
  acquired: dude/rcz
  acquired_resources: [[exp, grp, NetworkSerialPort, con]]
  aliases: [b1]
  allowed: []
  changed: 1575386386.3115733
  comment: on the left
  created: 1575376664.3120446
  matches:
  - {cls: NetworkSerialPort, exporter: '*', group: grp, name: con, rename: console}
  - {cls: '*', exporter: exp, group: grp, name: null, rename: null}
  reservation: null
  tags: {board: imx6-foo, rcz: '1'}
"""


def test_what_a_configuration_of_jenkins_says():
    found = read("casc.yaml", CASC.encode(), "jenkins")
    assert dict(found["S7_1"].properties.labels) == {"plc": "S7", "model": "1200", "spare": True}
    assert found["S7_1"].resource.description == "S7 PLC"
    assert found["S7_2"].properties.label("IP") == "10.0.0.7"
    part = yaml_text.write({"declaredResources": [{"name": "x", "labels": "a"}]})
    assert list(read("part.yaml", part.encode(), "jenkins")) == ["x"]


def test_what_places_of_labgrid_say():
    (found,) = read("places.yaml", PLACES.encode(), "labgrid").values()
    labels = dict(found.properties.labels)
    assert (labels["board"], labels["rcz"], labels["labgrid.aliases"]) == ("imx6-foo", "1", '["b1"]')
    assert json.loads(labels["labgrid.matches"]) == [["*/grp/NetworkSerialPort/con", "console"], "exp/grp/*"]
    synced = 'places: {b: {matches: ["*/b/*", {e/b/USB: x}], tags: {rank: 3}}, c: {}}'
    found = read("sync.yaml", synced.encode(), "labgrid")
    assert found["b"].properties.label("rank") == "3"
    assert json.loads(str(found["b"].properties.label("labgrid.matches"))) == ["*/b/*", ["e/b/USB", "x"]]


def test_who_edits_their_file_is_believed():
    ours = read("x.toml", b"[resources.b]\nlabels = {ram = 8, arch = 'arm64', gone = 1}\nowner = 'lab'\n", "toml")
    edited = yaml_text.read(write(ours.values(), "labgrid"))
    edited["b"]["tags"] |= {"ram": "16", "new": "1"}
    del edited["b"]["tags"]["gone"]
    (back,) = read("places.yaml", yaml_text.write(edited).encode(), "labgrid").values()
    assert (dict(back.properties.labels), back.properties.owner) == ({"arch": "arm64", "new": "1", "ram": "16"}, "lab")
    text = write(ours.values(), "jenkins").replace("ram:8", "ram:16")
    (back,) = read("casc.yaml", text.encode(), "jenkins").values()
    assert back.properties.label("ram") == "16"
    assert back.properties.label("gone") == 1


def test_what_call_dibs_has_no_place_for_is_told():
    ours = read("x.toml", b"[resources.b]\nlabels = {ram = 8}\ngroups = ['rigs']\n", "toml")
    assert left_out(ours.values(), "dibs") == {"b": ["labels"]}
    assert json.loads(write(ours.values(), "dibs")) == {"b": "", "rigs": ["b"]}
    assert left_out(ours.values(), "labgrid") == {}


@pytest.mark.parametrize(
    ("form", "text", "told"),
    [
        ("labgrid", "a: 1", "place 'a': must be a place with matches and tags, not 1"),
        ("labgrid", "[]", "must be a table of places"),
        ("labgrid", "a: {colour: red}", "there is no key 'colour'"),
        ("labgrid", "a: {matches: [x]}", "matches: must be exporter/group/class"),
        ("labgrid", "a: {tags: {x: 1}}", "tags: 'x': must be a text, not 1"),
        ("labgrid", "a: {tags: {labgrid.x: '1'}}", "tags: 'labgrid.x'"),
        ("labgrid", "a: {tags: {bespeak: '[]'}}", "bespeak: must be a JSON object"),
        ("labgrid", "a: {aliases: b}", "aliases: must be a list of texts"),
        ("labgrid", "a: [", "is not YAML: line "),
        ("labgrid", "a: {comment: 3}", "description: must be a text"),
        ("jenkins", "jenkins: {}", "unclassified.lockableResourcesManager.declaredResources: must be a list"),
        ("jenkins", "declaredResources: [{}]", "declaredResources 1: name: must be a text"),
        ("jenkins", "declaredResources: [{name: a, colour: red}]", "resource 'a': there is no key 'colour'"),
        ("jenkins", "declaredResources: [{name: a, labels: [b]}]", "labels: must be one text of words"),
        ("jenkins", "declaredResources: [{name: a, properties: [b]}]", "properties: each has a name and a value"),
        ("dibs", "[]", "must be names with descriptions"),
        ("dibs", '{"a": 1}', "must be a description, not 1"),
        ("dibs", '{"g": ["a"]}', "there is no resource 'a' here"),
    ],
)
def test_what_is_none_of_their_files(form, text, told):
    with pytest.raises(UsageError) as found:
        read("file", text.encode(), form)
    assert told in str(found.value)


@pytest.mark.parametrize("label", ["[1]", "no list", '["a/b"]', '[["a/b/c"]]'])
def test_a_label_of_theirs_that_was_changed_to_something_else(label):
    ours = read("x.json", json.dumps({"resources": {"b": {"labels": {"labgrid.matches": label}}}}).encode(), "json")
    with pytest.raises(UsageError, match=r"the label labgrid\.matches"):
        write(ours.values(), "labgrid")
