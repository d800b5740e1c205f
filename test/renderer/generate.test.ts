import { describe, expect, test, vi } from 'vitest';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import { Presets } from '../../renderer/generate/presets.svelte.ts';
import { Previews, type LoadPicture } from '../../renderer/generate/previews.svelte.ts';
import { FAKE_MODELS } from './fake-model.ts';
import { openApp, until } from './helpers.ts';

async function setUp(stepMs = 1, calls: Parameters<typeof openApp>[1] = {}) {
  const opened = openApp({ stepMs }, calls);
  const { app } = opened;
  const warmed: string[] = [];
  const warm = async (address: string) => void warmed.push(address);
  const generate = new Generate(app, warm);
  await until(() => app.models.loaded && app.settings.loaded);
  const model = app.models.current;
  if (model === null) throw new Error('No model.');
  app.draft.useModel(model);
  app.draft.set({ steps: 4, count: 3 });
  /** A window that was opened after all was made: nobody told it anything. */
  const openLater = () => new Generate(app, warm);
  return { ...opened, generate, model, warmed, openLater };
}

describe('generate', () => {
  test('asks for nothing of the pictures that it made, and has them before they are told', async () => {
    const get = vi.fn<() => Promise<unknown>>();
    const { app, generate, warmed, close } = await setUp(1, { 'images.get': get });
    const before: (boolean | undefined)[] = [];
    app.events.on('images', ({ ids }) => {
      const [id = 0] = ids ?? [];
      before.push(warmed.some((address) => address.startsWith(`/images/${id}/full`)));
    });
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    expect([generate.imageId, generate.detail?.seed]).toEqual([generate.keptId, 3]);
    expect([before, get.mock.calls]).toEqual([[true, true, true], []]);
    await close();
  });

  test('is not held up by a picture that does not load', async () => {
    const { app, fake, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const never = new Promise<void>(() => undefined);
    app.events.onMade(() => never);
    const told: unknown[] = [];
    app.events.on('images', ({ ids }) => told.push(ids));
    const [image] = fake.library.images.values();
    if (image === undefined) throw new Error('No picture.');
    fake.emit({ kind: 'images', ids: [image.id], made: [{ ...image, thumb: null }] });
    fake.emit({ kind: 'images', ids: null });
    await until(() => told.length === 2);
    expect(told).toEqual([[image.id], null]);
    await close();
  });

  test('shows the picture that an address names, until another is asked for', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const [first = 0] = app.jobs.newest?.images ?? [];
    app.navigation.go('generate', { image: first });
    expect(generate.imageId).toBe(first);
    expect(generate.index).toBe(0);
    app.navigation.go('generate', { image: 999_999 });
    expect([generate.imageId, generate.job]).toEqual([999_999, null]);
    generate.pick(app.jobs.newest?.id ?? 0, 1);
    expect([app.navigation.image, generate.index]).toEqual([null, 1]);
    await close();
  });

  test('knows a picture whose job is not listed by its own recipe', async () => {
    const { app, fake, generate: maker, openLater, close } = await setUp();
    app.draft.set({ seed: 70, rdmSteps: 40, label: 2 });
    await maker.add();
    await until(() => app.jobs.newest?.state === 'done');
    const generate = openLater();
    const { id, images } = app.jobs.newest ?? { id: 0, images: [] };
    await app.jobs.dismiss(id);
    const last = images[2] ?? 0;
    app.navigation.go('generate', { image: last });
    expect([generate.job, generate.subject]).toEqual([null, null]);
    await generate.load(last);
    expect(generate.subject).toEqual({
      ...{ model: 'starter', seed: 72, steps: 4, guidance: 4, temperature: 6, schedule: 'linear' },
      ...{ rdm: { steps: 40, label: 2 }, file: null },
    });
    expect(generate.steps.total).toBe(4);
    // Its recipe counts, also where a job that is listed says otherwise.
    const picture = fake.library.images.get(last);
    if (picture === undefined) throw new Error('No picture.');
    const source = { kind: 'representation' as const, name: 'a' };
    const recipe = { ...picture.recipe, seed: 9, source };
    fake.library.images.set(last, { ...picture, recipe });
    fake.emit({ kind: 'images', ids: [last] });
    await until(() => generate.subject?.seed === 9);
    expect(generate.subject?.rdm).toBeNull();
    await close();
  });

  test('knows what is being decoded while it is', async () => {
    const { app, generate, close } = await setUp(5);
    app.draft.set({ steps: 60, count: 2 });
    await generate.add();
    await until(() => (app.live.latest?.steps.length ?? 0) > 3);
    expect([generate.index, generate.subject?.model]).toEqual([0, 'starter']);
    await generate.cancel();
    await close();
  });

  test('gives nothing of a foreign picture back but its representation', async () => {
    const { app, fake, generate: maker, openLater, close } = await setUp();
    await maker.add();
    await until(() => app.jobs.newest?.state === 'done');
    const generate = openLater();
    const [id = 0] = app.jobs.newest?.images ?? [];
    const picture = fake.library.images.get(id);
    if (picture === undefined) throw new Error('No picture.');
    const recipe = { ...picture.recipe, source: { kind: 'picture' as const, name: 'cat.jpg' } };
    fake.library.images.set(id, { ...picture, recipe, operation: 'import', importedAs: 'cat.jpg' });
    app.navigation.go('generate', { image: id });
    await generate.load(id);
    expect([generate.subject?.file, generate.hasRecipe]).toEqual(['cat.jpg', false]);
    const jobs = app.jobs.list.length;
    await generate.again();
    const before = app.draft.value;
    generate.useRecipe();
    expect([app.jobs.list.length, app.draft.value]).toEqual([jobs, before]);
    generate.variations();
    expect(app.draft.source).toEqual({ kind: 'image', image: id });
    await close();
  });

  test('marks the picture on the stage by the keys of the gallery', async () => {
    const { app, fake, generate, close } = await setUp();
    const remove = app.commands.register(...generate.commands());
    const stage = { typing: false, activates: false, lends: true };
    const press = (key: string) => {
      const held = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
      return app.commands.press({ ...held, key }, stage);
    };
    // With nothing on the stage there is nothing to mark.
    expect(['4', 't', 'm', 'Delete', 'g', 'f'].map(press)).not.toContain(true);
    app.draft.set({ count: 1 });
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    const id = generate.imageId ?? 0;
    const kept = () => fake.library.images.get(id);
    expect(press('4')).toBe(true);
    await until(() => kept()?.rating === 4);
    expect(press('t')).toBe(true);
    expect(generate.marks.asking).toBe('tag');
    await generate.marks.tag(' red, round 、red,');
    expect(kept()?.tags).toEqual(expect.arrayContaining(['red', 'round']));
    await generate.marks.tag(' , ');
    await app.library.refresh();
    await generate.marks.board('favourites');
    expect([fake.library.boards.length, kept()?.boards]).toEqual([1, [1]]);
    await generate.marks.board('Harbours');
    expect(fake.library.boards.map(({ name }) => name)).toContain('Harbours');
    expect(press('Delete')).toBe(true);
    await until(() => generate.detail?.deletedAt !== null);
    expect(press('4')).toBe(false);
    expect(press('f')).toBe(true);
    expect(app.navigation).toMatchObject({ view: 'gallery', place: { similar: id } });
    remove();
    await close();
  });

  test('Escape closes, lets go, and then asks', async () => {
    const { app, generate, close } = await setUp(5);
    expect(generate.canEscape).toBe(false);
    // More than are decoded together: some are kept while others are in the making.
    app.draft.set({ steps: 40, count: 12 });
    await generate.add();
    await until(() => (app.jobs.running?.images.length ?? 0) > 0);
    generate.pick(app.jobs.running?.id ?? 0, 0);
    generate.tab = 'tokens';
    generate.steps.choose(2);
    generate.escape();
    expect([generate.steps.chosen, generate.tab]).toEqual([null, 'tokens']);
    generate.escape();
    expect([generate.tab, generate.picked !== null]).toEqual(['picture', true]);
    generate.escape();
    expect([generate.picked, generate.askingToCancel]).toEqual([null, false]);
    generate.escape();
    expect(generate.askingToCancel).toBe(true);
    await generate.cancel();
    expect([generate.askingToCancel, app.jobs.running]).toEqual([false, null]);
    await close();
  });

  test('starts from a file, which comes into the library first', async () => {
    const state = { undo: null, redo: null };
    const refused = [{ name: 'notes.txt', reason: 'Not a picture.' }];
    const answers: { readonly ids: readonly number[]; readonly refused: readonly object[] }[] = [
      { ids: [12], refused: [] },
      { ids: [], refused },
    ];
    const asked: unknown[] = [];
    const { app, close } = openApp(
      {},
      {
        'images.import': async (input) => {
          asked.push(input);
          return { ...answers.shift(), undo: state };
        },
      },
    );
    const generate = new Generate(app, async () => {});
    await generate.startFromFile([]);
    const file = new File(['x'], 'cat.png');
    await generate.startFromFile([file, new File(['y'], 'dog.png')]);
    expect([asked, app.draft.source]).toEqual([[{ files: [file] }], { kind: 'image', image: 12 }]);
    await generate.startFromFile([new File(['z'], 'notes.txt')]);
    expect(app.draft.source).toEqual({ kind: 'image', image: 12 });
    expect(app.toasts.list.map(({ tone }) => tone)).toEqual(['plain', 'danger']);
    expect(generate.importing).toBe(false);
    await close();
  });

  test('plays while the key is held, and on after a tap', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const { steps } = generate;
    expect(steps.list).toHaveLength(4);
    vi.useFakeTimers();
    try {
      steps.play();
      steps.release();
      expect(steps.playing).toBe(true);
      steps.play();
      expect(steps.playing).toBe(false);
      steps.choose(1);
      steps.play();
      vi.advanceTimersByTime(400);
      expect(steps.current?.step).toBe(3);
      steps.release();
      expect(steps.playing).toBe(false);
    } finally {
      vi.useRealTimers();
    }
    await close();
  });

  test('takes variations back with their seed, as one undo step', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    const { seed } = app.draft.value;
    generate.variations();
    expect(app.draft.value.seed).toBe(seed + 1);
    await app.undo.undo();
    expect([app.draft.source.kind, app.draft.value.seed]).toEqual(['sample', seed]);
    await close();
  });

  test('makes a job of the draft and moves the seed on', async () => {
    const { app, generate, close } = await setUp();
    app.draft.set({ seed: 70 });
    await generate.add();
    expect(app.draft.value.seed).toBe(73);
    await until(() => app.jobs.newest?.state === 'done');
    expect(generate.index).toBe(2);
    await close();
  });

  test('puts a picture in the place of its decoding when all of it can be shown', async () => {
    const { app, fake, generate, openLater, warmed, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const kept = generate.keptId ?? 0;
    expect(kept).toBe(app.jobs.newest?.images[2]);
    await generate.load(kept);
    expect(generate.imageId).toBe(kept);
    expect(generate.steps.shown).toBe(false);
    expect(warmed.at(-1)).toBe(generate.finished);
    // One that cannot be read must not leave its decoding there for ever.
    const later = openLater();
    const [first = 0] = app.jobs.newest?.images ?? [];
    fake.library.images.delete(first);
    later.pick(app.jobs.newest?.id ?? 0, 0);
    expect([later.keptId, later.imageId, later.detail]).toEqual([first, first, null]);
    await later.load(first);
    expect([later.imageId, later.detail]).toEqual([first, null]);
    await close();
  });

  test('shows the parent while its key is held, and copies the picture', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    generate.parentHeld = true;
    expect(generate.parentShown).toBeNull();
    const parent = generate.imageId ?? 0;
    generate.parentHeld = false;
    app.draft.startFrom(parent);
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done' && app.jobs.newest.images[0] !== undefined);
    await until(() => generate.keptId !== null && generate.keptId !== parent);
    await generate.load(generate.keptId);
    expect(generate.parentShown).toBeNull();
    generate.parentHeld = true;
    expect(generate.parentShown).toBe(`/images/${parent}/full`);
    const copied: string[] = [];
    await generate.copyPicture((address) => Promise.resolve(void copied.push(address)));
    expect(copied).toEqual([generate.finished]);
    await generate.copyPicture(() => Promise.reject(new TypeError('No clipboard.')));
    expect(app.toasts.list.map((toast) => toast.tone ?? '')).toContain('danger');
    await close();
  });

  test('announces the start and the end, and no step', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.announcer.politeText === 'Making 3 images');
    await until(() => /^3 images saved, \d+ seconds?$/.test(app.announcer.politeText));
    expect(generate.ended?.count).toBe(3);
    await close();
  });

  test('knows the picture, its steps and what they cost, once it is done', async () => {
    const { app, generate, close } = await setUp();
    expect(generate.estimate).toBeNull();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    expect(generate.detail?.seed).toBe(3);
    expect(generate.steps.list).toHaveLength(4);
    expect(generate.steps.shown).toBe(false);
    // 212 ms for 250 steps of the RDM, 1310 ms for 4 steps of MAGE, 96 ms for pixels.
    app.draft.set({ rdmSteps: 250, steps: 4, count: 2 });
    expect(generate.estimate).toBeCloseTo(2 * (212 + 1310 + 96));
    app.draft.startFrom(1);
    expect(generate.estimate).toBeCloseTo(4 * (1310 + 96));
    app.draft.startFromNoise();
    // It is this model's pace on this target, and known in the next window.
    app.draft.set({ target: 'portable' });
    expect(generate.estimate).toBeNull();
    app.draft.set({ target: 'cpu-int8' });
    const next = new Generate(app, async () => {});
    expect(next.estimate).toBeCloseTo(2 * (212 + 1310 + 96));
    app.kept.set('paces', '[["a"],7,["b",{"decodeStep":"x"}]]');
    expect(new Generate(app, async () => {}).estimate).toBeNull();
    await app.settings.change({ model: 'rcg-b' });
    expect(generate.estimate).toBeNull();
    await close();
  });

  test('scrubs through the steps and returns to the picture', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    const { steps } = generate;
    steps.by(-1);
    expect([steps.current?.step, steps.shown]).toEqual([3, true]);
    steps.choose(99);
    expect(steps.current?.step).toBe(4);
    steps.choose(-5);
    expect(steps.current?.step).toBe(1);
    steps.follow();
    expect(steps.shown).toBe(false);
    await close();
  });

  test('makes the steps of an older picture again when asked', async () => {
    const { app, fake, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const done = app.jobs.newest;
    if (done === null) throw new Error('No job.');
    // As after a restart: the job is listed, but its steps were never seen by this window.
    app.jobs.take([
      { ...done, id: 99, images: [...fake.library.images.keys()].slice(0, 1), total: 1 },
    ]);
    expect(generate.steps.list).toEqual([]);
    generate.previews.wantAll([]);
    await generate.steps.load();
    expect(generate.steps.list).toHaveLength(4);
    expect(generate.steps.mask).toBe(1024);
    await close();
  });

  test('picks among pictures, and follows again when the newest is picked', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    const id = app.jobs.newest?.id ?? 0;
    generate.pick(id, 0);
    expect(generate.index).toBe(0);
    await generate.add();
    expect(generate.picked).toBeNull();
    await close();
  });

  test('repeats a picture’s seed with the settings as they are now', async () => {
    const { app, generate, close } = await setUp();
    app.draft.set({ seed: 500 });
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    app.draft.set({ guidance: 9 });
    await generate.again();
    expect(app.jobs.newest?.settings).toMatchObject({ seed: 502, count: 1, guidance: 9 });
    await close();
  });

  test('starts variations from the picture, as one undo step', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    generate.variations();
    expect(app.draft.source).toEqual({ kind: 'image', image: generate.imageId });
    await app.undoNow();
    expect(app.draft.source).toEqual({ kind: 'sample' });
    await close();
  });

  test('stars a picture, and takes it back', async () => {
    const { app, generate, close } = await setUp();
    await generate.add();
    await until(() => app.jobs.newest?.state === 'done');
    await generate.load(generate.keptId);
    await generate.marks.star();
    expect(generate.detail?.starred).toBe(true);
    await app.undoNow();
    await until(() => generate.detail?.starred === false);
    await close();
  });

  test('names what is in the way of a job', async () => {
    const { app, generate, close } = await setUp();
    expect(generate.hindrance).toBeNull();
    const [whole, part] = FAKE_MODELS;
    app.models.list = part === undefined ? [] : [part];
    expect(generate.hindrance).toBe('generate.noRdm');
    app.draft.startFrom(1);
    expect(generate.hindrance).toBeNull();
    app.models.list = whole === undefined ? [] : [{ ...whole, state: 'damaged' }];
    expect(generate.hindrance).toBe('generate.damaged');
    for (const [kind, words] of [
      ['mage', 'generate.noMage'],
      ['vqgan', 'generate.noVqgan'],
    ] as const) {
      const parts = (whole?.parts ?? []).map((part) =>
        part.kind === kind ? { ...part, present: false } : part,
      );
      app.models.list = whole === undefined ? [] : [{ ...whole, state: 'incomplete', parts }];
      expect(generate.hindrance).toBe(words);
    }
    app.models.list = [];
    expect(generate.hindrance).toBe('generate.noModel');
    await generate.add();
    expect(app.jobs.list).toEqual([]);
    await close();
  });
});

