"""What a method costs besides its scores: time, memory, weights, multiply-adds."""

from dataclasses import dataclass

from bokehbench.board.results import Result


@dataclass(frozen=True)
class Cost:
    """A field of a :class:`Result`, shown under ``label`` in ``unit``, which is ``scale`` of the result's own unit."""

    name: str
    label: str
    unit: str
    scale: float
    form: str

    def value(self, result: Result) -> float | None:
        """In ``unit``; None where unknown."""
        known = getattr(result, self.name)
        return None if known is None else known / self.scale

    def show(self, result: Result, detail: bool = False) -> str:
        """For a table, ``n/a`` where unknown; with ``detail`` on which device, or at which size of pictures."""
        value = self.value(result)
        if value is None:
            return "n/a"
        text = format(value, self.form)
        if detail and self.name == "seconds_per_image":
            text += f" ({result.device})"
        if detail and self.name == "training_seconds" and value:
            told = [training["effort"]["device"] for _, _, training in result.lineage() if "effort" in training]
            text += f" ({', '.join(dict.fromkeys(told))})"
        if detail and self.name == "macs" and result.macs_size is not None:
            text += f" at {result.macs_size[0]} x {result.macs_size[1]}"
        return text


COSTS = (
    Cost("seconds_per_image", "s / picture", "s", 1.0, ".3g"),
    Cost("peak_memory", "peak memory (MiB)", "MiB", 2.0**20, ".0f"),
    Cost("parameters", "parameters (M)", "million", 1e6, ".3g"),
    Cost("training_seconds", "training (min)", "min", 60.0, ".3g"),
    Cost("macs", "GMACs", "GMAC", 1e9, ".4g"),
)
