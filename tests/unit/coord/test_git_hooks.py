"""The guard: real commits and pushes, warned of and refused, beside hooks that were there before."""

import json
import os
import subprocess
import sys

import pytest

from bespeak.cli.main import main
from support.repositories import git


def attempt(folder, *words, run_id="me", **env):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", *who, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"BESPEAK_RUN_ID": run_id} | env,
    )


def commit(folder, name, text="y = 2\n", **options):
    (folder / name).write_text(text)
    git(folder, "add", name)
    return attempt(folder, "commit", "-m", "change", **options)


@pytest.fixture
def history(repo):
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    return repo


def test_a_warning_lets_the_commit_pass(run, history):
    installed = run("guard", "install")
    assert installed.code == 0
    assert "The guard warns" in installed.out
    run("reserve", "src/", "--run-id", "other")
    done = commit(history, "src/a.py")
    assert done.returncode == 0
    assert "already reserved by run-id 'other'" in done.stderr
    assert "This commit touches what another run has claimed" in done.stderr


def test_a_refused_commit_is_not_made_and_a_free_one_is(run, history):
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    head = git(history, "rev-parse", "HEAD")
    done = commit(history, "src/a.py")
    assert (done.returncode, git(history, "rev-parse", "HEAD")) == (1, head)
    assert "Wait until it is released" in done.stderr
    assert attempt(history, "commit", "-m", "x", run_id="other").returncode == 0
    assert commit(history, "src/b.py").returncode == 0
    assert commit(history, "src/a.py", "z = 1\n", run_id="me").returncode == 1
    run("release", "--mine", "--run-id", "other")
    assert attempt(history, "commit", "-m", "x").returncode == 0


def test_deleting_and_renaming_touch_the_old_file(run, history):
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    git(history, "mv", "src/a.py", "src/moved.py")
    assert attempt(history, "commit", "-m", "x").returncode == 1


def test_parts_of_one_file_are_shared_out(run, history):
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py::f", "--run-id", "other")
    assert commit(history, "src/a.py").returncode == 1
    run("reserve", "src/a.py::g", "--run-id", "me")
    assert attempt(history, "commit", "-m", "x").returncode == 0
    run("reserve", "src/a.py::g.inner", "--run-id", "third")
    assert commit(history, "src/a.py", "z = 3\n").returncode == 1


@pytest.mark.parametrize("name", ["src/[id].tsx", "src/{a,b}*", "src/a::b.py", "src/\udcff.py", "src/a\nb", "src/ ü"])
def test_any_name_that_git_knows_is_guarded_and_means_only_itself(run, repo, name):
    with open(os.path.join(os.fsencode(repo), os.fsencode(name)), "w", encoding="utf-8") as file:
        file.write("x")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    run("guard", "install", "--refuse")
    git(repo, "rm", "-q", "--", name)
    run("reserve", "src/i.tsx", "src/a", "src/a.py", "src/b1", "--run-id", "other")
    run("reserve", "src/", "--run-id", "third")
    done = attempt(repo, "commit", "-m", "x")
    assert (done.returncode, done.stderr.count("already reserved")) == (1, 1)
    run("release", "--mine", "--run-id", "third")
    assert attempt(repo, "commit", "-m", "x").returncode == 0


def test_the_first_commit_of_all_is_guarded(run, repo):
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    git(repo, "add", ".")
    assert attempt(repo, "commit", "-m", "x").returncode == 1
    assert attempt(repo, "commit", "-m", "x", run_id="other").returncode == 0


