"""The snippets of docs/python.md run, in their order, in one process."""

from __future__ import annotations

import re
from pathlib import Path

from makers import picture, ramp, save
from measured_boards import make_scenes_board

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"


def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "photo.jpg", picture(1, (420, 640)))
    save(tmp_path / "disparity.png", ramp((420, 640)))
    for name in ("a", "b"):
        save(tmp_path / "outputs" / f"{name}.png", picture(ord(name)))
        save(tmp_path / "targets" / f"{name}.png", picture(ord(name) + 1))
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(snippets) == 5
    names: dict[str, object] = {}
    for number, code in enumerate(snippets):
        if number == len(snippets) - 1:  # boards of a folder stand before those that came with bokehbench
            code, last = code.rsplit("\n\n", 1)
            make_scenes_board(tmp_path)
        exec(compile(code, f"{PAGE.name}, snippet {number + 1}", "exec"), names)
    (tmp_path / "leaderboards").rename(tmp_path / "elsewhere")
    exec(compile(last, PAGE.name, "exec"), names)
    assert names["result"].method == "Layered"
    assert (tmp_path / "bokeh.png").is_file()
    assert (tmp_path / "focus_0.8.png").is_file()
    assert "psnr" in capsys.readouterr().out
