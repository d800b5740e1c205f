import { describe, expect, test } from 'vitest';
import { MAX_PICKLE_STACK } from '#checkpoint/limits';
import { pickleOf, torchZip, torchZipOf, type TorchValue } from '../../helpers/torch-file.ts';
import { contents, openBytes, refusal } from './opening.ts';

/** A file whose object tree is these opcodes, one character a byte. */
function withOpcodes(text: string): Promise<unknown> {
  return openBytes(torchZipOf(Buffer.from(text, 'latin1')), 'hostile.pth');
}

const weight = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

describe('an object tree', () => {
  test.each([
    ['posix.system', 'cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.'],
    ['os.system', 'cos\nsystem\nX\x02\x00\x00\x00ls\x85R.'],
    ['nt.system', 'cnt\nsystem\n.'],
    ['builtins.eval', 'cbuiltins\neval\n.'],
    ['__builtin__.getattr', 'c__builtin__\ngetattr\n.'],
    ['subprocess.Popen', '\x8c\x0asubprocess\x8c\x05Popen\x93.'],
    [
      'torch._utils._rebuild_tensor_v2.__globals__',
      'ctorch._utils._rebuild_tensor_v2\n__globals__\n.',
    ],
    ['torch.load', 'ctorch\nload\n.'],
    ['models.vit.VisionTransformer', 'cmodels.vit\nVisionTransformer\n)\x81}b.'],
  ])('that names %s is refused by that name', async (name, program) => {
    const error = await refusal(withOpcodes(`\x80\x02${program}`), 'pickle-forbidden-global');
    expect(error.file).toBe('hostile.pth');
    expect(error.message).toContain(`"${name}"`);
  });

  test('that names something unprintable is refused in one short line', async () => {
    const error = await refusal(
      withOpcodes(`\x80\x02c\x1b[2J\r${'x'.repeat(200)}\ny\n.`),
      'pickle-forbidden-global',
    );
    expect(error.message).toMatch(/^[\P{C}]*$/u);
    expect(error.message.length).toBeLessThan(400);
  });

  test('may hold what training scripts leave beside the weights', async () => {
    const call = (name: string, ...args: TorchValue[]): TorchValue => ({ call: name, args });
    const dtype = { call: 'numpy.dtype', args: ['f8', false, true], state: [3, '<', null] };
    const file = torchZip({
      model: { weight },
      best: call(
        'numpy.core.multiarray.scalar',
        dtype,
        call('_codecs.encode', '\x00\x01', 'latin1'),
      ),
      array: {
        call: 'numpy.core.multiarray._reconstruct',
        args: [call('builtins.bytearray'), [0], 'b'],
        state: [1, [2], dtype, false, 'xx'],
      },
      size: call('torch.Size', [1, 2]),
      device: call('torch.device', 'cuda', 0),
      set: call('builtins.set', [1, 2]),
      counts: call('collections.defaultdict', call('builtins.int'), { a: 1 }),
      milestones: call('collections.Counter', { 30: 1 }),
      path: call('pathlib.PosixPath', '/', 'data'),
      epoch: 4,
    });
    const checkpoint = await openBytes(file);
    expect([...checkpoint.stateDicts.keys()]).toEqual(['model']);
    expect(checkpoint.metadata).toEqual({ epoch: 4 });
  });

  test('may build its dictionaries in other ways', async () => {
    const items = [['weight', weight]] as const;
    const file = torchZip({
      pairs: { call: 'collections.OrderedDict', args: [items] },
      dict: { call: 'builtins.dict', args: [{ weight }] },
      missing: { call: 'collections.defaultdict', args: [null, new Map(items)] },
    });
    expect(Object.keys(await contents(await openBytes(file)))).toEqual([
      'pairs/weight',
      'dict/weight',
      'missing/weight',
    ]);
  });

  test('may have tensors saved by newer versions of PyTorch', async () => {
    const storage = (type: string): string =>
      `(\x8c\x07storage\x8c\x05torch\x8c${String.fromCharCode(type.length)}${type}\x93\x8c\x010\x8c\x03cpu`;
    const rest = 'K\x00K\x02\x85K\x01\x85\x89)';
    const untyped = `${storage('UntypedStorage')}K\x08tQ${rest}`;
    const float = `${storage('FloatStorage')}K\x02tQ${rest}`;
    const v3 = `\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v3\x93(${untyped}\x8c\x05torch\x8c\x07float32\x93tR`;
    const subclass =
      '\x8c\x0dtorch._tensor\x8c\x15_rebuild_from_type_v2\x93(' +
      '\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93' +
      `\x8c\x18torch.nn.parameter\x8c\x09Parameter\x93(${float}t}tR`.replace('\x18', '\x12');
    const program = `\x80\x04\x95${'\x00'.repeat(8)}}\x94(\x8c\x02v3${v3}\x8c\x04subc${subclass}u.`;
    const file = torchZipOf(Buffer.from(program, 'latin1'), [
      ['0', Buffer.from(Float32Array.of(1, 2).buffer)],
    ]);
    expect(await contents(await openBytes(file))).toEqual({
      '/v3': 'float32 [2] 0000803f00000040',
      '/subc': 'float32 [2] 0000803f00000040',
    });
  });

  test.each([
    ['nothing', ''],
    ['no end', '\x80\x02}'],
    ['an empty stack', '\x80\x02.'],
    ['a tuple of too little', '\x80\x02N\x87.'],
    ['a mark that is missing', '\x80\x02Nt.'],
    ['a value below its mark', '\x80\x02N(.'],
    ['an unknown memory', '\x80\x02h\x07.'],
    ['a key without a value', '\x80\x02}(K\x01u.'],
    ['items of a number', '\x80\x02K\x01(K\x01K\x02u.'],
    ['a number to append to', '\x80\x02K\x01K\x02a.'],
    ['a number to call', '\x80\x02K\x01)R.'],
    ['no arguments', '\x80\x02ccollections\nOrderedDict\nNR.'],
    ['a dictionary of numbers', '\x80\x02ccollections\nOrderedDict\n]K\x01a\x85R.'],
    ['text that is no UTF-8', '\x80\x02X\x02\x00\x00\x00\xc0\x80.'],
    ['a storage that is none', '\x80\x02NQ.'],
    ['a storage of no type', '\x80\x02(X\x07\x00\x00\x00storagectorch\ndevice\nNNNtQ.'],
    ['a tensor of no storage', '\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tR.'],
    ['a parameter of no tensor', '\x80\x02ctorch._utils\n_rebuild_parameter\nN\x85R.'],
    ['protocol 6', '\x80\x06N.'],
    ['a bad end', '\x80\x02}X\xff\x00\x00\x00abc'],
  ])('with %s is damaged', async (_, program) => {
    await refusal(withOpcodes(program), 'pickle-damaged');
  });

  test.each([
    ['INST', '\x80\x02(ios\nsystem\n.'],
    ['OBJ', '\x80\x02(No.'],
    ['EXT1', '\x80\x02\x82\x01.'],
    ['PERSID', '\x80\x02Pstorage\n.'],
    ['the text form of integers', 'I1\n.'],
    ['NEXT_BUFFER', '\x80\x05\x97.'],
  ])('with the opcode %s is refused', async (_, program) => {
    await refusal(withOpcodes(program), 'pickle-unknown-opcode');
  });

  test('may hold itself', async () => {
    const { pickle, storages } = pickleOf({ weight });
    // The root, remembered as 0, becomes an item of itself.
    const program = Buffer.concat([
      pickle.subarray(0, -1),
      Buffer.from('X\x04\x00\x00\x00selfh\x00s.'),
    ]);
    const file = torchZipOf(
      program,
      [...storages].map(([key, { data }]) => [key, data]),
    );
    const { stateDicts } = await openBytes(file);
    expect([...stateDicts.keys()]).toEqual(['', 'self']);
  });

  test('may be as deep as it likes', async () => {
    const deep = `\x80\x02${'('.repeat(200_000)}${'t'.repeat(200_000)}.`;
    await refusal(withOpcodes(deep), 'no-tensors');
    const nested = `\x80\x02${']'.repeat(100_000)}${'a'.repeat(99_999)}.`;
    await refusal(withOpcodes(nested), 'no-tensors');
  });
});

