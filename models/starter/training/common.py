"""What the training scripts share: the rendered pictures, checkpoints, contact sheets, measures."""

import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import linalg


def read_items(data):
    """The records of the rendered pictures: [offset, length, group, 'set/name'] each."""
    return json.loads(Path(f'{data}.json').read_text(encoding='utf-8'))['items']


def read_blob(data):
    """The bytes of the rendered pictures, one WebP after another."""
    return Path(f'{data}.bin').read_bytes()


def decode_picture(blob, item):
    """One picture as uint8 [128, 128, 3]."""
    offset, length = item[:2]
    picture = Image.open(io.BytesIO(blob[offset : offset + length]))
    return np.asarray(picture.convert('RGB'))


def map_floats(state, change):
    """Applies `change` to the floating-point tensors of a state dict."""
    return {k: change(v) if v.dtype.is_floating_point else v for k, v in state.items()}


def half(state):
    """A state dict in float16; integers stay."""
    return map_floats(state, torch.Tensor.half)


def full(state):
    """A state dict in float32; integers stay."""
    return map_floats(state, torch.Tensor.float)


def load_frozen(network, path, device='cpu'):
    """A trained network (tokenizer or encoder) on `device`, in float32 and evaluation mode."""
    network = network.to(device).eval()
    network.load_state_dict(full(torch.load(path, map_location=device)))
    return network


def export(work):
    """Writes out_*.pt, the float16 weights that pack.py reads, for each part trained in `work`."""
    for name in ('vqgan', 'moco', 'mage'):
        path = work / f'{name}.pt'
        if path.exists():
            torch.save(half(torch.load(path, map_location='cpu')), work / f'out_{name}.pt')
    if (work / 'rdm.pt').exists():
        rdm = torch.load(work / 'rdm.pt', map_location='cpu')
        parts = {part: half(rdm[part]) for part in ('rdm', 'class_embedding')}
        torch.save(parts, work / 'out_rdm.pt')
    for path in sorted(work.glob('out_*')):
        print(path.name, path.stat().st_size / 2**20, 'MiB')


def save_sheet(pictures, path, columns=8):
    """Writes pictures, uint8 [N, 3, S, S], as one PNG of rows on white."""
    pictures = pictures.permute(0, 2, 3, 1).numpy()
    side = pictures.shape[1]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * side, columns * side, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top = i // columns * side
        left = i % columns * side
        sheet[top : top + side, left : left + side] = picture
    Image.fromarray(sheet).save(path)


def moments(reps):
    """Mean [256] and covariance [256, 256], in float64, of representations [N, 256]."""
    reps = reps.double().cpu().numpy()
    return reps.mean(0), np.cov(reps.T)


def frechet_distance(moments_1, moments_2):
    """Frechet distance of two Gaussians, each as (mean, covariance)."""
    mean_1, cov_1 = moments_1
    mean_2, cov_2 = moments_2
    root = linalg.sqrtm(cov_1 @ cov_2).real
    return float(((mean_1 - mean_2) ** 2).sum() + np.trace(cov_1 + cov_2 - 2 * root))


def class_score(p):
    """exp of the mean KL divergence of class probabilities p [N, C] from their mean: 1..C."""
    surprise = p.clamp_min(1e-9).log() - p.mean(0).clamp_min(1e-9).log()
    return (p * surprise).sum(1).mean().exp().item()
