"""Focus and aperture from a table as people write it: read, or refused with file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers import make_pairs

from bokehbench.cli import main
from bokehbench.data.pairs import Pairs


@pytest.mark.parametrize(
    "text",
    [
        "name,focus,aperture\na,0.25,12\nb,,8\n",
        "Name,FOCUS,Aperture\na,0.25,12\nb,,8\n",
        "name, focus , aperture\n a , 0.25, 12 \n b ,, 8\n",
        "aperture,name,focus\n12,a.png,0.25\n8,b.png,\n",
        "name;focus;aperture\na;0,25;12\nb;;8\n",
        "name;focus;aperture\na;0.25;12\nb;;8\n",
        "name\tfocus\taperture\na\t0,25\t12\nb\t\t8\n",
        "name,focus,aperture,\na,0.25,12,\nb,,8,\n",
        'name,focus,aperture\r\n"a",0.25,"12"\r\n\r\nb,,8\r\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_as_people_write_them_are_read(tmp_path: Path, text: str, encoding: str) -> None:
    make_pairs(tmp_path, ["a", "b"])
    (tmp_path / "focus_aperture.csv").write_bytes(text.encode(encoding))
    data = Pairs(tmp_path, num_workers=0)
    assert data.check() == []
    first, second = (data.pictures("test")[number] for number in (0, 1))  # type: ignore[index]
    assert (first["focus"], first["aperture"], second["aperture"]) == (0.25, 12, 8)
    assert "focus" not in second


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,focus,apertur\na,0.2,1\n", "the column 'apertur' is unknown (did you mean 'aperture'?"),
        ("name,focus,aperture,note\na,0.2,1,x\n", "the column 'note' is unknown"),
        ("name,focus,aperture,focus\na,0.2,1,3\n", "the column 'focus.1' is unknown"),
        ("name,focus\na,0.2\n", "has no column 'aperture'"),
        ("focus,aperture\n0.2,1\n", "has no column 'name'"),
        ("name focus aperture\na 0.2 1\n", "the column 'name focus aperture' is unknown"),
        ("name,focus,aperture\na,0.2,inf\n", "the aperture of 'a' in row 1 is 'inf', which is no finite number"),
        ("name,focus,aperture\nb,,\na,nan,1\n", "the focus of 'a' in row 2 is 'nan'"),
        ("name,focus,aperture\na,0.2,-Infinity\n", "the aperture of 'a' in row 1 is '-Infinity'"),
        ("name,focus,aperture\na,0.2,1e400\n", "no finite number"),
        ("name,focus,aperture\na,near,1\n", "the focus of 'a' in row 1 is 'near'"),
        ("name,focus,aperture\na,0.2,5px\n", "the aperture of 'a' in row 1 is '5px'"),
        ("name,focus,aperture\na,0.2,1,7,8\n", "cannot be read as a table"),
        ("name,focus,aperture\na,0,25,12\n", "cannot be read as a table"),
        ("name,focus,aperture\na,1.5,1\n", "'a' has a focus outside [0, 1]"),
        ("", "cannot be read as a table"),
    ],
)
def test_other_tables_are_refused_by_name(tmp_path: Path, capsys, text: str, said: str) -> None:
    make_pairs(tmp_path, ["a", "b"])
    (tmp_path / "t.csv").write_text(text)
    assert main(["data", "check", "--data", "pairs", "--data.root", str(tmp_path), "--data.table", "t.csv"]) == 1
    printed = capsys.readouterr().out
    assert f"{tmp_path / 't.csv'}: " in printed
    assert said in printed
