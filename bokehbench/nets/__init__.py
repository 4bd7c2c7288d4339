"""Networks: nn.Modules only, one file or small folder per paper, and the blocks that they share."""
