import { describe, expect, test } from 'vitest';
import { bytes } from './tensors.ts';

describe('bytes', () => {
  const shape = [3];
  test('of any type that holds them', () => {
    const data = Uint8Array.of(0, 128, 255);
    expect(bytes({ shape, data })).toEqual({ shape, data });
    expect(bytes({ shape, data: Int32Array.from(data) })).toEqual({ shape, data });
    expect(bytes({ shape, data: Float32Array.from(data) })).toEqual({ shape, data });
  });
  test.each([[-1], [256], [0.5], [NaN]])('%f is none', (value) => {
    const data = Float32Array.of(1, value, 2);
    expect(() => bytes({ shape, data })).toThrow('expected an array of bytes');
  });
});
