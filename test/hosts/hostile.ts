import { isContractProcedure } from '@orpc/contract';
import { describe, expect, test } from 'vitest';
import { contract } from '#api/contract';
import type { Connect, StudioClient } from './conformance.ts';

/** What no call takes, whichever it is. */
const HOSTILE: readonly (readonly [what: string, input: unknown])[] = [
  ['a text', 'everything'],
  ['a number', 7],
  ['a number beyond all', 1e308],
  ['a truth', true],
  ['a list', [1, 2, 3]],
  ['a long list', Array.from({ length: 100_000 }, (_, index) => index)],
  ['a list of lists', nested(500)],
  ['an object of objects', { filter: nestedObject(500), settings: nestedObject(500) }],
  ['keys of every object', JSON.parse('{"constructor":{"prototype":{"polluted":true}}}')],
  ['a prototype', JSON.parse('{"__proto__":{"polluted":true},"id":"__proto__","x":1}')],
  ['ids that are none', { id: -1, ids: [1e308, -0.5], name: 7, files: [null], paused: 'no', x: 0 }],
  [
    'a text without end',
    { id: 'x'.repeat(1_000_000), ids: 'all', text: 'y'.repeat(100_000), x: 0 },
  ],
];

/** Every call of the contract that takes something. */
const CALLS = Object.entries(contract).flatMap(([part, calls]) =>
  Object.entries(calls)
    .filter(([, call]) => isContractProcedure(call) && call['~orpc'].inputSchema !== undefined)
    .map(([name]) => [part, name] as const),
);

/** What every host must do alike with what no client of ours would send. */
export function hostile(name: string, connect: Connect): void {
  describe(`hostile input over ${name}`, () => {
    test('is refused by every call, by name, and changes nothing', async () => {
      const { client } = await connect();
      const before = await client.images.summary();
      const wrong: string[] = [];
      for (const [part, call] of CALLS) {
        for (const [what, input] of HOSTILE) {
          const answer = await callWith(client, part, call, input);
          if (answer !== 'invalid-request') wrong.push(`${part}.${call}, ${what}: ${answer}`);
        }
      }
      expect(wrong).toEqual([]);
      expect('polluted' in {}).toBe(false);
      expect(await client.images.summary()).toEqual(before);
      expect(await client.jobs.list()).toEqual([]);
    });
  });
}

async function callWith(
  client: StudioClient,
  part: string,
  call: string,
  input: unknown,
): Promise<string> {
  const calls: object = Reflect.get(client, part) as object;
  const run = Reflect.get(calls, call) as (input: unknown) => Promise<unknown>;
  return run(input).then(
    () => 'accepted',
    ({ code }: { readonly code?: string }) => String(code),
  );
}

function nested(depth: number): unknown {
  let list: unknown = [];
  for (let index = 0; index < depth; index++) list = [list];
  return list;
}

function nestedObject(depth: number): unknown {
  let object: unknown = {};
  for (let index = 0; index < depth; index++) object = { filter: object };
  return object;
}
