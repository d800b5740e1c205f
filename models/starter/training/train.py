"""Trains a starter on one GPU, against the wall clock.

The shipped starter takes its tokenizer and encoder from here (images, vqgan, moco, export), the
rest from train_cpu.py. The other stages train and measure a larger MAGE, and an RDM, on the GPU.
Without a GPU each stage runs as a tiny smoke test.
"""

import argparse
import time
from pathlib import Path


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        '--work',
        type=Path,
        default=Path('starter-work'),
        metavar='FOLDER',
        help='folder of everything trained (default: %(default)s)',
    )
    shared.add_argument(
        '--data',
        default='emoji128',
        metavar='PREFIX',
        help='rendered pictures, PREFIX.bin and PREFIX.json (default: %(default)s)',
    )
    stages = parser.add_subparsers(dest='stage', required=True, metavar='STAGE')
    timed = {
        'vqgan': 'train the tokenizer: vqgan.pt',
        'moco': 'train the representation encoder: moco.pt',
        'mage': 'train MAGE, from mage_start.pt where there is one: mage.pt',
        'rdm': 'train the RDM: rdm.pt',
    }
    untimed = {
        'images': 'decode the pictures: images.npy, groups.npy',
        'tokens': 'tokens and representations of every picture: tokens.pt',
        'samples': 'draw sheets of pictures: gen_*.png, interp.png, recon_rep.png',
        'statistics': 'probe, atlas and a study of guidance: stats.pt',
        'export': 'write what was trained in float16, for pack.py: out_*.pt',
    }
    for name, text in timed.items():
        stage = stages.add_parser(name, parents=[shared], help=text, description=text)
        stage.add_argument('minutes', type=float, help='how long to train')
    for name, text in untimed.items():
        stages.add_parser(name, parents=[shared], help=text, description=text)
    return parser.parse_args()


def run(arguments):
    """Runs one stage. Imports come late, so that --help needs no PyTorch."""
    from common import export
    from gpu import device, encoder, generators, images, report, tokenizer, tokens

    device.prepare()
    work = arguments.work
    data = arguments.data
    stages = {
        'images': lambda: images.load_images(work, data),
        'vqgan': lambda: tokenizer.train_vqgan(work, data, arguments.minutes),
        'moco': lambda: encoder.train_moco(work, data, arguments.minutes),
        'tokens': lambda: tokens.make_tokens(work, data),
        'mage': lambda: generators.train_mage(work, arguments.minutes),
        'rdm': lambda: generators.train_rdm(work, arguments.minutes),
        'samples': lambda: report.samples(work, data),
        'statistics': lambda: report.statistics(work),
        'export': lambda: export(work),
    }
    stages[arguments.stage]()


def main():
    """Runs the stage that the command line names, and says how long it took."""
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    run(arguments)
    print('DONE', arguments.stage, f'{time.time() - started:.0f}s', flush=True)


if __name__ == '__main__':
    main()