describe('limits of an object tree', () => {
  test.each([
    ['values on the stack', `\x80\x02${'N'.repeat(MAX_PICKLE_STACK + 1)}.`],
    ['marks', `\x80\x02${'('.repeat(MAX_PICKLE_STACK + 1)}.`],
    ['objects', `\x80\x02${'}0'.repeat(2_000_001)}N.`],
    ['byte strings', `\x80\x03${'C\x000'.repeat(700_000)}N.`],
    ['strings', `\x80\x02${'U\x01x0'.repeat(2_000_001)}N.`],
    ['opcodes', `\x80\x02${'N0'.repeat(6_000_001)}N.`],
    ['bytes in a string', `\x80\x02X\xff\xff\xff\x7f`],
    ['bytes in a long string', `\x80\x04\x8d${'\xff'.repeat(8)}`],
    ['bytes in an integer', `\x80\x02\x8b\xff\xff\xff\xff`],
    ['bytes in a name', `\x80\x02c${'a'.repeat(1000)}`],
  ])('%s', async (_, program) => {
    await refusal(withOpcodes(program), 'limit-exceeded');
  });

  test('copies of a long argument', async () => {
    const list = `](${'N'.repeat(500_000)}e\x85q\x00`;
    const copy = 'c__builtin__\nlist\nq\x010' + 'h\x01h\x00R0'.repeat(1000);
    await refusal(withOpcodes(`\x80\x02${list}${copy}N.`), 'limit-exceeded');
  });

  test('one dictionary under very many keys', async () => {
    const dict = `}q\x00(${Array.from({ length: 5000 }, (_, i) => `M${u16(i)}N`).join('')}u`;
    const keys = Array.from(
      { length: 5000 },
      (_, i) => `X\x04\x00\x00\x00${String(i).padStart(4, '0')}h\x00`,
    );
    await refusal(withOpcodes(`\x80\x02${dict}}(${keys.join('')}u.`), 'limit-exceeded');
  });
});

