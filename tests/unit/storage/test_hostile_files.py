"""Whatever somebody laid beside a book: nothing of it is followed, overwritten, shortened, removed or waited for."""

import os
import select
import socket
import stat
import subprocess
import sys

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.storage import wakeups
from bespeak.storage.sqlite_files import check
from support.storage_jobs import open_things

SECRET = b"export PATH=/usr/bin\n"
LONG = 20.0
"""Seconds within which a wake-up that comes at all has come."""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "books").mkdir()
    return str(tmp_path / "books" / "book.db")


@pytest.fixture
def victim(tmp_path):
    """Another file of the user's: the test ends with a look at it."""
    file = tmp_path / "profile"
    file.write_bytes(SECRET)
    yield file
    assert file.read_bytes() == SECRET
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def commit(engine, name="a"):
    engine.transact([], lambda tx: (tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}), tx.notify("a")))


def topic_folder(path, topic="a"):
    """Make the folder of a topic as a sleeper does, and return it."""
    root = path + ".wake"
    wakeups.FifoListener(root, [topic]).close()
    folder = os.path.join(root, wakeups._folder_name(topic))
    os.mkdir(folder, 0o700)
    return folder


def listens(path, topic="a"):
    engine = open_things(path)
    try:
        engine.listen([topic])
    finally:
        engine.close()


class TestWakeUps:
    @pytest.mark.parametrize("how", ["link", "hard link", "copy"])
    def test_only_a_fifo_is_written_to(self, path, victim, how):
        folder = topic_folder(path)
        planted = os.path.join(folder, "x")
        if how == "link":
            os.symlink(victim, planted)
        elif how == "hard link":
            os.link(victim, planted)
        else:
            with open(planted, "wb") as file:
                file.write(SECRET)
        engine = open_things(path)
        commit(engine)
        engine.close()
        with open(planted, "rb") as file:
            assert file.read() == SECRET

    def test_a_link_to_a_fifo_is_not_followed(self, tmp_path, path):
        os.mkfifo(tmp_path / "other", 0o600)
        reader = os.open(tmp_path / "other", os.O_RDONLY | os.O_NONBLOCK)
        os.symlink(tmp_path / "other", os.path.join(topic_folder(path), "x"))
        assert not self._hears(path, reader)

    def test_a_fifo_linked_in_from_elsewhere_is_not_written_to(self, tmp_path, path):
        os.mkfifo(tmp_path / "other", 0o600)
        reader = os.open(tmp_path / "other", os.O_RDONLY | os.O_NONBLOCK)
        os.link(tmp_path / "other", os.path.join(topic_folder(path), "x"))
        assert not self._hears(path, reader)

    @pytest.mark.parametrize(("owner", "mode", "heard"), [(4242, 0o600, False), (0, 0o602, False), (0, 0o600, True)])
    def test_a_fifo_of_somebody_else_is_not_written_to(self, path, owner, mode, heard):
        if owner and os.geteuid() != 0:
            pytest.fail("this test needs to give a file away: run it as root")
        planted = os.path.join(topic_folder(path), "x")
        os.mkfifo(planted)
        os.chmod(planted, mode)
        if owner:
            os.chown(planted, owner, owner)
        reader = os.open(planted, os.O_RDONLY | os.O_NONBLOCK)
        assert self._hears(path, reader) is heard
        assert os.path.lexists(planted)

    def test_a_group_that_shares_the_folder_wakes_its_members(self, path):
        folder = os.path.dirname(path)
        os.chown(folder, -1, 4242)
        os.chmod(folder, 0o2770)
        engine = open_things(path)
        sleeper = engine.listen(["a"])
        (topic,) = os.listdir(path + ".wake")
        (name,) = os.listdir(os.path.join(path + ".wake", topic))
        os.chown(os.path.join(path + ".wake", topic, name), 4711, 4242)
        commit(engine)
        assert sleeper.wait(LONG)
        sleeper.close()
        engine.close()

    @staticmethod
    def _hears(path, reader):
        engine = open_things(path)
        commit(engine)
        engine.close()
        try:
            return os.read(reader, 10) == b"!"
        except BlockingIOError:
            return False
        finally:
            os.close(reader)

    @pytest.mark.parametrize("what", ["socket", "file", "folder"])
    def test_nothing_but_a_dead_sleepers_fifo_is_removed(self, path, what):
        folder = topic_folder(path)
        planted, dead = os.path.join(folder, "x"), os.path.join(folder, "dead")
        if what == "socket":
            here = os.open(folder, os.O_RDONLY)
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind(f"/proc/self/fd/{here}/x")
            os.close(here)
        elif what == "file":
            open(planted, "w").close()
        else:
            os.mkdir(planted)
        os.mkfifo(dead, 0o600)
        engine = open_things(path)
        commit(engine)
        engine.close()
        assert os.listdir(folder) == ["x"]

    @pytest.mark.parametrize("level", ["root", "topic"])
    def test_a_link_in_place_of_a_folder(self, tmp_path, path, level):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        os.mkfifo(elsewhere / "x", 0o600)
        reader = os.open(elsewhere / "x", os.O_RDONLY | os.O_NONBLOCK)
        if level == "root":
            os.symlink(elsewhere, path + ".wake")
        else:
            os.rmdir(topic_folder(path))
            os.symlink(elsewhere, os.path.join(path + ".wake", wakeups._folder_name("a")))
        with pytest.raises(UnavailableError, match="a file or a link in the place of a folder for wake-ups"):
            listens(path)
        assert not self._hears(path, reader)
        assert os.listdir(elsewhere) == ["x"]

    @pytest.mark.parametrize(("owner", "mode"), [(4242, 0o700), (0, 0o777)])
    def test_a_folder_that_is_not_the_books_own(self, path, owner, mode):
        os.mkdir(path + ".wake")
        os.chmod(path + ".wake", mode)
        os.chown(path + ".wake", owner, owner)
        with pytest.raises(UnavailableError, match="belongs to somebody else, or anybody may write to it"):
            listens(path)
        assert os.listdir(path + ".wake") == []

    def test_a_full_fifo_stops_nobody(self, path):
        engine = open_things(path)
        sleeper = engine.listen(["a"])
        _, _, descriptor = sleeper._fifos[0]
        with pytest.raises(BlockingIOError):
            all(os.write(descriptor, b"!" * 4096) for _ in range(1 << 20))
        commit(engine)
        assert sleeper.wait(LONG)
        assert not sleeper.wait(0)
        sleeper.close()
        engine.close()

    def test_a_closed_sleeper_removes_only_its_own(self, path, victim):
        engine = open_things(path)
        sleeper = engine.listen(["a"])
        topic, name, _ = sleeper._fifos[0]
        place = os.path.join(path + ".wake", topic, name)
        os.unlink(place)
        os.symlink(victim, place)
        sleeper.close()
        engine.close()
        assert os.path.islink(place)

    def test_reading_leaves_nothing_behind(self, path):
        open_things(path).close()
        engine = open_things(path)
        engine.read(lambda tx: tx.fetch_all("SELECT * FROM things"))
        engine.close()
        assert os.listdir(os.path.dirname(path)) == ["book.db"]

    def test_without_epoll_a_commit_still_wakes(self, path):
        script = (
            "import select, sys\n"
            "del select.epoll\n"
            "from support.storage_jobs import open_things\n"
            "engine = open_things(sys.argv[1])\n"
            "sleeper = engine.listen(['a', 'b'])\n"
            "assert not sleeper.wait(0)\n"
            "engine.transact([], lambda tx: tx.notify('b'))\n"
            "print(sleeper.wait(20), sleeper.wait(0))\n"
            "sleeper.close()\n"
        )
        tests = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        done = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=False, timeout=120,
            env=os.environ | {"PYTHONPATH": tests},
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("True False\n", "")


