"""Repositories of somebody else that name programs: each kind of trap alone, as small as it can be.

A trap is a function that prepares a repository, and the plain git command that walks into it: a trap that is not
sprung by git itself proves nothing.
"""

import os
import subprocess

from support.repositories import git

LONG = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(6))


class Trapped:
    """A repository with two branches that touch the same files; ``marker`` appears when one of its programs runs."""

    def __init__(self, folder):
        self.root = folder / "theirs"
        self.marker = folder / "it-ran"
        self.program = folder / "program"
        self.program.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.marker}\ncat 2>/dev/null </dev/null\nexit 1\n')
        self.program.chmod(0o755)
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.commit({"a.py": LONG, "b.py": "from a import f1\n\n\ndef g():\n    return f1()\n", "c.txt": "1\n2\n3\n"})
        self.git("branch", "feature")
        self.commit({"a.py": LONG.replace("return 1", "return 10"), "c.txt": "1\nours\n3\n"})
        self.git("checkout", "-q", "feature")
        self.commit({"a.py": LONG.replace("return 1", "return 11"), "c.txt": "1\ntheirs\n3\n"})
        self.git("checkout", "-q", "main")

    def git(self, *words):
        return git(self.root, *words)

    def config(self, name, text=None):
        self.git("config", "--add", name, str(self.program) if text is None else text)

    def commit(self, files):
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def attributes(self, text):
        (self.root / ".git" / "info").mkdir(exist_ok=True)
        (self.root / ".git" / "info" / "attributes").write_text(text)

    def plain(self, *words):
        """Run git as somebody would who trusts the repository; whatever comes of it."""
        env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        asked = b"protocol=https\nhost=nobody.invalid\n\n"  # for what reads a question
        subprocess.run(
            ["git", *words], cwd=self.root, env=env, input=asked, capture_output=True, check=False, timeout=60
        )

    def sprung(self):
        """Tell whether a program ran since this was last asked."""
        ran = self.marker.exists()
        if ran:
            self.marker.unlink()
        return ran

    def changed(self):
        """Change a file of the work tree so that only its content tells: the index is as old as the file."""
        path, index = self.root / "a.py", self.root / ".git" / "index"
        path.write_text(LONG.replace("return 1", "return 20"))
        seconds = index.stat().st_mtime
        os.utime(path, (seconds, seconds))

    def lacks(self, name):
        """Take the objects of a revision away, as a clone does that fetches them when they are needed."""
        wanted = self.git("rev-parse", name)
        path = self.root / ".git" / "objects" / wanted[:2] / wanted[2:]
        path.unlink()
        self.config("core.repositoryformatversion", "1")
        self.config("extensions.partialClone", "origin")
        self.config("remote.origin.promisor", "true")
        self.config("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")


def fsmonitor(repo):
    repo.config("core.fsmonitor")
    return ("status",)


