"""Data at URLs: mirrored whole, fetched again where they changed, never half, and refused where they are odd."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from made_boards import make_board
from makers import make_blb, make_ebb, make_pairs, make_rgbd, picture, save
from stores import MemoryS3, pretended_s3, serving

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_text
from bokehbench.remote import mirror, stores
from bokehbench.remote.mirror import local_folder
from bokehbench.remote.places import Url, place


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stores, "PAUSE", 0.01)


@pytest.fixture
def s3() -> Iterator[MemoryS3]:
    with pretended_s3() as store:
        yield store


def refuses(do: Callable[[], object], *said: str) -> None:
    with pytest.raises(BokehbenchError) as error:
        do()
    assert all(words in str(error.value) for words in said), str(error.value)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pack(folder: Path, archive: Path, below: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in contents(folder).items():
            file.writestr(f"{below}{name}", content)
    return archive


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("photos", Path("photos")),
        ("C:/photos", Path("C:/photos")),
        ("file:///data/a b", Path("/data/a b")),
        (Path("file:///data/a"), Path("/data/a")),
        ("s3://bucket/a", Url("s3://bucket/a")),
        (Path("s3://bucket/a"), Url("s3://bucket/a")),
        ("https://h/a.zip?id=3", Url("https://h/a.zip?id=3", "")),
        ("zip://in/b::https://h/a.zip", Url("https://h/a.zip", "in/b")),
        (Path("zip://in/b::https://h/download"), Url("https://h/download", "in/b")),
        ("zip://::file:///x/a.zip", Url(Path("/x/a.zip"), "")),
        (Path("zip://::file:///x/a.zip"), Url(Path("/x/a.zip"), "")),
        ("zip:///x/a.zip", Url(Path("/x/a.zip"), "")),
    ],
)
def test_what_is_typed_is_understood_even_without_its_second_slash(typed: str | Path, found: object) -> None:
    assert place(typed) == found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("https://me:hush@h/a", "a password or a key in it"),
        ("https://hush@h/a", "a password or a key in it"),
        ("s3://me:hush@bucket/a", "a password or a key in it"),
        ("zip://::https://h/a.zip?X-Amz-Signature=hush", "a password or a key in it"),
        ("reference://hush", "reference:// is no place that is known"),
        ("s4://bucket", "did you mean 's3'"),
        ("tar://a::https://h/a.tar", "only zip:// stands before another URL"),
        ("zip://a::zip://b.zip::https://h/a.zip", "give one zip"),
    ],
)
def test_other_urls_are_refused_and_no_credential_is_repeated(typed: str, said: str, capsys) -> None:
    assert main(["data", "check", "--data", "pairs", f"--data.root={typed}"]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert not any(credential in told.err + told.out for credential in ("hush@", "=hush"))


def test_a_credential_reaches_no_file_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    write_text(tmp_path / "own.yaml", "data: {class_path: pairs, init_args: {root: 'https://me:hush@h/a.zip'}}")
    assert main(["test", "--model", "layered", "--config", "own.yaml"]) == 2
    assert "a password or a key in it" in (said := capsys.readouterr().err)
    assert "hush" not in said
    (tmp_path / "own.yaml").unlink()
    assert not any(b"hush" in content for content in contents(tmp_path).values())


@pytest.mark.parametrize("way", ["file", "zip", "chained", "http", "zipped http", "s3"])
def test_pairs_are_the_same_from_anywhere(way: str, tmp_path: Path, s3: MemoryS3, capsys) -> None:
    here = make_pairs(tmp_path / "my pairs", names=("a b", "ü%41", "c"), disparity=True)
    write_text(here / "focus_aperture.csv", "name,focus,aperture\nc,0.5,3\n")
    archive = pack(here, tmp_path / "site.zip", "in/")
    for name, content in contents(here).items():
        s3.pipe_file(f"s3://bucket/my pairs/{name}", content)
    with serving(tmp_path) as site:
        urls = {
            "file": f"file://{here}", "zip": f"zip://{archive}", "chained": f"zip://in::file://{archive}",
            "http": f"{site.url}/my%20pairs", "zipped http": f"zip://in::{site.url}/site.zip",
            "s3": "s3://bucket/my pairs/",
        }  # fmt: skip
        url = urls[way] if way != "zip" else f"zip://{pack(here, tmp_path / 'flat.zip')}"
        assert main(["data", "check", "--data", "pairs", f"--data.root={url}", "--data.input", "input"]) == 0
        data, local = DATA["Pairs"](root=url), DATA["Pairs"](root=here)
        assert data.settings() == local.settings()
        assert [each["name"] for each in data.pictures("test")] == [each["name"] for each in local.pictures("test")]
        images = [torch.stack([each["image"] for each in one.pictures("test")]) for one in (data, local)]
        assert torch.equal(*images)
        lock = tmp_path / f"{way}.lock"
        assert main(["data", "lock", "--data", "pairs", f"--data.root={url}", "-o", str(lock)]) == 0
        assert main(["data", "check", "--data", "pairs", "--data.root", str(here), "--lock", str(lock)]) == 0
    assert (data.root == here) == (way == "file")


@pytest.mark.parametrize(("name", "make"), [("EBB", make_ebb), ("IPhoneDepth", make_rgbd), ("BLB", make_blb)])
def test_other_data_sets_come_from_a_web_server_too(name: str, make, tmp_path: Path) -> None:
    here = make(tmp_path / "site")
    with serving(tmp_path) as site:
        data = DATA[name](root=f"{site.url}/site/")
        assert data.check(deep=True) == []
        assert contents(data.root) == contents(here)
        assert len(data.pictures("test")) == len(DATA[name](root=here).pictures("test"))


def test_only_what_changed_is_fetched_again_and_offline_the_mirror_is_used(tmp_path: Path, capsys) -> None:
    here = make_pairs(tmp_path / "site")
    with serving(tmp_path / "site") as site:
        tree = local_folder(site.url)
        assert len(site.asked) == 6
        site.asked.clear()
        assert local_folder(site.url) == tree
        assert not site.asked
        save(here / "input" / "a.png", picture(9))
        os.utime(here / "input" / "a.png", (2e9, 2e9))
        (here / "target" / "b.png").unlink()
        (tree / "target" / "c.png").write_bytes(b"half")
        (tree / "mine.txt").write_text("a note beside the mirror")
        local_folder(site.url)
        assert sorted(site.asked) == ["/input/a.png", "/target/c.png"]
        (tree / "mine.txt").unlink()
        assert contents(tree) == contents(here)
        url = site.url
    assert local_folder(url) == tree
    assert f"note: {url} cannot be reached" in capsys.readouterr().out
    (tree / "input" / "a.png").unlink()
    refuses(lambda: local_folder(url), f"{url} cannot be fetched", "try again; what was fetched stays")


def test_a_changed_zip_is_fetched_again_and_the_archive_is_not_kept(tmp_path: Path, capsys) -> None:
    here = make_pairs(tmp_path / "pairs", names=("a", "b"))
    archive = pack(here, tmp_path / "pairs.zip")
    with serving(tmp_path) as site:
        url = f"{site.url}/pairs.zip"
        tree = local_folder(url)
        assert tree.name == "pairs"
        assert contents(tree) == contents(here)
        assert local_folder(url) == tree
        assert site.asked == ["/pairs.zip"]
        save(here / "input" / "a.png", picture(9))
        (here / "target" / "b.png").unlink()
        os.utime(pack(here, archive), (2e9, 2e9))
        assert contents(local_folder(url)) == contents(here)
    assert not list((tmp_path / "cache").rglob("*.zip"))
    assert contents(local_folder(url)) == contents(here), "offline"


def test_a_killed_fetch_goes_on_and_nothing_half_is_seen(tmp_path: Path) -> None:
    here = make_pairs(tmp_path / "site", names=[f"{n}" for n in range(30)])
    code = "import sys; from bokehbench.remote.mirror import local_folder; local_folder(sys.argv[1])"
    with serving(here, pause=0.2) as site:
        killed = subprocess.Popen([sys.executable, "-c", code, site.url])
        while len(site.asked) < 25:
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        done = contents(tmp_path / "cache").items()
        trees = {name.partition("/tree/")[2].partition("/")[2]: content for name, content in done if "/tree/" in name}
        assert 8 <= len(trees) < 40
        assert all(contents(here)[name] == content for name, content in trees.items())
        site.asked.clear()
        site.pause = 0
        assert contents(local_folder(site.url)) == contents(here)
        assert len(site.asked) <= 60 - len(trees) + mirror.THREADS, "some may not be in the index yet"


def test_two_processes_fetch_each_file_once(tmp_path: Path) -> None:
    here = make_pairs(tmp_path / "site")
    with serving(here, pause=0.05) as site:
        context = multiprocessing.get_context("spawn")
        both = [context.Process(target=local_folder, args=(site.url,)) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert [each.exitcode for each in both] == [0, 0]
        assert len(site.asked) == 6


def test_a_server_that_lists_nothing_or_has_nothing_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_text(tmp_path / "page" / "index.html", "<html>Welcome. <a href='?C=M'>sort</a> <a href='/'>up</a></html>")
    write_text(tmp_path / "login.zip", "<html>Log in</html>")
    with serving(tmp_path) as site:
        for folder in ("empty", "page"):
            refuses(lambda f=folder: local_folder(f"{site.url}/{f}"), "lists no files", "of a zip (zip://::URL)")
        refuses(lambda: local_folder(f"{site.url}/none"), f"{site.url}/none cannot be fetched", "check the URL")
        refuses(lambda: local_folder(f"{site.url}/none.zip?a=b"), "none.zip cannot be fetched", "check the URL")
        refuses(lambda: local_folder(f"{site.url}/login.zip"), "cannot be opened as a zip")
    refuses(lambda: local_folder("zip:///none/a.zip"), "/none/a.zip cannot be fetched", "check the URL")


def odd_zip(path: Path, kind: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if kind == "bomb":
            file.writestr("input/a.png", bytes(10**6))
        elif kind == "link":
            link = zipfile.ZipInfo("input/a.png")
            link.external_attr = 0o120777 << 16
            file.writestr(link, "/etc/passwd")
        else:
            file.writestr(kind, "x")
    return path


@pytest.mark.parametrize("kind", ["../a.png", "in/../../a.png", "/a.png", "C:a.png", "link", "bomb"])
def test_an_odd_zip_is_refused_whole(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MOST_UNPACKED", 10**5)
    archive = odd_zip(tmp_path / "odd.zip", kind)
    refuses(
        lambda: local_folder(f"zip://{archive}"), "odd.zip", "unpack" if kind == "bomb" else "leads out of its folder"
    )
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.suffix == ".png"]


def test_a_web_page_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "index.html", "<a href='%2e%2e/%2e%2e/up.png'>a</a>")
    with serving(tmp_path) as site:
        refuses(lambda: local_folder(site.url), "leads out of its folder")


def test_a_full_disk_and_a_missing_package_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = make_pairs(tmp_path / "site")
    usage = namedtuple("usage", "total used free")
    with serving(here) as site:
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
            refuses(lambda: local_folder(site.url), "GB are free", "BOKEHBENCH_CACHE")

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(mirror.os, "replace", full)
            refuses(lambda: local_folder(site.url), "No space left on device", "free space or choose another place")
    for url, package in (("gs://bucket/a", "gcsfs"), ("zip://::az://box/a.zip", "adlfs")):
        refuses(lambda u=url: local_folder(u), f"pip install {package}")


def test_score_reads_and_writes_urls_as_it_does_folders(tmp_path: Path, s3: MemoryS3, capsys) -> None:
    make_pairs(tmp_path / "site")
    with serving(tmp_path) as site:
        words = ["score", f"{site.url}/site/input", "--targets", f"{site.url}/site/target", "--workers", "1"]
        assert main([*words, "--csv", "s3://bucket/scores/all.csv"]) == 0
        table = capsys.readouterr().out
        assert "Per-image scores: s3://bucket/scores/all.csv" in table
    here = tmp_path / "site"
    words = ["score", str(here / "input"), "--targets", str(here / "target"), "--workers", "1"]
    assert main([*words, "--csv", str(tmp_path / "all.csv")]) == 0
    of_folders = capsys.readouterr().out
    assert of_folders.splitlines()[:-1] == table[table.index("3 pictures") :].splitlines()[:-1]
    assert s3.cat_file("s3://bucket/scores/all.csv") == (tmp_path / "all.csv").read_bytes()
    assert main([*words, "--csv", "https://h/all.csv"]) == 2
    assert "https://h/all.csv takes no files" in capsys.readouterr().err


def test_predict_and_render_put_each_picture_and_go_on_after_a_broken_connection(
    tmp_path: Path, s3: MemoryS3, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    make_pairs(tmp_path / "site", disparity=True)
    s3.pipe_file("s3://bucket/out/a.png", b"of before")
    writer = "--trainer.callbacks+=bokehbench.callbacks.PictureWriter"
    with serving(tmp_path) as site:
        common = ["predict", "--model", "layered", "--data", "pairs", "--data.num_workers=0", "--trainer.logger=false"]
        common += [f"--data.root={site.url}/site", writer]
        MemoryS3.refusals = 2
        assert main([*common, "--trainer.callbacks.folder=s3://bucket/out"]) == 0
        assert "Pictures: s3://bucket/out" in capsys.readouterr().out
        assert main([*common, "--trainer.callbacks.folder=local"]) == 0
        maps = ["--disparity", f"{site.url}/site/disparity", "--focus", "0.5", "--aperture", "2"]
        assert main(["render", f"{site.url}/site/input", "--model", "layered", *maps, "-o", "s3://bucket/render"]) == 0
        assert sorted(s3.ls("s3://bucket/render", detail=False)) == [f"/bucket/render/{n}.png" for n in "abc"]
        assert not [path for path in (tmp_path / "cache" / "outgoing").rglob("*") if path.is_file()]
        for name in "abc":
            assert s3.cat_file(f"s3://bucket/out/{name}.png") == (tmp_path / "local" / f"{name}.png").read_bytes()
        MemoryS3.refusals = 3
        assert main([*common, "--trainer.callbacks.folder=s3://bucket/out"]) == 2
        said = capsys.readouterr().err
    assert "s3://bucket/out does not take a.png (ConnectionError: the connection was lost)" in said
    kept = Path(said.partition("or copy ")[2].partition(" yourself")[0])
    assert kept.read_bytes() == (tmp_path / "local" / "a.png").read_bytes()


def test_a_result_and_its_identity_do_not_say_where_the_data_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = make_pairs(tmp_path / "site", disparity=True)
    board = make_board(tmp_path, count=3, ids=None, columns=["psnr", "ssim"])
    recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder", f"--trainer.callbacks.board={board}"]
    words = ["test", "--model", "layered", "--data", "pairs", "--data.num_workers=0", *recorder]
    found = []
    with serving(tmp_path) as site:
        for root in (str(here), f"{site.url}/site"):
            output = tmp_path / f"{len(found)}.json"
            assert main([*words, f"--data.root={root}", f"--trainer.callbacks.output={output}"]) == 0
            assert site.url not in output.read_text()
            found.append(results.read(output))
    assert found[0].id == found[1].id
    assert found[0].per_image == found[1].per_image
    assert found[0].target_hash == found[1].target_hash
