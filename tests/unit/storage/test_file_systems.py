"""Which file system a folder is on, by what the kernel says of the mounts."""

from bespeak.operations.file_systems import kind_of

MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
35 21 0:30 / /home rw shared:2 - nfs4 server:/home rw
36 35 0:31 / /home/alice/local rw shared:3 master:1 - xfs /dev/sdb rw
37 21 0:32 / /mnt/with\\040blank rw - cifs //server/share rw
38 21 0:33 / /homework rw - btrfs /dev/sdc rw
this line is none
"""


def test_the_nearest_mount_counts():
    assert kind_of("/var/lib", MOUNTS) == "ext4"
    assert kind_of("/home", MOUNTS) == "nfs4"
    assert kind_of("/home/bob", MOUNTS) == "nfs4"
    assert kind_of("/home/alice/local/book", MOUNTS) == "xfs"
    assert kind_of("/homework", MOUNTS) == "btrfs"
    assert kind_of("/mnt/with blank/book", MOUNTS) == "cifs"
    assert kind_of("/home", "") is None
    assert kind_of("/") is not None
