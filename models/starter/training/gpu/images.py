"""The training pictures on the device, and their random views."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F

import common
from gpu.device import DEVICE, SMOKE

SMOKE_IMAGES = 64
LUMA = [0.299, 0.587, 0.114]
CHROMA_BLUE = 0.492
CHROMA_RED = 0.877


def load_images(work, data):
    """Every picture as uint8 [N, 128, 128, 3]; decodes them into `work` the first time."""
    path = work / 'images.npy'
    if not path.exists():
        items = common.read_items(data)
        blob = common.read_blob(data)
        if SMOKE:
            items = items[:SMOKE_IMAGES]
        with ThreadPoolExecutor(16) as pool:
            images = np.stack(list(pool.map(lambda item: common.decode_picture(blob, item), items)))
        partial = work / 'images.npy.tmp.npy'
        np.save(partial, images)
        os.replace(partial, path)
        np.save(work / 'groups.npy', np.array([item[2] for item in items]))
    return torch.from_numpy(np.load(path)).to(DEVICE)


def load_groups(work):
    """The emoji group, 0..8, of every picture: int64 [N]."""
    return torch.from_numpy(np.load(work / 'groups.npy')).long().to(DEVICE)


def fetch(images, index):
    """The pictures at index [B] as floats [B, 3, 128, 128] in 0..1."""
    return images[index].permute(0, 3, 1, 2).float() / 255


def affine(x, size, scale, rotation, shift, flip=0.5, aspect=0.0):
    """A random affine view [B, 3, size, size] of each picture, white outside.

    scale: smallest and largest visible window; rotation: degrees either way; shift: share of the
    picture; flip: probability; aspect: range of the logarithm.
    """
    b = x.shape[0]

    def uniform(low, high):
        return torch.empty(b, device=x.device).uniform_(low, high)

    s = torch.exp(uniform(math.log(scale[0]), math.log(scale[1])))
    angle = uniform(-rotation, rotation) * math.pi / 180
    a = torch.exp(uniform(-aspect, aspect) / 2)
    mirror = torch.where(torch.rand(b, device=x.device) < flip, -1.0, 1.0)
    room = (1 - s).clamp_min(0) + shift
    t_x = uniform(-1, 1) * room
    t_y = uniform(-1, 1) * room
    cos = torch.cos(angle)
    sin = torch.sin(angle)
    row_x = torch.stack([mirror * s * a * cos, -s / a * sin, t_x], 1)
    row_y = torch.stack([mirror * s * a * sin, s / a * cos, t_y], 1)
    grid = F.affine_grid(torch.stack([row_x, row_y], 1), (b, 3, size, size), align_corners=False)
    view = F.grid_sample(1 - x, grid, mode='bilinear', padding_mode='zeros', align_corners=False)
    return 1 - view


def hue(x, degrees, saturation):
    """Rotates the hue and scales the saturation of each picture, in a luma-chroma space."""
    b = x.shape[0]
    angle = (torch.rand(b, device=x.device) * 2 - 1) * degrees * math.pi / 180
    factor = 1 + (torch.rand(b, device=x.device) * 2 - 1) * saturation
    y = (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1)
    u = (x[:, 2] - y) * CHROMA_BLUE
    v = (x[:, 0] - y) * CHROMA_RED
    cos = (torch.cos(angle) * factor).view(-1, 1, 1)
    sin = (torch.sin(angle) * factor).view(-1, 1, 1)
    u, v = cos * u - sin * v, sin * u + cos * v
    red = y + v / CHROMA_RED
    blue = y + u / CHROMA_BLUE
    green = (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return torch.stack([red, green, blue], 1).clamp(0, 1)
