"""The files of labgrid and call-dibs, read and written by those programs themselves."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bespeak.base import yaml_text
from bespeak.ledger.inventory.files import read, write
from bespeak.operations import exchange

SAVE_AND_LOAD = """
import sys
from labgrid.remote.common import Place, ResourceMatch
from labgrid.util import yaml

def loaded(text):
    # what the coordinator does when it starts
    places = yaml.load(text)
    for name, config in places.items():
        for key in ("acquired", "acquired_resources", "allowed", "reservation"):
            config.pop(key, None)
        config["name"] = name
        config["matches"] = [ResourceMatch(**match) for match in config["matches"]]
        places[name] = Place(**config)
    return {name: place.asdict() for name, place in places.items()}

sys.stdout.write(yaml.dump(loaded(sys.stdin.read())))
"""
TAGGED = """
b1: {aliases: [x], comment: "left\\nhigh", tags: {board: imx6, n: '1'}, created: 1.5, changed: 2.5, matches: [
  {exporter: '*', group: g, cls: USB, name: null, rename: null}, {exporter: e, group: g, cls: N, name: n, rename: r}]}
"b 2": {aliases: [], comment: '', tags: {}, created: 3.0, changed: 4.0, matches: []}
"""
OURS = b"""
[resources.b1]
labels = {arch = "arm64", ram = 8, usb3 = true}
owner = "bring-up"
seats = ["left", "right"]
[resources.b2]
description = "a spare"
"""


@pytest.fixture(scope="module")
def labgrid(peer):
    return peer("labgrid", ["labgrid>=26,<27"])


def through_labgrid(labgrid, text):
    return subprocess.run(
        [labgrid.python, "-c", SAVE_AND_LOAD], input=text, capture_output=True, text=True, check=True
    ).stdout


def test_what_labgrid_writes_comes_back_to_labgrid(labgrid):
    theirs = through_labgrid(labgrid, TAGGED)
    back = through_labgrid(labgrid, write(read("places.yaml", theirs.encode(), "labgrid").values(), "labgrid"))
    assert yaml_text.read(back) == yaml_text.read(theirs)


def test_what_we_write_comes_back_through_labgrid(labgrid):
    ours = read("inventory.toml", OURS, "toml")
    theirs = yaml_text.read(through_labgrid(labgrid, write(ours.values(), "labgrid")))
    for place in theirs.values():  # labgrid sets them where the file says nothing
        del place["created"], place["changed"]
    assert read("places.yaml", yaml_text.write(theirs).encode(), "labgrid") == ours


def test_call_dibs_reads_our_resources_and_we_read_its_claims(peer, tmp_path):
    dibs = peer("call-dibs", ["call-dibs==0.4.0"]).program("dibs")
    inventory = read("inventory.toml", b"[resources.gpu]\n[resources.phone]\ndescription = 'on the bench'\n", "toml")
    (tmp_path / "resources.json").write_text(write(inventory.values(), "dibs"))
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), "DIBS_DIR": str(tmp_path), "DIBS_OWNER": "alice"}

    def run(*words):
        return subprocess.run([dibs, *words], env=environ, capture_output=True, text=True, check=True).stdout

    run("claim", "gpu", "phone", "--note", "train")
    claimed = run("status", "--json")
    assert {row["resource"]: row["description"] for row in json.loads(claimed)} == {"gpu": "", "phone": "on the bench"}
    (held,) = exchange.load("dibs", claimed)
    assert (held.holder, held.resources, held.purpose) == ("alice", ("gpu", "phone"), "train")
