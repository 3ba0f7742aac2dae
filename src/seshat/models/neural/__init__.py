"""Pretrained models: fine-tuning them, whatever their family."""
