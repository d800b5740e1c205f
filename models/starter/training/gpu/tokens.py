"""Stage tokens: codes and representations of several views of every picture."""

import torch

from common import load_frozen
from gpu.device import DEVICE, SMOKE
from gpu.images import affine, fetch, load_images
from nets.moco import MoCoEncoder, normalize, standardize
from nets.vqgan import VQGAN

# The first view is the picture as it is.
VIEWS = 2 if SMOKE else 24
CHUNK = 512


@torch.no_grad()
def make_tokens(work, data):
    """Writes tokens.pt: 'tokens' int16 and 'reps' float32, both [VIEWS, N, 256]."""
    images = load_images(work, data)
    n = len(images)
    vqgan = load_frozen(VQGAN(), work / 'vqgan.pt', DEVICE)
    encoder = load_frozen(MoCoEncoder(), work / 'moco.pt', DEVICE)
    tokens = torch.empty(VIEWS, n, 256, dtype=torch.int16, device=DEVICE)
    reps = torch.empty(VIEWS, n, 256, device=DEVICE)
    for view in range(VIEWS):
        for i in range(0, n, CHUNK):
            x = fetch(images, torch.arange(i, min(i + CHUNK, n), device=DEVICE))
            if view:
                x = affine(x, 128, (0.92, 1.1), 6, 0.03)
            _, _, codes = vqgan.quantize(vqgan.encoder(x))
            tokens[view, i : i + CHUNK] = codes.short()
            reps[view, i : i + CHUNK] = standardize(encoder(normalize(x)))
    torch.save({'tokens': tokens.cpu(), 'reps': reps.cpu()}, work / 'tokens.pt')
    used = tokens.unique().numel()
    spread = reps.std((0, 1)).mean().item()
    print('tokens', tuple(tokens.shape), 'codes used', used, 'rep std over data', spread)
