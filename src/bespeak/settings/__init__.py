"""Settings files: where they are, what each key may say, and which folders are trusted to say it.

Importing this package loads nothing: each command pays for what it uses.
"""

from __future__ import annotations

from bespeak.base.lazy_attributes import on_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.settings.files import FILENAME as FILENAME
    from bespeak.settings.files import FOLDERS as FOLDERS
    from bespeak.settings.files import SUT_DIRS_VARIABLES as SUT_DIRS_VARIABLES
    from bespeak.settings.files import LedgerPlace as LedgerPlace
    from bespeak.settings.files import Settings as Settings
    from bespeak.settings.files import find_repos as find_repos
    from bespeak.settings.files import ledger_place as ledger_place
    from bespeak.settings.files import ledger_url as ledger_url
    from bespeak.settings.files import load_settings as load_settings
    from bespeak.settings.repo import Repo as Repo
    from bespeak.settings.repo import SettingsError as SettingsError

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "FILENAME": "files",
        "FOLDERS": "files",
        "LedgerPlace": "files",
        "Repo": "repo",
        "SUT_DIRS_VARIABLES": "files",
        "Settings": "files",
        "SettingsError": "repo",
        "find_repos": "files",
        "ledger_place": "files",
        "ledger_url": "files",
        "load_settings": "files",
    },
)
