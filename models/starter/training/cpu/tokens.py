"""Stage tokens: codes and representations of every picture, from the frozen networks."""

import numpy as np
import torch

import common
from cpu.codes import constrained_codes
from nets.moco import MoCoEncoder, normalize, standardize
from nets.vqgan import VQGAN

CHUNK = 16
CHANNELS_LAST = torch.channels_last


def load_images(data, sets):
    """The pictures of the named sets, but for skin tones.

    Returns uint8 [N, 128, 128, 3] and their groups, int64 [N].
    """
    blob = common.read_blob(data)
    items = []
    for item in common.read_items(data):
        path = item[3]
        if path.split('/')[0] in sets and 'skin-tone' not in path:
            items.append(item)
    images = np.stack([common.decode_picture(blob, item) for item in items])
    return torch.from_numpy(images), torch.tensor([item[2] for item in items])


def to_floats(images):
    """uint8 [B, 128, 128, 3] -> floats [B, 3, 128, 128] in 0..1."""
    return images.permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def make_tokens(work, data, sets, weight):
    """Writes tokens.pt: 'tokens' int16 and 'reps' float32, both [1, N, 256]; 'groups' int64 [N].

    weight: see constrained_codes. The tokenizer runs in float32: its group norms are wrong in
    bfloat16 on some PyTorch versions.
    """
    images, groups = load_images(data, sets)
    n = len(images)
    features = torch.empty(n, 256, 64, dtype=torch.float16)
    reps = torch.empty(n, 256)
    vqgan = common.load_frozen(VQGAN(), work / 'vqgan.pt')
    vqgan.encoder.to(memory_format=CHANNELS_LAST)
    encoder = common.load_frozen(MoCoEncoder(), work / 'moco.pt')
    for i in range(0, n, CHUNK):
        x = to_floats(images[i : i + CHUNK])
        z = vqgan.encoder(x.contiguous(memory_format=CHANNELS_LAST))
        features[i : i + CHUNK] = z.permute(0, 2, 3, 1).reshape(-1, 256, 64).half()
        reps[i : i + CHUNK] = standardize(encoder(normalize(x)))
    codes = constrained_codes(features, vqgan.quantize.embedding.weight, weight)
    saved = {'tokens': codes[None].short(), 'reps': reps[None], 'groups': groups}
    torch.save(saved, work / 'tokens.pt')
    print('codes used', codes.unique().numel())
