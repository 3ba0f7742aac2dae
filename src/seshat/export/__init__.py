"""Trained models in the forms that other programs take, each with a proof that it still translates as it did."""
