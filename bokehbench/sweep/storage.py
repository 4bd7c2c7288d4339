"""Where a sweep's trials are kept: a file for one process, or the database of a server for any number of them."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokehbench.errors import BokehbenchError
from bokehbench.refusals import first_line

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

#: Packages whose errors are about the database.
DRIVERS = ("optuna", "sqlalchemy", "psycopg", "psycopg2", "pymysql", "MySQLdb", "sqlite3")


@dataclass(frozen=True)
class Storage:
    """A file for SQLite, or a URL of SQLAlchemy's.

    Args:
        where: the file or the URL; a password in it is neither printed nor written to a file.
        lost_after: seconds without a sign of life after which a trial of a server's study is taken for lost.
    """

    where: str
    lost_after: int = 120

    @property
    def shared(self) -> bool:
        """Whether processes on other machines may work on the study, too."""
        return "://" in self.where and not self.where.startswith("sqlite")

    def __str__(self) -> str:
        """The file or the URL, without its password."""
        hidden = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", self.where)
        return re.sub(r"(password=)[^&]*", r"\1***", hidden)

    def open(self) -> RDBStorage:
        """Optuna's storage, its tables made where there are none; a trial that is lost is tried again.

        Raises:
            BokehbenchError: no URL; what else is raised, :meth:`in_words` puts into words.
        """
        from optuna.exceptions import ExperimentalWarning
        from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError

        warnings.filterwarnings("ignore", category=ExperimentalWarning)
        url, signs = self.where, dict[str, Any]()
        if "://" not in url:
            path = Path(url).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{path}"
        if self.shared:
            right = False
            with suppress(ArgumentError, ValueError):  # whose words might hold a part of the password
                right = url.count("@") < 2 and bool(make_url(url))
            if not right:
                raise BokehbenchError(
                    f"--storage {self}: it is no URL; write DIALECT+DRIVER://USER@HOST/DATABASE, with %40, %3A and %2F "
                    "for @, : and / in a password."
                )
            signs = {"heartbeat_interval": max(1, self.lost_after // 4), "grace_period": self.lost_after}
        again = RetryHeartbeatStaleTrialCallback()
        opened = partial(RDBStorage, url, {"pool_pre_ping": True}, heartbeat_stale_trial_callback=again, **signs)
        for _ in range(3):  # of two processes that make the tables at once, one is refused
            with suppress(IntegrityError, ProgrammingError):
                return opened()
            time.sleep(1)
        return opened()

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Inside, what the database refuses becomes one sentence."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, ImportError) and type(error).__module__.split(".")[0] not in DRIVERS:
                raise
            cause = error.__cause__ or error
            said = f"{first_line(cause)}: correct it, or start the server; the same command goes on"
            if isinstance(cause, ModuleNotFoundError):
                said = f"the driver {cause.name} is not installed; `pip install 'bokehbench[cluster]'` brings psycopg, "
                said += "for postgresql+psycopg://USER@HOST/DATABASE"
            raise BokehbenchError(f"--storage {self}: {said.replace(self.where, str(self))}.") from None
