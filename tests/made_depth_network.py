"""A depth network of others, tiny and with random weights: ``from made_depth_network import tiny_dpt``."""

from __future__ import annotations

from pathlib import Path

import torch


def tiny_dpt(folder: Path, seed: int = 0) -> Path:
    """MiDaS' architecture with random weights."""
    import transformers

    torch.manual_seed(seed)
    config = transformers.DPTConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=8,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, readout_type="ignore",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = transformers.DPTForDepthEstimation(config)
    for name, weight in model.named_parameters():
        if name.startswith(("neck", "head")) and weight.ndim == 4:
            weight.data *= 10  # or the map is flat to the last digit
    last = model.head.head[4]
    last.weight.data.abs_()
    last.bias.data.fill_(0.01)  # above 0, which means "not measured" in a map of depth
    model.save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def tiny_metric(folder: Path, seed: int = 0) -> Path:
    """Depth Anything's architecture for metres, 20 at most, with random weights."""
    import transformers

    torch.manual_seed(seed)
    body = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=1, image_size=28, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=body, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        head_hidden_size=8, depth_estimation_type="metric", max_depth=20,
    )  # fmt: skip
    model = transformers.DepthAnythingForDepthEstimation(config)
    for name, weight in model.named_parameters():
        if name.startswith(("neck", "head")) and weight.ndim == 4:
            weight.data *= 10
    model.save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 28, "width": 28}).save_pretrained(folder)
    return folder
