"""The four networks of RCG at any size.

Parameters carry the names of the published checkpoints, so that one importer reads all of them:
attribute names in these modules are checkpoint keys.
"""
