"""Writes a trained starter as checkpoints in the layout of the published files.

Matrices stay float16, tensors of one dimension or less become float32.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch

from nets.rdm import BETA_END, BETA_START, TIMESTEPS

SAFETENSORS_TYPES = {
    torch.float32: 'F32',
    torch.float16: 'F16',
    torch.int16: 'I16',
    torch.int32: 'I32',
    torch.uint8: 'U8',
}


def load(path):
    """What torch.save wrote, on the CPU."""
    return torch.load(path, map_location='cpu')


def widen(tensor):
    """Norms, biases and batch statistics in float32; everything else as it is."""
    if tensor.dtype.is_floating_point and tensor.dim() <= 1:
        return tensor.float()
    return tensor


def prefixed(prefix, state):
    """A state dict with widened tensors under prefixed names."""
    return {prefix + k: widen(v) for k, v in state.items()}


def save_checkpoint(model, path):
    """Writes the envelope of the published checkpoints."""
    torch.save({'model': model, 'model_ema': None, 'epoch': 0}, path)


def pack_mage(source):
    """MAGE, the tokenizer under `vqgan.` and the encoder under `pretrained_encoder.`."""
    return {
        **prefixed('', load(source / 'out_mage.pt')),
        **prefixed('vqgan.', load(source / 'out_vqgan.pt')),
        **prefixed('pretrained_encoder.', load(source / 'out_moco.pt')),
    }


def diffusion_schedule():
    """The published schedule's tables: float32 [1000] each."""
    root_betas = np.linspace(BETA_START**0.5, BETA_END**0.5, TIMESTEPS, dtype=np.float64)
    betas = root_betas**2
    alpha_bar = np.cumprod(1 - betas)
    tables = {
        'betas': betas,
        'alphas_cumprod': alpha_bar,
        'alphas_cumprod_prev': np.append(1.0, alpha_bar[:-1]),
        'sqrt_recip_alphas_cumprod': np.sqrt(1 / alpha_bar),
        'sqrt_recipm1_alphas_cumprod': np.sqrt(1 / alpha_bar - 1),
    }
    return {k: torch.from_numpy(np.asarray(v, np.float32)) for k, v in tables.items()}


def pack_rdm(source):
    """Schedule, class table and the RDM's averaged weights, whose names lose their dots."""
    parts = load(source / 'out_rdm.pt')
    weights = {k.replace('.', ''): v for k, v in parts['rdm'].items()}
    return {
        **diffusion_schedule(),
        'model_ema.decay': torch.tensor(0.9999),
        'model_ema.num_updates': torch.tensor(0, dtype=torch.int32),
        'cond_stage_model.embedding.weight': parts['class_embedding']['weight'],
        **prefixed('model_ema.diffusion_model', weights),
    }


def save_safetensors(tensors, path):
    """Writes tensors as a safetensors file, in their order."""
    header = {}
    blobs = []
    offset = 0
    for name, tensor in tensors.items():
        blob = tensor.contiguous().numpy().tobytes()
        header[name] = {
            'dtype': SAFETENSORS_TYPES[tensor.dtype],
            'shape': list(tensor.shape),
            'data_offsets': [offset, offset + len(blob)],
        }
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(blobs))


def main():
    """Packs the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source', type=Path, help='folder with out_*.pt and, where it was made, stats.pt'
    )
    parser.add_argument(
        'target', type=Path, help='folder for mage.pth, rdm.pth, statistics.safetensors'
    )
    arguments = parser.parse_args()
    source = arguments.source
    target = arguments.target
    target.mkdir(parents=True, exist_ok=True)
    save_checkpoint(pack_mage(source), target / 'mage.pth')
    save_checkpoint(pack_rdm(source), target / 'rdm.pth')
    if (source / 'stats.pt').exists():
        stats = load(source / 'stats.pt')
        stats.pop('atlas.index', None)
        save_safetensors(stats, target / 'statistics.safetensors')
    for path in sorted(target.iterdir()):
        print(path.name, round(path.stat().st_size / 2**20, 1), 'MiB')


if __name__ == '__main__':
    main()