function u16(value: number): string {
  return String.fromCharCode(value & 255, value >> 8);
}

describe('a tensor', () => {
  const six = new Float32Array(6);
  const tensor = (rest: object): TorchValue => ({
    dtype: 'float32',
    shape: [6],
    data: six,
    ...rest,
  });

  test.each([
    ['more elements than its storage', { shape: [7] }],
    ['an offset behind the end', { offset: 1 }],
    ['strides that leave the storage', { shape: [2, 3], strides: [4, 1] }],
    ['a stride for each axis missing', { strides: [] }],
    ['a negative stride', { strides: [-1], offset: 5 }],
    ['a negative size', { shape: [-1] }],
    ['a negative offset', { offset: -1 }],
    ['half an element', { shape: [1.5] }],
    ['sizes whose sum is not exact', { shape: [2 ** 20, 2 ** 20], strides: [2 ** 52, 2 ** 52] }],
  ])('may not have %s', async (_, change) => {
    const error = await refusal(
      openBytes(torchZip({ model: { 'a.weight': tensor(change) } })),
      'tensor-out-of-bounds',
    );
    expect(error).toMatchObject({ file: 'model.pth', key: 'a.weight' });
    expect(error.message).toContain('a.weight');
  });

  test.each([
    ['elements', { shape: [2 ** 21, 2 ** 20], strides: [0, 0] }],
    ['elements beyond all numbers', { shape: Array(8).fill(2 ** 50), strides: Array(8).fill(0) }],
    ['bytes made out of few', { shape: [2 ** 27], strides: [0] }],
  ])('may not claim too many %s', async (_, change) => {
    const error = await refusal(
      openBytes(torchZip({ model: { weight: tensor(change) } })),
      'limit-exceeded',
    );
    expect(error.key).toBe('weight');
  });

  test.each([
    ['repeat one element', { shape: [2 ** 24], strides: [0] }, 5],
    ['share one storage', { shape: [2 ** 18], data: new Float32Array(2 ** 18) }, 300],
  ])('may %s, but not without end', async (_, view, count) => {
    const views = (many: number) => {
      const names = Array.from({ length: many }, (_none, i) => `view.${i}`);
      const tensors = names.map((name) => [name, tensor({ ...view, storage: 'one' })] as const);
      return torchZip({ model: Object.fromEntries(tensors) });
    };
    const error = await refusal(openBytes(views(count)), 'limit-exceeded');
    expect(error.key).toMatch(/^view\.\d+$/);
    expect(error.message).toContain('unfold');
    const few = await openBytes(views(3));
    expect(few.stateDicts.get('model')?.size).toBe(3);
  });

  test('may not have too many axes', async () => {
    const shape = Array(9).fill(1);
    await refusal(openBytes(torchZip({ model: { weight: tensor({ shape }) } })), 'pickle-damaged');
  });

  test.each(['ComplexFloatStorage', 'QInt8Storage'])(
    'of %s is named as unreadable',
    async (type) => {
      const { pickle } = pickleOf({ model: { weight: tensor({}) } });
      const program = Buffer.from(pickle).toString('latin1').replace('FloatStorage', type);
      const file = torchZipOf(Buffer.from(program, 'latin1'), [['0', new Uint8Array(48)]]);
      const error = await refusal(openBytes(file), 'unsupported-dtype');
      expect(error.message).toContain(`weight: holds elements of type torch.${type}`);
    },
  );
});
