"""Trains the starter's RDM and MAGE on a workstation without a GPU, against the wall clock.

The tokenizer (vqgan.pt) and the encoder (moco.pt) come from train.py; they stay frozen here.
"""

import argparse
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
    pictures = argparse.ArgumentParser(add_help=False)
    pictures.add_argument(
        '--data',
        default='emoji128',
        metavar='PREFIX',
        help='rendered pictures, PREFIX.bin and PREFIX.json (default: %(default)s)',
    )
    pictures.add_argument(
        '--sets',
        type=lambda names: names.split(','),
        default=['fluent-emoji'],
        metavar='NAME,NAME',
        help='emoji sets to use (default: fluent-emoji)',
    )
    stages = parser.add_subparsers(dest='stage', required=True, metavar='STAGE')

    def add_stage(name, text, *parents):
        return stages.add_parser(name, parents=[shared, *parents], help=text, description=text)

    stage = add_stage('tokens', 'tokens and representations of every picture: tokens.pt', pictures)
    stage.add_argument('weight', type=float, help='weight of the rate of codes; the starter has 12')
    stage = add_stage('rdm', 'train the RDM: rdm.pt')
    stage.add_argument('minutes', type=float, help='how long to train')
    stage = add_stage('mage', 'train MAGE, from mage_live.pt where there is one: mage.pt')
    stage.add_argument('minutes', type=float, help='how long to train')
    stage.add_argument(
        '--batch', type=int, default=48, help='pictures in a step (default: %(default)s)'
    )
    add_stage('samples', 'draw sheets of pictures: *.png', pictures)
    stage = add_stage('statistics', 'probe, atlas and a study of guidance: stats.pt')
    stage.add_argument('count', type=int, help='samples in the study; the model card has 64')
    add_stage('export', 'write what was trained in float16, for pack.py: out_*.pt')
    return parser.parse_args()


def run(arguments):
    """Runs one stage. Imports come late, so that --help needs no PyTorch."""
    from common import export
    from cpu import mage, optim, rdm, report, tokens

    optim.use_float32_layer_norm()
    work = arguments.work
    stages = {
        'tokens': lambda: tokens.make_tokens(
            work, arguments.data, arguments.sets, arguments.weight
        ),
        'rdm': lambda: rdm.train_rdm(work, arguments.minutes),
        'mage': lambda: mage.train_mage(work, arguments.minutes, arguments.batch),
        'samples': lambda: report.samples(work, arguments.data, arguments.sets),
        'statistics': lambda: report.statistics(work, arguments.count),
        'export': lambda: export(work),
    }
    stages[arguments.stage]()


def main():
    """Runs the stage that the command line names."""
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    run(arguments)


if __name__ == '__main__':
    main()
