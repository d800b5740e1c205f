import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportBundle } from '#runtime/export';
import { openBundle } from '#worker/model';
import { writeBundle } from '../worker/bundle.ts';

/** Debian's python3-onnx, which knows opset 17: an implementation that is not ours. */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import onnx']).status === 0,
);

const GRAPHS = ['decoder', 'encoder', 'mage', 'rdm', 'tokenizer'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-export-'));
  await writeBundle(join(folder, 'tiny'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function exported(): Promise<string> {
  const out = join(folder, 'out');
  await exportBundle(await openBundle(join(folder, 'tiny')), out, { onProgress: () => undefined });
  return out;
}

describe('exported graphs', () => {
  test.skipIf(!PYTHON)("are sound in the eyes of ONNX's own checker", async () => {
    const out = await exported();
    const script =
      'import onnx, sys\n' +
      'for path in sys.argv[1:]:\n' +
      '    onnx.checker.check_model(path, full_check=True)\n' +
      '    model = onnx.load(path)\n' +
      '    print([(o.domain, o.version) for o in model.opset_import])\n';
    const paths = GRAPHS.map((graph) => join(out, `${graph}.onnx`));
    const { status, stdout, stderr } = spawnSync(PYTHON ?? '', ['-c', script, ...paths], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual(GRAPHS.map(() => "[('', 17)]"));
  });

  test('open in ONNX Runtime from where they were written', async () => {
    const out = await exported();
    for (const graph of GRAPHS) {
      const session = await InferenceSession.create(join(out, `${graph}.onnx`));
      expect(session.inputNames.length).toBeGreaterThan(0);
      await session.release();
    }
  });

  test('come with a text that says what goes in and out', async () => {
    expect(await readdir(await exported())).toContain('README.txt');
  });
});
