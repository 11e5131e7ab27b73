"""Real git repositories for tests."""

import subprocess


def git(folder, *words, **options):
    """Run git in a folder, as somebody; return what it printed."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
