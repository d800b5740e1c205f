"""The stages of train_cpu.py: the two generators, on a workstation without a GPU."""