def hooks(repo):
    folder = repo.root / ".git" / "hooks"
    for name in ("post-index-change", "reference-transaction", "pre-merge-commit", "fsmonitor-watchman"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(repo.program)
    return ("update-ref", "refs/heads/another", "HEAD")


def hooks_path(repo):
    folder = repo.root / "hooks-of-theirs"
    folder.mkdir()
    for name in ("post-index-change", "reference-transaction"):
        (folder / name).symlink_to(repo.program)
    repo.config("core.hooksPath", str(folder))
    return ("update-ref", "refs/heads/another", "HEAD")


def merge_driver(repo):
    repo.attributes("* merge=of-any-name\n")
    repo.config("merge.of-any-name.driver", f"{repo.program} %A")
    return ("merge-tree", "--write-tree", "main", "feature")


def default_merge_driver(repo):
    repo.config("merge.default", "theirs")
    repo.config("merge.theirs.driver", f"{repo.program} %A")
    return ("merge-tree", "--write-tree", "main", "feature")


def clean_filter(repo):
    repo.attributes("* filter=of-any-name\n")
    repo.config("filter.of-any-name.clean")
    repo.changed()
    return ("diff-files", "-p")


def process_filter(repo):
    repo.attributes("* filter=of-any-name\n")
    repo.config("filter.of-any-name.process")
    repo.config("filter.of-any-name.required", "true")
    repo.changed()
    return ("diff-files", "-p")


def renormalize(repo):
    repo.attributes("* filter=of-any-name\n")
    repo.config("filter.of-any-name.clean")
    repo.config("filter.of-any-name.smudge")
    repo.config("merge.renormalize", "true")
    return ("merge-tree", "--write-tree", "main", "feature")


def text_converter(repo):
    repo.attributes("* diff=of-any-name\n")
    repo.config("diff.of-any-name.textconv")
    repo.changed()
    return ("diff",)


def external_diff(repo):
    repo.attributes("* diff=of-any-name\n")
    repo.config("diff.of-any-name.command")
    repo.config("diff.external")
    repo.changed()
    return ("diff",)


def uploadpack(repo):
    repo.config("remote.origin.url", str(repo.root))
    repo.config("remote.origin.uploadpack")
    repo.lacks("feature:a.py")
    return ("cat-file", "-p", "feature:a.py")


def uploadpack_for_a_commit(repo):
    repo.config("remote.origin.url", str(repo.root))
    repo.config("remote.origin.uploadpack")
    repo.config("protocol.allow", "always")
    repo.config("protocol.file.allow", "always")
    repo.lacks("feature")
    return ("cat-file", "-p", "feature^{tree}")


def remote_helper(repo):
    repo.config("remote.origin.url", f"ext::{repo.program} %S")
    repo.config("protocol.ext.allow", "always")
    repo.lacks("feature:a.py")
    return ("cat-file", "-p", "feature:a.py")


def ssh_command(repo):
    repo.config("remote.origin.url", "ssh://nobody.invalid/x")
    repo.config("core.sshCommand")
    repo.lacks("feature:a.py")
    return ("cat-file", "-p", "feature:a.py")


def git_proxy(repo):
    repo.config("remote.origin.url", "git://nobody.invalid/x")
    repo.config("core.gitProxy")
    repo.lacks("feature:a.py")
    return ("cat-file", "-p", "feature:a.py")


def signature_checker(repo):
    repo.config("log.showSignature", "true")
    repo.config("gpg.program")
    text = subprocess.check_output(["git", "cat-file", "commit", "main"], cwd=repo.root, text=True)
    head, _, message = text.partition("\n\n")
    signed = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n{message}"
    made = git(repo.root, "hash-object", "-t", "commit", "-w", "--stdin", input=signed)
    repo.git("update-ref", "refs/heads/main", made)
    return ("log", "-1")


def included(repo):
    (repo.root / "more").write_text(f"[core]\n\tfsmonitor = {repo.program}\n")
    repo.config("include.path", str(repo.root / "more"))
    return ("status",)


def settings_of_a_work_tree(repo):
    repo.config("core.repositoryformatversion", "1")
    repo.config("extensions.worktreeConfig", "true")
    (repo.root / ".git" / "config.worktree").write_text(f"[core]\n\tfsmonitor = {repo.program}\n")
    return ("status",)


def credential_helper(repo):
    repo.config("credential.helper", f"!{repo.program}")
    return ("credential", "reject")


def pager(repo):
    repo.config("core.pager")
    repo.config("pager.log", "true")
    return ("--paginate", "log")


def names_as_of_another_store(repo):
    other = repo.root.parent / "other.git"
    git(repo.root.parent, "init", "-q", "--bare", str(other))
    (repo.root / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/objects\n")
    repo.config("core.alternateRefsCommand")
    return ("rev-list", "--alternate-refs")


TRAPS = (
    fsmonitor,
    hooks,
    hooks_path,
    merge_driver,
    default_merge_driver,
    clean_filter,
    process_filter,
    renormalize,
    text_converter,
    external_diff,
    uploadpack,
    uploadpack_for_a_commit,
    remote_helper,
    ssh_command,
    git_proxy,
    signature_checker,
    included,
    settings_of_a_work_tree,
    credential_helper,
    pager,
    names_as_of_another_store,
)
BY_TERMINAL = {pager}
"""Sprung only where the output is a terminal, or by a command that reads from one."""
