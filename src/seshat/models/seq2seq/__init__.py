"""A small encoder-decoder trained from scratch: vocabulary and batches, network, checkpoints, training."""
