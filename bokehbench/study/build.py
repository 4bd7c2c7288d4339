"""``bokehbench study build``: folders of pictures to a page of blind pairs, and its key."""

import hashlib
import html
import json
import random
import secrets
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from bokehbench import __version__
from bokehbench.errors import BokehbenchError
from bokehbench.files import new_folder
from bokehbench.study import key as keys
from bokehbench.study.key import Key
from bokehbench.study.pictures import PictureSet, damage, gather, read
from bokehbench.study.words import ASSETS, CONSENT, INSTRUCTIONS, QUESTION, TITLE

FILES = ("study.css", "plan.js", "large.js", "votes.js", "study.js")
#: How pictures are published: PNG keeps every pixel; JPEG (4:4:4) is for slow lines.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": (".png", {"format": "PNG"}),
    "jpeg": (".jpg", {"format": "JPEG", "quality": 95, "subsampling": 0}),
}


@dataclass(frozen=True)
class Settings:
    """What raters see and how often.

    Attributes:
        pairs_per_rater: pairs that count; at most all pairs of methods times all pictures.
        repeats: pairs shown a second time with the sides exchanged, for each rater's consistency.
        catches: pairs of a result and its spoilt copy, for attention.
        seed: of the order of pairs and pictures.
        longest: longer side in pixels to which larger pictures are reduced, or None.
        format: a name of :data:`FORMATS`.
    """

    title: str = TITLE
    question: str = QUESTION
    instructions: tuple[str, ...] = INSTRUCTIONS
    consent: tuple[str, ...] = CONSENT
    contact: str = ""
    pairs_per_rater: int = 20
    repeats: int = 2
    catches: int = 2
    seed: int = 0
    longest: int | None = None
    format: str = "png"


@dataclass
class Built:
    """What was made: where, how many cells (method pair x picture) there are, and notes for the organiser."""

    folder: Path
    key: Path
    study: str
    cells: int
    notes: list[str] = field(default_factory=list)


def build(inputs: Path, methods: Mapping[str, Path], folder: Path, settings: Settings) -> Built:
    """Write the page into ``folder`` (whole or not at all) and the key beside it.

    Every published picture is encoded again, all in one format: metadata, suffixes and file names tell nothing.

    Raises:
        BokehbenchError: odd pictures, or something is in the way: the key of a running study is never overwritten.
    """
    key_path = keys.place(folder)
    if key_path.exists() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        there = key_path if key_path.exists() else folder
        raise BokehbenchError(f"{there} is there already, and votes may need it: choose another -o, or remove it.")
    sets, notes = gather(inputs, methods)
    cells = len(sets) * len(methods) * (len(methods) - 1) // 2
    if settings.pairs_per_rater > cells:
        notes.append(f"there are only {cells} different pairs: each rater sees all of them")
    try:
        with new_folder(folder) as made:
            (made / "pictures").mkdir()
            key = _fill(made, sets, list(methods), settings, notes)
            keys.write(key_path, key)
    except BaseException:
        key_path.unlink(missing_ok=True)
        raise
    return Built(folder, key_path, key.study, cells, notes)


def _fill(folder: Path, sets: Sequence[PictureSet], methods: list[str], settings: Settings, notes: list[str]) -> Key:
    suffix, options = FORMATS[settings.format]
    study = secrets.token_hex(8)
    # From the system's randomness, not the seed: with a known seed, names and order could be worked out.
    order = methods.copy()
    secrets.SystemRandom().shuffle(order)
    spoilt = set(random.Random(settings.seed).sample(range(len(sets)), min(len(sets), 4 * settings.catches)))
    digest = hashlib.sha256()
    record = {**asdict(settings), "built": datetime.now(UTC).isoformat(timespec="seconds"),
              "bokehbench": __version__, "pictures": len(sets)}  # fmt: skip
    key = Key(study, "", settings.title, settings.question, tuple(methods), {}, {}, {}, record)
    pictures, damaged = [], []
    same: Counter[tuple[str, str]] = Counter()

    def publish(image: Image.Image) -> str:
        name = secrets.token_hex(8)
        digest.update(name.encode() + hashlib.sha256(image.tobytes()).digest())
        image.save(folder / "pictures" / f"{name}{suffix}", **options)
        return name

    for index, scene in enumerate(tqdm(sets, desc="pictures", unit="scene", delay=2, leave=False)):
        original = read(scene.input, settings.longest)
        images = {method: read(scene.results[method], settings.longest) for method in order}
        same.update(pair for pair in combinations(methods, 2) if images[pair[0]].tobytes() == images[pair[1]].tobytes())
        shown = publish(original)
        results = [publish(images[method]) for method in order]
        key.inputs[shown] = scene.name
        key.results.update({name: (method, scene.name) for name, method in zip(results, order, strict=True)})
        pictures.append({"input": shown, "width": original.width, "height": original.height, "results": results})
        if index in spoilt:
            which = secrets.randbelow(len(order))
            bad = publish(damage(images[order[which]]))
            key.damaged[bad] = results[which]
            damaged.append({"picture": index, "good": results[which], "bad": bad})
    notes += [
        f"{one} and {two} are the same picture for {count} of {len(sets)} inputs"
        for (one, two), count in same.items()
    ]  # fmt: skip
    shown_as_is = ("title", "question", "instructions", "consent", "contact", "seed", "repeats")
    page = {
        "id": study,
        **{name: getattr(settings, name) for name in shown_as_is},
        "perRater": settings.pairs_per_rater,
        "catches": min(settings.catches, len(damaged)),
        "suffix": suffix,
        "pictures": pictures,
        "damaged": damaged,
    }
    digest.update(json.dumps(page, sort_keys=True).encode())
    key = Key(**{**vars(key), "version": digest.hexdigest()[:16]})
    _write_page(folder, {**page, "version": key.version})
    return key


def _write_page(folder: Path, page: Mapping[str, Any]) -> None:
    for name in FILES:
        (folder / name).write_bytes((ASSETS / name).read_bytes())
    # Inside a script element only "<" could end it early.
    data = json.dumps(page, separators=(",", ":")).replace("<", "\\u003c")
    template = string.Template((ASSETS / "page.html").read_text(encoding="utf-8"))
    (folder / "index.html").write_text(
        template.substitute(title=html.escape(str(page["title"])), data=data), encoding="utf-8"
    )
