"""A refusal of the system is reported with its remedy; a shared folder works for every member."""

import errno
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import deepbench_torch as db
from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.storage import append
from deepbench_torch.storage.refusals import REMEDIES
from deepbench_torch.storage.work import chunks
from tests.storage.test_interruption import elsewhere, exit_status

# the processes here are forked on purpose, and use one thread
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two other users")
GROUP, ANNA, BORIS = 54321, 54322, 54323


def write(path: Path, **options: Any) -> Path:
    made = db.Catalogue("star", size=60, seed=2, image_size=6)
    return db.materialize(made, path, progress=False, **options)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10 * 6 * 6 * 4)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder of a group, in which new files belong to the group."""
    write(tmp_path / "warm.h5")  # what is imported late, other users may not read
    write(tmp_path / "warm", format="npy")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, -1, GROUP)
    folder.chmod(0o2775)
    yield folder
    shutil.rmtree(folder)


def as_user(user: int, umask: int, function: Callable[[], object]) -> int:
    """The exit status of a function that another user runs."""

    def become_and_run() -> None:
        os.setgroups([])
        os.setgid(GROUP)
        os.setuid(user)
        os.umask(umask)
        function()

    return exit_status(elsewhere(become_and_run))


def killed_in_the_middle(path: Path, options: dict[str, Any]) -> Callable[[], object]:
    """A function that writes half a catalogue and is killed."""

    def write_half() -> None:
        original, made = chunks.make_chunk, []

        def stop(recipe: Any, seed: int, rows: range) -> chunks.Chunk:
            made.append(rows)
            if len(made) == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(recipe, seed, rows)

        chunks.make_chunk = stop
        write(path, **options)

    return write_half


@needs_root
@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("options", [{}, {"format": "npy"}])
@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_a_member_writes_after_the_job_of_another_was_killed(
    umask: int, options: dict[str, Any], shared: Path, tmp_path: Path
) -> None:
    path = shared / "sky"
    killed = as_user(ANNA, umask, killed_in_the_middle(path, options))
    assert killed == -signal.SIGKILL
    left = os.listdir(shared)
    assert ".sky.lock" in left
    assert any(name.endswith(".partial") for name in left)
    assert as_user(BORIS, 0o002, lambda: write(path, **options)) == 0
    plain = write(tmp_path / "plain" / "sky", **options)
    for file in [plain] if plain.is_file() else sorted(plain.rglob("*")):
        assert (path / file.relative_to(plain)).read_bytes() == file.read_bytes()
    if umask == 0o002:  # all could be used and removed
        assert os.listdir(shared) == ["sky"]
    # the first user removes the rest with the next call
    assert as_user(ANNA, 0o002, lambda: write(path, overwrite=True, **options)) == 0
    assert os.listdir(shared) == ["sky"]


@needs_root
@pytest.mark.parametrize("umask", [0o002, 0o022])
def test_a_member_replaces_the_file_of_another(umask: int, shared: Path) -> None:
    path = shared / "sky.h5"
    assert as_user(ANNA, umask, lambda: write(path)) == 0
    assert as_user(BORIS, umask, lambda: append(path, 5, progress=False)) == 0
    assert len(db.StoredCatalogue(path, verify=True)) == 65
    assert os.listdir(shared) == ["sky.h5"]


@needs_root
@pytest.mark.parametrize(("umask", "status"), [(0o002, 0), (0o022, errno.EACCES)])
def test_a_folder_is_replaced_by_who_may(umask: int, status: int, shared: Path) -> None:
    path = shared / "sky"
    assert as_user(ANNA, umask, lambda: write(path, format="npy")) == 0
    before = sorted(path.rglob("*"))
    inode = path.stat().st_ino
    assert as_user(BORIS, umask, lambda: append(path, 5, progress=False)) == status
    assert os.listdir(shared) == ["sky"]
    assert sorted(path.rglob("*")) == before
    assert (path.stat().st_ino == inode) == bool(status)


@needs_root
def test_a_folder_of_others_is_refused_with_its_remedy(shared: Path, tmp_path: Path) -> None:
    shared.chmod(0o2755)
    log = tmp_path / "log"
    log.touch()
    for folder in (tmp_path.parent, tmp_path):
        folder.chmod(0o755)

    def attempt() -> None:
        with pytest.raises(PermissionError, match="get write permission for the folder from its"):
            write(shared / "a.h5")

    assert as_user(BORIS, 0o002, attempt) == 0
    assert os.listdir(shared) == []


@pytest.mark.parametrize("number", sorted(REMEDIES))
@pytest.mark.parametrize("options", [{}, {"format": "npy"}])
def test_what_the_system_refuses_keeps_its_class_and_gets_a_remedy(
    number: int, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="cannot write the catalogue") as caught:
        write(tmp_path / "a", **options)
    assert type(caught.value) is type(OSError(number, ""))
    assert caught.value.errno == number
    assert REMEDIES[number].writing in str(caught.value)
    assert "damaged" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("options", [{}, {"format": "npy"}])
def test_too_many_open_files_are_reported_as_that(options: dict[str, Any], tmp_path: Path) -> None:
    """With every number of files that are free to open, from none to seven."""
    write(tmp_path / "warm", **options)

    def attempt() -> None:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # the limit is on the numbers of files, and those of a test's process have gaps
        used = {int(number) for number in os.listdir("/proc/self/fd")}
        unused = [number for number in range(len(used) + 8) if number not in used]
        outcomes = []
        for limit in unused[:8]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
            try:
                write(tmp_path / "new" / "a", overwrite=True, **options)
                outcomes.append("written")
            except OSError as error:
                remedied = "raise the limit of open files with `ulimit -n`" in str(error)
                outcomes.append(errno.errorcode[error.errno or 0] if remedied else str(error))
        assert set(outcomes) == {"EMFILE", "written"}

    assert exit_status(elsewhere(attempt)) == 0
    assert db.StoredCatalogue(tmp_path / "new" / "a", verify=True).size == 60


def test_a_name_that_is_too_long_is_reported_as_that(tmp_path: Path) -> None:
    for options in ({}, {"format": "npy"}):
        with pytest.raises(OSError, match="at most 255 bytes") as caught:
            write(tmp_path / ("a" * 256), **options)
        assert caught.value.errno == errno.ENAMETOOLONG
    assert os.listdir(tmp_path) == []


def test_a_card_that_cannot_be_written_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.h5")

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match=r"cannot write the card \(No space left .*free some space"):
        write_card(path)
