import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Reason } from '../../main/api/reasons.ts';
import type { ModelInfo } from '../../main/api/models.ts';
import type { DoctorCheck } from '../../main/api/studio.ts';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import { doctorLine, doctorReport } from '../../renderer/models/doctor.ts';
import { pathsOf } from '../../renderer/models/model-import.svelte.ts';
import { modelFacts, modelState } from '../../renderer/models/model-words.ts';
import { ModelsPage } from '../../renderer/models/models-page.svelte.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';
import { FAKE_MODELS } from './fake-model.ts';
import { openApp, until, type Calls } from './helpers.ts';

afterEach(() => void vi.unstubAllGlobals());

async function setUp(calls: Calls = {}) {
  const { app, fake, close } = openApp({ images: 12 }, calls);
  onTestFinished(close);
  const page = new ModelsPage(app);
  await until(() => app.models.loaded && app.status.value !== null);
  return { app, fake, page };
}

const [whole, incomplete] = FAKE_MODELS;
if (whole === undefined || incomplete === undefined) throw new Error('No models.');

/** Every code that the studio's doctor can answer with, and values as it gives them. */
const CHECKS: readonly DoctorCheck[] = [
  {
    code: 'engine',
    state: 'ok',
    values: { runtime: 'ONNX Runtime 1.29.0', node: 'v24', platform: 'linux' },
  },
  { code: 'processor', state: 'ok', values: { cpu: 'EPYC', cores: 2, target: 'cpu-int8' } },
  { code: 'int8', state: 'ok', values: {} },
  { code: 'no-int8', state: 'warn', values: {} },
  { code: 'memory', state: 'ok', values: { bytes: 64e9 } },
  { code: 'provider', state: 'ok', values: { name: 'cpu' } },
  { code: 'provider-idle', state: 'ok', values: { name: 'webgpu' } },
  { code: 'provider-absent', state: 'note', values: { name: 'cuda', reason: 'No cuDNN 9' } },
  { code: 'no-provider', state: 'fail', values: { name: 'cpu', reason: 'no AVX' } },
  { code: 'disk', state: 'warn', values: { free: 9.8e9 } },
  { code: 'write', state: 'ok', values: { folder: '/home/jane/Pictures' } },
  { code: 'database', state: 'ok', values: { folder: '/home/jane/Pictures' } },
  { code: 'database-damaged', state: 'fail', values: { detail: 'two pages are unreadable' } },
  { code: 'files', state: 'ok', values: { count: 12480 } },
  { code: 'files-missing', state: 'warn', values: { count: 1 } },
  { code: 'backup', state: 'ok', values: { at: 1_790_000_000_000 } },
  { code: 'files-damaged', state: 'fail', values: { count: 2 } },
  { code: 'backup-old', state: 'warn', values: { at: 1 } },
  { code: 'no-backup', state: 'warn', values: {} },
  { code: 'backup-damaged', state: 'fail', values: { detail: 'not a database' } },
  { code: 'model', state: 'ok', values: { id: 'starter' } },
  { code: 'model-damaged', state: 'fail', values: { id: 'x', detail: 'no manifest' } },
  { code: 'repeats', state: 'ok', values: { model: 'starter' } },
  { code: 'does-not-repeat', state: 'fail', values: { model: 'starter', differing: 3 } },
  { code: 'trouble', state: 'fail', values: { detail: 'the engine did not start' } },
];

describe('the doctor', () => {
  test.each(['en', 'ja'] as const)('has words for every code in %s', (language) => {
    const i18n = new I18n();
    i18n.language = language;
    for (const check of CHECKS) {
      const line = doctorLine(i18n, check);
      expect(line.title).not.toBe(check.code);
      expect(line.value + line.text).not.toBe('');
      expect(line.title + line.value + line.text).not.toMatch(/[{}]|undefined/);
    }
  });

  test('puts numbers into words', () => {
    const i18n = new I18n();
    const line = (code: string) => {
      const check = CHECKS.find((candidate) => candidate.code === code);
      if (check === undefined) throw new Error('No check.');
      return doctorLine(i18n, check);
    };
    expect(line('disk')).toMatchObject({ value: '9.8 GB', text: expect.stringContaining('10 GB') });
    expect(line('files').value).toBe('12,480 rows, 12,480 files');
    expect(line('processor').text).toBe('EPYC; runs on CPU · 8-bit');
  });

  test('shows a check that it does not know as it came', () => {
    const line = doctorLine(new I18n(), { code: 'moon', state: 'warn', values: { phase: 'full' } });
    expect(line).toMatchObject({ title: 'moon', value: '', text: 'full' });
  });

  test('sorts problems first and tells the sum', async () => {
    const { app, page } = await setUp({ 'studio.doctor': async () => CHECKS });
    await page.doctor.run();
    expect([page.doctor.problems.length, page.doctor.warnings.length]).toEqual([7, 5]);
    expect(page.doctor.rest.map(({ state }) => state)).toEqual([
      ...Array.from({ length: 5 }, () => 'warn'),
      ...Array.from({ length: 12 }, () => 'ok'),
      'note',
    ]);
    expect(app.announcer.politeText).toBe('Checked: 7 problems, 5 warnings');
  });

  test('reports codes and values, and no folder of a person', async () => {
    const report = doctorReport(CHECKS, { version: '0.1.0', at: new Date(0) });
    expect(report).toContain('RCG Studio 0.1.0\n1970-01-01\n');
    expect(report).toContain('note provider-absent name=cuda reason=No cuDNN 9');
    expect(report).not.toContain('jane');
  });
});

