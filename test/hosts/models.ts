import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tinyCheckpoints, tinyRecipe } from '../helpers/tiny-model.ts';
import type { Connect } from './conformance.ts';
import { listen } from './events.ts';
import { libraryFolder, type TestHome } from './studio.ts';

/** Copied with a model as it is: large enough to be cancelled in the middle. */
const LARGE = 512 * 2 ** 20;

/** What importing a model must do over every host. */
export function importing(name: string, connect: Connect, home: () => TestHome): void {
  /** What the folder of models holds, unfinished imports too. */
  const there = async () =>
    (await readdir(home().models)).filter((entry) => !entry.startsWith('.undo-')).toSorted();

  describe(`importing a model over ${name}`, () => {
    test('offer, licences, progress, model; a second time it says so', async () => {
      const { client } = await connect();
      const before = await there();
      const files = await modelFiles('second');
      const offer = await client.models.offer({ files });
      expect(offer).toMatchObject({ id: 'second', missing: [], warnings: [] });
      expect(offer.parts.map(({ kind, about }) => [kind, about.code])).toEqual([
        ['vqgan', 'about-vqgan'],
        ['mage', 'about-mage'],
        ['rdm', 'about-rdm-classes'],
        ['encoder', 'about-encoder'],
      ]);
      expect(offer.licences.length).toBeGreaterThan(0);

      const unread = { files, acceptLicences: false } as unknown as { acceptLicences: true } & {
        files: string[];
      };
      expect(await refusal(client.models.import(unread))).toMatchObject({
        code: 'invalid-request',
        data: { field: 'acceptLicences' },
      });
      expect(await there()).toEqual(before);

      const told = await listen(client);
      expect(await client.models.import({ files, acceptLicences: true })).toEqual({ id: 'second' });
      await told.first('models');
      const steps = told.seen.filter((event) => event.kind === 'import');
      await told.stop();
      expect(steps.map(({ done }) => done)).toEqual(
        steps.map(({ done }) => done).toSorted((a, b) => a - b),
      );
      expect(steps.at(-1)).toMatchObject({ done: offer.bytes, total: offer.bytes });
      const model = (await client.models.list()).find(({ id }) => id === 'second');
      expect(model).toMatchObject({ state: 'ready', problem: null, shipped: false });
      expect(model?.classes).toHaveLength(3);

      const reason = { code: 'import-installed', values: { id: 'second' } };
      for (const again of [
        () => client.models.offer({ files }),
        () => client.models.import({ files, acceptLicences: true }),
      ]) {
        expect(await refusal(again())).toMatchObject({
          code: 'invalid-request',
          message: expect.stringContaining('installed already'),
          data: { field: 'id', reason },
        });
      }
      await client.models.remove({ id: 'second' });
      expect(await there()).toEqual(before);
    });

    test('one that is cancelled in the middle leaves nothing, and stands in nobody’s way', async () => {
      const { client } = await connect();
      const before = await there();
      expect(await client.models.cancelImport()).toEqual({ cancelled: false });
      const files = await modelFiles('large');
      const statistics = await largeFile();
      const told = await listen(client);
      const importing = refusal(client.models.import({ files, statistics, acceptLicences: true }));
      // An import that ends by itself would be a failure below, not a wait without end.
      await Promise.race([told.first('import'), importing]);
      expect(await refusal(client.models.import({ files, acceptLicences: true }))).toMatchObject({
        data: { reason: { code: 'import-running', values: {} } },
      });
      expect(await client.models.cancelImport()).toEqual({ cancelled: true });
      expect(await importing).toMatchObject({ code: 'cancelled' });
      await told.stop();
      expect(await there()).toEqual(before);
      expect((await client.models.list()).map(({ id }) => id)).not.toContain('large');
      expect(await client.models.cancelImport()).toEqual({ cancelled: false });
      expect(await client.models.offer({ files })).toMatchObject({ id: 'large' });
    });

    test('a folder stands for the files of a model in it', async () => {
      const { client } = await connect();
      const [mage = ''] = await modelFiles('whole');
      const folder = join(mage, '..');
      await writeFile(join(folder, 'notes.txt'), 'not of the model');
      expect(await client.models.offer({ files: [folder] })).toMatchObject({
        id: 'whole',
        missing: [],
      });
    });

    test.each([
      ['text', 'Once upon a time.', 'checkpoint-unreadable', 'checkpoint-text'],
      ['nothing', '', 'checkpoint-unreadable', 'checkpoint-empty'],
      ['a page', '<!doctype html><html></html>', 'checkpoint-unreadable', 'checkpoint-web-page'],
      ['no file', null, 'file-unavailable', 'file-missing'],
    ])('%s is refused with its reason and leaves nothing', async (_, content, code, why) => {
      const { client } = await connect();
      const before = await there();
      const file = join(await libraryFolder(), 'wrong.pth');
      if (content !== null) await writeFile(file, content);
      for (const call of [
        () => client.models.offer({ files: [file] }),
        () => client.models.import({ files: [file], acceptLicences: true }),
      ]) {
        expect(await refusal(call())).toMatchObject({
          code,
          data: { reason: { code: why, values: { file: 'wrong.pth' } } },
        });
      }
      expect(await there()).toEqual(before);
    });
  });
}

/** Checkpoints and recipe of a tiny model with three classes. */
async function modelFiles(name: string): Promise<string[]> {
  const folder = await libraryFolder();
  const recipe = join(folder, 'recipe.json');
  const files = await tinyCheckpoints(folder, { classes: 3 });
  await writeFile(recipe, JSON.stringify(tinyRecipe({ name })));
  return [...files, recipe];
}

/** A file that takes a while to copy, though it takes no room itself. */
async function largeFile(): Promise<string> {
  const folder = await libraryFolder();
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'large.safetensors');
  const file = await open(path, 'w');
  await file.truncate(LARGE).finally(() => file.close());
  return path;
}

/** What a call is refused with. */
function refusal(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('The studio did what it should refuse.');
    },
    (error: unknown) => error,
  );
}
