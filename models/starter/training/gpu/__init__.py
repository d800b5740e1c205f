"""The stages of train.py: everything on one GPU."""