describe('presets', () => {
  test('are saved, compared with, and taken again as one undo step', async () => {
    const { app, close } = await setUp();
    const presets = new Presets(app);
    app.draft.set({ guidance: 7, temperature: 2 });
    await presets.save('Wild');
    expect([presets.name, app.draft.changed]).toEqual(['Wild', []]);
    app.draft.set({ guidance: 1 });
    expect(presets.differences()).toMatchObject([{ field: 'guidance', preset: '7', here: '1' }]);
    presets.use('Wild');
    expect(app.draft.value.guidance).toBe(7);
    await app.undoNow();
    expect(app.draft.value.guidance).toBe(1);
    await presets.remove('Wild');
    expect(presets.list).toEqual([]);
    expect(presets.name).toBe('Starter default');
    await close();
  });
});

describe('previews', () => {
  function slow() {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const load: LoadPicture = (address) => {
      asked.push(address);
      return new Promise((resolve, reject) => {
        waiting.push(() =>
          address === 'lost'
            ? reject(new Error('gone'))
            : address === 'late' && asked.filter((one) => one === 'late').length === 1
              ? reject(new DOMException('late', 'TimeoutError'))
              : resolve({ close() {} } as ImageBitmap),
        );
      });
    };
    const answer = async () => {
      waiting.shift()?.();
      await new Promise((resolve) => setTimeout(resolve));
    };
    return { asked, answer, previews: new Previews(load) };
  }

  test('are fetched one at a time, and of those asked for meanwhile only the latest', async () => {
    const { asked, answer, previews } = slow();
    for (const address of ['1', '2', '3', '4']) previews.want(address);
    expect(asked).toEqual(['1']);
    await answer();
    expect(asked).toEqual(['1', '4']);
    expect(previews.dropped).toBe(2);
    await answer();
    expect(previews.get('4')).not.toBeNull();
    expect(previews.get('2')).toBeNull();
  });

  test('that are wanted now do not wait for those that can', async () => {
    const { asked, answer, previews } = slow();
    previews.wantAll(['a', 'b', 'c']);
    previews.want('now');
    // It is on its way.
    previews.want('a');
    expect(asked).toEqual(['a', 'now']);
    await answer();
    await answer();
    expect(asked).toEqual(['a', 'now', 'b']);
    previews.wantAll(['first', 'b']);
    await answer();
    expect(asked).toEqual(['a', 'now', 'b', 'first']);
  });

  test('that came too late may come another time', async () => {
    const { asked, answer, previews } = slow();
    previews.want('late');
    await answer();
    expect(previews.get('late')).toBeNull();
    previews.want('late');
    await answer();
    expect(asked).toEqual(['late', 'late']);
    expect(previews.get('late')).not.toBeNull();
  });

  test('that are gone are not asked for again', async () => {
    const { asked, answer, previews } = slow();
    previews.want('lost');
    await answer();
    previews.want('lost');
    expect(asked).toEqual(['lost']);
    expect(previews.get('lost')).toBeNull();
  });
});
