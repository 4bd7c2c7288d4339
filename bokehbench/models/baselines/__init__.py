"""Methods that need no training: what any trained one should beat."""