class TestDatabase:
    @pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
    @pytest.mark.parametrize("how", ["link", "hard link", "pipe", "folder"])
    def test_what_lies_beside_it_is_not_taken_for_sqlites_own(self, path, victim, suffix, how):
        open_things(path).close()
        planted = path + suffix
        if how == "link":
            os.symlink(victim, planted)
        elif how == "hard link":
            os.link(victim, planted)
        elif how == "pipe":
            os.mkfifo(planted)
        else:
            os.mkdir(planted)
        why = "has a second name elsewhere" if how == "hard link" else "is not a regular file"
        with pytest.raises(UnavailableError, match=f"{suffix} {why}"):
            open_things(path)
        assert os.path.lexists(planted)

    def test_a_link_to_nothing_makes_no_book_elsewhere(self, tmp_path, path):
        os.symlink(tmp_path / "rc", path)
        with pytest.raises(UnavailableError, match="which does not exist; make the book there first"):
            open_things(path)
        assert not (tmp_path / "rc").exists()

    @pytest.mark.parametrize("make", [os.symlink, os.link])
    def test_an_empty_file_elsewhere_becomes_no_book(self, tmp_path, path, make):
        (tmp_path / "hushlogin").touch()
        make(tmp_path / "hushlogin", path)
        with pytest.raises(UnavailableError, match="empty"):
            open_things(path)
        assert (tmp_path / "hushlogin").stat().st_size == 0

    def test_a_link_to_a_book_is_that_book(self, tmp_path, path):
        engine = open_things(str(tmp_path / "real.db"))
        commit(engine)
        os.symlink(tmp_path / "real.db", path)
        other = open_things(path)
        assert other.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things")) == (1,)
        other.close()
        engine.close()

    @pytest.mark.parametrize("what", ["pipe", "socket", "device"])
    def test_what_is_no_file_is_told_at_once(self, path, what, monkeypatch):
        if what == "pipe":
            os.mkfifo(path, 0o400)
        elif what == "socket":
            monkeypatch.chdir(os.path.dirname(path))
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind("book.db")
        else:
            os.symlink("/dev/zero", path)
        with pytest.raises(UnavailableError) as caught:
            open_things(path)
        assert str(caught.value) == f"book {path}: not a regular file"

    def test_nothing_there_is_nothing_wrong(self, path):
        assert not check(path)
        open_things(path).close()
        assert check(path)


def test_the_descriptor_of_a_sleeper_tells_every_wake_up(path):
    engine = open_things(path)
    sleeper = engine.listen(["a"])
    outer = select.epoll()
    outer.register(sleeper.fileno(), select.EPOLLIN)
    for number in range(5):
        commit(engine, str(number))
        assert outer.poll(LONG)
        assert sleeper.wait(0)
        assert not outer.poll(0)
    outer.close()
    sleeper.close()
    engine.close()