test('a check that carries a reason is told in the person’s language', () => {
  const i18n = new I18n();
  i18n.language = 'ja';
  const values = { id: 'tiny', detail: 'mage.safetensors was changed.' };
  const check = { code: 'model-damaged', state: 'fail', values, reason: CHANGED } as const;
  expect(doctorLine(i18n, check).text).toContain('mage.safetensors は変更されています');
  // A reason that this window has no words for.
  const newer = { ...check, reason: { code: 'of-tomorrow', values: {} } } as unknown as DoctorCheck;
  expect(doctorLine(i18n, newer).text).toContain('was changed');
});

const CHANGED: Reason = { code: 'content-changed', values: { file: 'mage.safetensors' } };

describe('a model', () => {
  const i18n = new I18n();

  test('is described by what it is, and never called verified before it was', () => {
    expect(modelState(i18n, whole)).toEqual({ tone: 'plain', text: 'Not verified yet' });
    expect(modelState(i18n, incomplete).text).toBe('1 part missing: RDM');
    expect(modelState(i18n, { ...whole, state: 'damaged' }).tone).toBe('danger');
    const at = Date.now();
    const judged = (...problems: Reason[]) => ({ ...whole, verified: { at, problems } });
    expect(modelState(i18n, judged()).tone).toBe('ok');
    expect(modelState(i18n, judged(CHANGED))).toEqual({
      ...{ tone: 'danger', text: 'Hash changed (blocked)' },
    });
    expect(modelFacts(i18n, whole)).toBe('128 px · 10 classes · 94.0 MB');
    expect(modelFacts(i18n, { ...whole, imageSize: 0, bytes: 0, classes: [] })).toBe('');
  });

  test('is verified, with what was found', async () => {
    const problems: Reason[] = [];
    let judged: ModelInfo = whole;
    const { app, page } = await setUp({
      'models.verify': async () => {
        judged = { ...whole, verified: { at: Date.now(), problems: [...problems] } };
        return { problems };
      },
      'models.list': async () => [judged, incomplete],
    });
    await page.verify('starter');
    expect(app.models.canGenerate(page.model)).toBe(true);
    expect(app.announcer.politeText).toContain('Starter is whole');
    problems.push(CHANGED);
    await page.verify('starter');
    expect(app.announcer.alertText).toBe('1 problem found');
    // It is blocked, and Generate says so.
    expect(app.models.canGenerate(page.model)).toBe(false);
    expect(new Generate(app).hindrance).toBe('generate.blocked');
    expect(page.verifying).toBeNull();
  });

  test('becomes the one in use, as one undo step', async () => {
    const { app, page } = await setUp();
    await page.use(incomplete);
    expect([app.models.current?.id, app.navigation.view]).toEqual(['rcg-b', 'generate']);
    await app.undoNow();
    expect(app.models.current?.id).toBe('starter');
  });

  test('gives its settings back when it is in use already', async () => {
    const { app, page } = await setUp();
    app.draft.set({ guidance: 9 });
    await page.use(whole);
    expect(app.draft.value.guidance).toBe(whole.recommended.guidance);
    await app.undoNow();
    expect(app.draft.value.guidance).toBe(9);
  });

  test('is removed with a way back', async () => {
    const { app, page } = await setUp();
    await page.remove(incomplete);
    expect(app.toasts.list[0]?.text).toBe('Model “RCG-B, ImageNet 256” removed');
    expect(app.toasts.list[0]?.action?.label).toBe('Undo');
  });

  test('shows pictures that it made, once', async () => {
    const { page } = await setUp();
    await page.loadSamples('starter');
    expect(page.samplesOf('starter').length).toBeGreaterThan(4);
    expect(page.samplesOf('nobody')).toEqual([]);
  });
});