def test_a_merge_touches_what_it_changed_itself(run, history, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    git(history, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(history, "checkout", "-qb", "side")
    commit(history, "src/b.py")
    git(history, "checkout", "-q", "main")
    commit(history, "src/a.py")
    git(history, "push", "-q", "origin", "main", "side")
    git(history, "checkout", "-q", "side")
    git(history, "merge", "-q", "--no-edit", "main")
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    assert attempt(history, "push", "-q", "origin", "side").returncode == 0
    git(history, "checkout", "-qb", "evil", "side~1")
    git(history, "merge", "-q", "--no-commit", "main")
    (history / "src/a.py").write_text("changed = in_the_merge\n")
    git(history, "add", ".")
    git(history, "commit", "-q", "--no-verify", "-m", "merge")
    assert attempt(history, "push", "-q", "origin", "evil").returncode == 1


def test_a_merge_and_a_patch_are_asked_about_and_what_git_has_no_hook_for_is_not(run, history):
    git(history, "checkout", "-q", "-b", "side")
    assert commit(history, "src/a.py").returncode == 0
    git(history, "format-patch", "-q", "-1", "-o", "..")
    git(history, "checkout", "-q", "main")
    assert commit(history, "src/b.py").returncode == 0
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    merged = attempt(history, "merge", "-q", "--no-edit", "side")
    assert merged.returncode == 1
    assert "This commit touches what another run has claimed" in merged.stderr
    git(history, "reset", "-q", "--hard")
    patch = next(history.parent.glob("*.patch"))
    assert attempt(history, "am", "-q", str(patch)).returncode == 1
    git(history, "am", "--abort")
    assert attempt(history, "cherry-pick", "side").returncode == 0


def test_whoever_gives_no_run_id_is_told_how_where_such_a_claim_is_in_the_way(run, history, monkeypatch):
    run("reserve", "src/a.py", "--run-id", "session-1-2-3")
    run("reserve", "src/b.py", "--run-id", "other")
    monkeypatch.delenv("BESPEAK_RUN_ID", raising=False)
    told = "set BESPEAK_RUN_ID in its environment before it claims anything."
    answers = [run("check", "src/a.py"), run("reserve", "src/a.py", "--on-conflict", "fail")]
    assert [(answer.code, told in answer.err) for answer in answers] == [(7, True), (7, True)]
    for answer in (run("check", "src/b.py"), run("check", "src/a.py", "--run-id", "me")):
        assert (answer.code, told in answer.err) == (7, False)


def test_the_guard_holds_in_every_work_tree(run, history, tmp_path):
    git(history, "worktree", "add", "-q", str(tmp_path / "wt"), "-b", "side")
    run("guard", "install", "--refuse")
    run("reserve", "src/a.py", "--run-id", "other")
    assert commit(tmp_path / "wt", "src/a.py").returncode == 1
    git(tmp_path / "wt", "reset", "-q", "--hard")
    assert commit(tmp_path / "wt", "src/b.py").returncode == 0


def test_hooks_that_were_there_run_first_and_come_back(run, history):
    hook = history / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho the old hook >&2\ntest ! -e forbidden\n")
    hook.chmod(0o755)
    run("guard", "install", "--refuse")
    run("guard", "install", "--refuse")
    assert "the old hook" in commit(history, "src/b.py").stderr
    assert commit(history, "forbidden").returncode == 1
    (history / "forbidden").unlink()
    assert run("guard", "remove").out.startswith("Removed 4 hook(s)")
    assert hook.read_text().startswith("#!/bin/sh\necho the old hook")
    assert not (history / ".git" / "hooks" / "pre-push").exists()
    assert run("guard", "remove").out.startswith("Removed 0")


def test_a_push_is_refused_for_the_commits_it_would_bring(run, history, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    git(history, "remote", "add", "origin", str(tmp_path / "origin.git"))
    old = history / ".git" / "hooks" / "pre-push"
    old.parent.mkdir(exist_ok=True)
    old.write_text("#!/bin/sh\ncat > seen\n")
    old.chmod(0o755)
    assert attempt(history, "push", "-q", "origin", "main").returncode == 0
    run("guard", "install", "--refuse")
    assert commit(history, "src/a.py").returncode == 0
    run("reserve", "src/a.py", "--run-id", "other")
    done = attempt(history, "push", "-q", "origin", "main")
    assert done.returncode == 1
    assert "This push touches" in done.stderr
    assert (history / "seen").read_text().startswith("refs/heads/main ")
    assert attempt(history, "push", "-q", "origin", "main:copy").returncode == 1
    run("release", "--mine", "--run-id", "other")
    assert attempt(history, "push", "-q", "origin", "main").returncode == 0
    run("reserve", "src/a.py", "--run-id", "other")
    assert attempt(history, "push", "-q", "origin", "main:copy").returncode == 0  # brings no commit
    assert attempt(history, "push", "-q", "origin", ":copy").returncode == 0


def test_hooks_shared_with_other_repositories_are_left_alone(run, history, tmp_path):
    git(history, "config", "core.hooksPath", str(tmp_path / "hooks"))
    answer = run("guard", "install")
    assert (answer.code, "not this clone's own" in answer.err) == (1, True)
    git(history, "config", "core.hooksPath", ".githooks")
    assert run("guard", "install").code == 0
    assert (history / ".githooks" / "pre-commit").exists()


@pytest.mark.parametrize("folder", [".githooks", ".husky"])
def test_hooks_that_are_committed_name_nothing_of_this_machine(run, history, tmp_path, monkeypatch, folder):
    git(history, "config", "core.hooksPath", folder)
    assert run("guard", "install", "--refuse").code == 0
    texts = [(history / folder / name).read_text() for name in ("pre-commit", "pre-push")]
    assert not [text for text in texts if sys.executable in text or str(tmp_path) in text]
    program = tmp_path / "bin"
    program.mkdir()
    (program / "bespeak").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m bespeak "$@"\n')
    (program / "bespeak").chmod(0o755)
    run("reserve", "src/a.py", "--run-id", "other")
    monkeypatch.setenv("PATH", f"{program}:/usr/bin:/bin")
    assert "Wait until it is released" in commit(history, "src/a.py").stderr
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "bespeak is not there" in commit(history, "src/a.py").stderr


def test_no_path_of_a_book_gets_into_hooks_that_are_committed(history, capsys, tmp_path):
    git(history, "config", "core.hooksPath", ".githooks")
    assert main(["--ledger", str(tmp_path / "book"), "coord", "guard", "install"]) == 1
    assert "a path of this machine" in capsys.readouterr().err
    assert not (history / ".githooks").exists()
    assert main(["--ledger", "postgresql://db/x", "coord", "guard", "install"]) == 0


def test_no_hook_is_lost_when_two_were_there_before(run, history):
    hooks = history / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "pre-commit.before-bespeak"):
        (hooks / name).write_text(f"#!/bin/sh\n# {name}\n")
    answer = run("guard", "install")
    assert (answer.code, "both exist; move one away" in answer.err) == (1, True)
    assert (hooks / "pre-commit").read_text() == "#!/bin/sh\n# pre-commit\n"
    assert (hooks / "pre-commit.before-bespeak").read_text() == "#!/bin/sh\n# pre-commit.before-bespeak\n"


@pytest.mark.parametrize(("refuse", "code"), [(False, 0), (True, 1)])
def test_a_guard_without_its_program_fails_as_it_was_told(history, refuse, code):
    from bespeak.coord.git_hooks import install
    from bespeak.git.repository import find

    install(find(str(history), {}), ["/nowhere/python", "-m", "bespeak"], refuse=refuse)
    done = commit(history, "src/b.py")
    assert (done.returncode, "bespeak is not there" in done.stderr) == (code, True)


def edit(document, *words, cwd=None):
    command = [sys.executable, "-m", "bespeak", "coord", "guard", "edit", *words]
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return subprocess.run(command, input=text, capture_output=True, check=False, cwd=cwd)


def test_the_configuration_is_printed_and_its_command_works(run, repo, tmp_path, monkeypatch):
    program = tmp_path / "bin"
    program.mkdir()
    (program / "bespeak").write_text("#!/bin/sh\n")
    (program / "bespeak").chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{program}:{os.environ['PATH']}")
        assert f'"command": "{program}/bespeak coord guard edit"' in run("guard", "install").out
        assert f'"command": "{program}/bespeak coord guard changed --refuse"' in run("guard", "install", "--refuse").out
        patched.setenv("PATH", "../bin:/usr/bin:/bin")
        assert f'"command": "{program}/bespeak coord guard edit"' in run("guard", "install").out
        patched.setenv("PATH", "/usr/bin:/bin")
        assert f'"command": "{sys.executable} -P -m bespeak coord guard edit"' in run("guard", "install").out
    call = {"tool_name": "Edit", "tool_input": {"file_path": str(repo / "src/a.py"), "new_string": '"file_path": "x"'}}
    assert edit(call).returncode == 0
    run("reserve", "src/a.py", "--run-id", "other")
    warned = edit(call)
    assert warned.returncode == 0
    assert "already reserved by run-id 'other'" in json.loads(warned.stdout)["systemMessage"]
    refused = edit(call, "--refuse")
    assert (refused.returncode, b"already reserved" in refused.stderr) == (2, True)
    assert edit(call, "--refuse", "--run-id", "other").returncode == 0
    assert edit({"tool_input": {"file_path": "/etc/passwd"}}, "--refuse").returncode == 0


def test_an_edit_is_looked_up_where_the_file_is(run, repo, tmp_path):
    (repo / "src/[id].tsx").write_text("")
    run("reserve", "src/a.py", "src/[id].tsx", "--run-id", "other")
    for cwd, name in ((tmp_path, "repo/src/a.py"), (repo / "src", "a.py"), (tmp_path, str(repo / "src/[id].tsx"))):
        assert edit({"file_path": name}, "--refuse", cwd=cwd).returncode == 2
    for name in ("repo/src/i.tsx", "new.py", "repo"):
        assert edit({"file_path": name}, "--refuse", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("run_id", ["x" * 300, "other"])
def test_a_question_that_has_no_answer_is_no_permission(run, repo, run_id, monkeypatch):
    run("reserve", "src/a.py", "--run-id", "other")
    if run_id == "other":
        (repo / ".git" / "bespeak" / "coord.sqlite3").write_text("no database, " * 99)
    monkeypatch.setenv("BESPEAK_RUN_ID", run_id)
    refused = edit({"file_path": "src/a.py"}, "--refuse")
    assert (refused.returncode, b"Nobody can say" in refused.stderr) == (2, True)
    assert edit({"file_path": "src/a.py"}).returncode not in {0, 2}


def test_the_book_named_at_the_installation_is_the_one_that_is_asked(repo, history, capsys, monkeypatch):
    monkeypatch.chdir(repo / "src")
    book = str(repo / "a 'b\".db")
    assert main(["--ledger", "../a 'b\".db", "coord", "guard", "install", "--refuse"]) == 0
    settings = capsys.readouterr().out
    settings = json.loads(settings[settings.index("{") : settings.rindex("}") + 1])
    ((hook,),) = [group["hooks"] for group in settings["hooks"]["PreToolUse"]]
    ((after,),) = [group["hooks"] for group in settings["hooks"]["PostToolUse"]]
    assert main(["--ledger", book, "coord", "reserve", ":/src/a.py", "--run-id", "other"]) == 0
    assert commit(repo, "src/a.py").returncode == 1
    call = json.dumps({"file_path": str(repo / "src/a.py")})
    for command, said in ((hook, call), (after, json.dumps({"cwd": str(repo)}))):
        asked = subprocess.run(
            command["command"], shell=True, input=said, text=True, capture_output=True, check=False, cwd="/"
        )
        assert (asked.returncode, "already reserved" in asked.stderr) == (2, True)


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@db/x", "postgresql://u@db/x?password=hunter2"])
def test_no_password_gets_into_a_hook(history, capsys, url):
    assert main(["--ledger", url, "coord", "guard", "install"]) == 1
    answer = capsys.readouterr()
    assert "--ledger has a password in it" in answer.err
    assert "hunter2" not in answer.err + answer.out
    assert not (history / ".git" / "hooks" / "pre-commit").exists()
