"""Depth from any depth-estimation network of Hugging Face's `transformers`."""

import hashlib
import importlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.files import cache_folder, write_atomic
from bokehbench.optics import Disparity, depth_to_disparity, minmax

#: Architectures of `transformers` whose processed output is a distance: larger = farther.
DISTANCE = ("chmv2", "depth_pro", "glpn", "tipsv2_dpt", "zoedepth")
#: Those of them that were trained on metres.
METRES = ("depth_pro", "glpn", "zoedepth")
#: Maps are stored as whole numbers up to this: a third of a float's room, finer than any network's error.
LEVELS = 65535


class MapCache:
    """H W maps in [0, 1] under keys, in ``folder``; a file that cannot be read counts as not there.

    None = ``depth`` in :func:`bokehbench.files.cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "depth"

    def path(self, key: str) -> Path:
        """Where the map of ``key`` (hex digits) is kept."""
        return self.folder / key[:2] / f"{key}.npy"

    def read(self, key: str, size: tuple[int, int]) -> Tensor | None:
        """The map of H x W, float32 on the CPU; None where there is none."""
        try:
            stored = np.load(self.path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if stored.shape != size or stored.dtype != np.uint16:
            return None
        return torch.from_numpy(stored.astype(np.float32)) / LEVELS

    def write(self, key: str, values: Tensor) -> Tensor:
        """Keep an H W map in [0, 1]; returns what :meth:`read` will give, so that the first run is like the next.

        Raises:
            BokehbenchError: the folder cannot be written to.
        """
        levels = (values.detach().float().cpu() * LEVELS).round().numpy().astype(np.uint16)
        write_atomic(self.path(key), lambda file: np.save(file, levels))
        return torch.from_numpy(levels.astype(np.float32)) / LEVELS


class TransformersDepth:
    """A network with its own pre- and post-processing; every picture is predicted once and kept on disk.

    Args:
        model_id: name on the Hugging Face Hub, ``ID`` or ``ID@REVISION``, or a folder written by ``save_pretrained``.
        output: ``"disparity"`` or ``"depth"``: what the network's numbers mean; None: :func:`output_of`.
        cache: where predicted maps are kept; None: the user's cache folder.

    Raises:
        BokehbenchError: `transformers` is not installed, the model cannot be had, or its output is not known.
    """

    stored: bool = True

    def __init__(self, model_id: str, output: str | None = None, cache: MapCache | None = None) -> None:
        try:
            library = importlib.import_module("transformers")
        except ImportError as error:
            raise BokehbenchError(
                f"transformers:{model_id} needs the package `transformers`: pip install --upgrade bokehbench."
            ) from error
        self.module, self.processor, self.name = _load(library, model_id)
        self.output = output or output_of(self.module.config)
        if output is not None:
            self.name += f", as {output}"
        self.cache = cache or MapCache()

    @torch.no_grad()
    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """As :meth:`DepthProvider.disparity`; ``names`` are not used."""
        return torch.stack([self._one(picture) for picture in image]).to(image.device)

    def _one(self, picture: Tensor) -> Tensor:
        """3 H W -> 1 H W, from the cache or else predicted."""
        levels = picture.detach().float().clamp(0, 1).mul(255).round().byte().cpu()
        size = (levels.shape[-2], levels.shape[-1])
        head = f"{self.name}, {self.output}, {size}\n".encode()
        key = hashlib.sha256(head + levels.contiguous().numpy().tobytes()).hexdigest()
        values = self.cache.read(key, size)
        if values is None:
            values = self.cache.write(key, self._predict(levels, picture.device))
        return values[None]

    @torch.no_grad()
    def measured(self, image: Tensor) -> Disparity | None:
        """The metric map of one picture, 1 3 H W in [0, 1], predicted again; None: the network predicts no metres."""
        if self.output != "depth" or not in_metres(self.module.config):
            return None
        levels = image[0].detach().float().clamp(0, 1).mul(255).round().byte().cpu()
        return Disparity.measured(self._raw(levels, image.device)[0], "m")

    def _predict(self, levels: Tensor, device: torch.device) -> Tensor:
        """3 H W uint8 -> H W in [0, 1]."""
        raw = self._raw(levels, device)
        return (depth_to_disparity(raw) if self.output == "depth" else minmax(raw))[0, 0]

    def _raw(self, levels: Tensor, device: torch.device) -> Tensor:
        """3 H W uint8 -> 1 1 H W as predicted: the picture as the library itself would read it from a file."""
        size = (levels.shape[-2], levels.shape[-1])
        picture = Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())
        self.module.to(device).eval()
        # A trainer's half precision is for the renderer: a stored map must not depend on it.
        with torch.autocast(device.type, enabled=False):
            inputs = self.processor(images=picture, return_tensors="pt").to(device, self.module.dtype)
            predicted = self.module(**inputs)
            process = self.processor.post_process_depth_estimation
            wanted = inspect.signature(process).parameters
            sizes = {key: [size] for key in ("source_sizes", "target_sizes") if key in wanted}
            raw = process(predicted, **sizes)[0]["predicted_depth"].float().reshape(1, 1, *size)
        if not bool(raw.isfinite().all()):
            raise BokehbenchError(f"{self.name} predicted NaN or infinite values: try it in another precision.")
        return raw


def in_metres(config: Any) -> bool:
    """Whether the distance that a `transformers` network predicts is one in metres."""
    return config.model_type in METRES or getattr(config, "depth_estimation_type", "") == "metric"


def output_of(config: Any) -> str:
    """``"disparity"`` (larger = nearer) or ``"depth"`` (larger = farther), from a `transformers` configuration.

    - ``depth_anything``: its ``depth_estimation_type``, relative = disparity, metric = depth.
    - ``dpt``: disparity, as MiDaS is trained (Ranftl et al. 2020), but depth with a DINOv2 body: those that are
      published were trained on NYU and KITTI distances.
    - GLPN, ZoeDepth, Depth Pro (after the library's post-processing) and the others of :data:`DISTANCE`: depth.

    Raises:
        BokehbenchError: an architecture that is not known here: say which it is.
    """
    kind = str(getattr(config, "model_type", ""))
    if kind == "depth_anything":
        return "depth" if getattr(config, "depth_estimation_type", "relative") == "metric" else "disparity"
    if kind == "dpt":
        body = getattr(getattr(config, "backbone_config", None), "model_type", "")
        return "depth" if body in ("dinov2", "dinov2_with_registers") else "disparity"
    if kind in DISTANCE:
        return "depth"
    raise BokehbenchError(
        f"It is not known whether a model of type '{kind}' gives disparity (larger = nearer) or depth (larger = "
        "farther): write transformers-disparity:ID or transformers-depth:ID."
    )


def _load(library: Any, model_id: str) -> tuple[Any, Any, str]:
    """Network, processor and name; no code of the model's own is run."""
    folder, hub = Path(model_id).expanduser(), importlib.import_module("huggingface_hub")
    try:
        if folder.is_dir():
            return *_open(library, str(folder)), f"transformers {folder.resolve().name} #{_hash(folder)}"
        source, _, revision = model_id.partition("@")
        try:
            module, processor = _open(library, source, revision=revision or None, local_files_only=True)
        except Exception:  # not fetched before; asked here, since the library itself retries for minutes without a net
            hub.model_info(source, revision=revision or None, timeout=20)
            # Under the revision's own name, or the next run would not find it without the network
            module, processor = _open(library, source, revision=revision or None)
    except Exception as error:  # OSError, ValueError, and whatever the hub's client and the file readers raise
        reason = str(error).strip().splitlines()[0].rstrip(".:") if str(error).strip() else type(error).__name__
        raise BokehbenchError(
            f"transformers:{model_id} could not be loaded ({reason}): check the name and the network, or give the "
            "folder of a model that was downloaded elsewhere."
        ) from error
    stored = hub.try_to_load_from_cache(source, "config.json", revision=revision or None)
    commit = Path(stored).parent.name if isinstance(stored, str) else revision or "unknown"
    return module, processor, f"transformers {source} @{commit[:12]}"


def _open(library: Any, source: str, **options: Any) -> tuple[Any, Any]:
    options = {key: value for key, value in options.items() if value is not None}
    processor = library.AutoImageProcessor.from_pretrained(source, trust_remote_code=False, **options)
    module = library.AutoModelForDepthEstimation.from_pretrained(source, trust_remote_code=False, **options)
    return module.eval(), processor


def _hash(folder: Path) -> str:
    """Eight hex digits of a model's files."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:8]