describe('an import', () => {
  const offer = {
    ...{ id: 'x', title: 'RCG-B', bytes: 10, warnings: [], licences: [] },
    parts: [
      {
        kind: 'rdm',
        from: 'rdm.pth',
        about: { code: 'about-rdm', values: { width: 64, depth: 8 } },
      },
    ],
    missing: [{ kind: 'encoder' }],
  };

  test('needs an offer and a yes before it copies', async () => {
    const { page, fake } = await setUp({ 'models.offer': async () => offer });
    const { import: incoming } = page;
    incoming.begin();
    expect(incoming.canLook).toBe(false);
    incoming.text = '/data/rdm.pth\n\n "/data/mage.pth" ';
    await incoming.look();
    expect([incoming.phase, incoming.canImport]).toEqual(['offered', false]);
    await incoming.import();
    expect(incoming.phase).toBe('offered');
    incoming.accepted = true;
    const importing = incoming.import();
    fake.emit({ kind: 'import', done: 4, total: 10, file: 'rdm.pth' });
    await until(() => incoming.progress.done === 4);
    await importing;
    expect([incoming.open, incoming.phase, incoming.text]).toEqual([false, 'naming', '']);
    expect(page.model?.id).toBe('starter');
  });

  test('looks at dropped files right away where the host tells their places', async () => {
    const asked: unknown[] = [];
    const { page } = await setUp({
      'models.offer': async (input) => {
        asked.push(input);
        return offer;
      },
    });
    const files = ['mage.pth', 'rdm.pth'].map((name) => new File([], name));
    vi.stubGlobal('studioHost', { pathOf: (file: File) => `/data/${file.name}` });
    await page.import.drop(files, '');
    expect(asked).toEqual([{ files: ['/data/mage.pth', '/data/rdm.pth'] }]);
    expect([page.import.open, page.import.phase, page.import.dropped]).toEqual([
      true,
      'offered',
      [],
    ]);
  });

  test.each([
    ['a file that never lay on a disk', { pathOf: () => '' }],
    ['a browser', undefined],
    ['a host of another kind', { pathOf: '/data' }],
  ])('says what to do with dropped files: %s', async (_, host) => {
    const { page } = await setUp({ 'models.offer': async () => offer });
    vi.stubGlobal('studioHost', host);
    await page.import.drop([new File([], 'rdm.pth')], '');
    expect([page.import.open, page.import.phase, page.import.text]).toEqual([true, 'naming', '']);
    expect(page.import.dropped).toEqual(['rdm.pth']);
    await page.import.drop([], 'file:///data/rdm.pth');
    expect(page.import.files).toEqual(['/data/rdm.pth']);
  });

  test('leaves what is dropped during a copy for later', async () => {
    const { page } = await setUp();
    page.import.phase = 'copying';
    vi.stubGlobal('studioHost', { pathOf: () => '/data/rdm.pth' });
    await page.import.drop([new File([], 'rdm.pth')], '');
    expect([page.import.phase, page.import.text]).toEqual(['copying', '']);
  });

  test('says beside the files why they were refused', async () => {
    const { page, app } = await setUp();
    page.import.text = '/data/readme.txt';
    await page.import.look();
    expect(page.import.phase).toBe('naming');
    expect(page.import.failure).toMatchObject({
      code: 'checkpoint-unreadable',
      detail: 'Not a checkpoint.',
    });
    expect(app.announcer.alertText).toContain('Nothing was copied');
    page.import.back();
    expect(page.import.failure).toBeNull();
  });

  test('can be cancelled, and says nothing of it', async () => {
    let stop = () => {};
    const { page } = await setUp({
      'models.offer': async () => offer,
      'models.import': () =>
        new Promise((_, reject) => {
          stop = () => reject(Object.assign(new Error('stopped'), { code: 'cancelled' }));
        }),
    });
    const { import: incoming } = page;
    incoming.text = '/data/rdm.pth';
    await incoming.look();
    incoming.accepted = true;
    const importing = incoming.import();
    await incoming.cancel();
    expect(incoming.cancelling).toBe(true);
    stop();
    await importing;
    expect([incoming.phase, incoming.cancelling, incoming.failure]).toEqual([
      'offered',
      false,
      null,
    ]);
  });

  test('takes no more files than the contract', async () => {
    const { page } = await setUp();
    page.import.text = Array.from({ length: 21 }, (_, i) => `/data/${i}.pth`).join('\n');
    expect(page.import.canLook).toBe(false);
  });

  test.each([
    ['', []],
    ['/a b/c.pth', ['/a b/c.pth']],
    ["'/a/b.pth'\r\n/a/b.pth", ['/a/b.pth']],
    ['file:///data/my%20model/rdm.pth', ['/data/my model/rdm.pth']],
    ['file:///C:/models/rdm.pth', ['C:/models/rdm.pth']],
    ['file://%zz', ['file://%zz']],
  ])('reads the paths of %j', (text, paths) => {
    expect(pathsOf(text)).toEqual(paths);
  });
});

describe('files for an import', () => {
  test('are chosen in the system’s dialog where there is one, and looked into', async () => {
    const chosen: string[] = [];
    vi.stubGlobal('studioHost', { chooseFiles: async () => chosen });
    const offered: unknown[] = [];
    const { page } = await setUp({
      'models.offer': async (input) => {
        offered.push(input);
        throw new Error('No checkpoint.');
      },
    });
    page.import.begin();
    // Closed without a choice.
    await page.import.choose();
    expect([offered, page.import.text]).toEqual([[], '']);
    chosen.push('/data/mage.pth', '/data/rdm 2.pth');
    await page.import.choose();
    expect(offered).toEqual([{ files: ['/data/mage.pth', '/data/rdm 2.pth'] }]);
    expect(page.import.phase).toBe('naming');
  });

  test('are named by their paths in a browser', async () => {
    const { page } = await setUp();
    expect(page.import.chooser).toBeNull();
  });
});
