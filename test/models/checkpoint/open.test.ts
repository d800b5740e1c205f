import { expect, test } from 'vitest';
import { openCheckpoint } from '#checkpoint/open';
import { torchZip } from '../../helpers/torch-file.ts';
import { zipFile } from '../../helpers/zip-file.ts';
import { openBytes, refusal } from './opening.ts';

const DRIVE_PAGE =
  '<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head>' +
  '<body>Google Drive can not scan this file for viruses.</body></html>';

test('an empty file is refused as empty', async () => {
  await refusal(openBytes(new Uint8Array(0)), 'empty-file');
});

test.each([
  ['the confirmation page of Google Drive', DRIVE_PAGE],
  ['a page with space before it', `\n\n  ${DRIVE_PAGE.toLowerCase()}`],
  ['a page with a byte-order mark', `\ufeff<html lang="en">${'x'.repeat(9000)}`],
])('a web page is refused as one: %s', async (_, page) => {
  const error = await refusal(openBytes(Buffer.from(page)), 'web-page');
  expect(error.message).toContain('Google Drive');
});

test.each([
  ['plain text', 'epoch 1 loss 2.5\n'],
  ['text in Japanese, cut in the middle of a character', 'モデル'.repeat(1000)],
  ['JSON', '{"model": 1}'],
  ['one letter', 'x'],
])('a text file is refused as one: %s', async (_, text) => {
  const error = await refusal(openBytes(Buffer.from(text)), 'text-file');
  expect(error.message).toMatch(/not a checkpoint\. Choose a checkpoint: a \.pth/);
});

test('a Git LFS pointer is refused with the way out', async () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
  const error = await refusal(openBytes(Buffer.from(pointer)), 'text-file');
  expect(error.message).toContain('git lfs pull');
});

const npy = { name: 'weights.npy', data: new Uint8Array(4) };
const program = torchZip(
  { weight: { dtype: 'float32', shape: [1], data: new Float32Array(1) } },
  { change: (parts) => [...parts, { name: 'archive/code/__torch__.py', data: Buffer.from('x') }] },
);
test.each([
  ['NumPy archive', zipFile([npy])],
  ['zip archive', zipFile([{ name: 'word/document.xml', data: Buffer.from('x'), method: 8 }])],
  ['zip archive', zipFile([])],
  ['TorchScript', program],
  ['HDF5', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0])],
  ['tar archive', Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\x0000')])],
  ['GGUF', Buffer.from('GGUF\x03\x00\x00\x00', 'latin1')],
  ['NumPy array', Buffer.from('\x93NUMPY\x01\x00', 'latin1')],
  ['PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
  ['Python pickle', Buffer.from('\x80\x04\x95\x0b\x00', 'latin1')],
  ['ONNX', Buffer.from('\x08\x07\x12\x07pytorch', 'latin1')],
])('a file of another kind is refused by its name: %s', async (kind, bytes) => {
  const error = await refusal(openBytes(bytes), 'unsupported-format');
  expect(error.message).toContain(kind);
  expect(error.message).toContain('safetensors');
});

test('bytes of no known kind are refused', async () => {
  await refusal(openBytes(Uint8Array.of(1, 2, 3)), 'unknown-format');
  await refusal(openBytes(new Uint8Array(5000)), 'unknown-format');
});

test('failures to read come through as they are', async () => {
  const failure = new Error('EIO: i/o error');
  const source = { name: 'a.pth', size: 100, read: () => Promise.reject(failure) };
  await expect(openCheckpoint(source)).rejects.toBe(failure);
});

test('a file that becomes shorter while it is read is refused', async () => {
  const source = { name: 'a.pth', size: 100, read: async () => new Uint8Array(3) };
  await refusal(openCheckpoint(source), 'truncated');
});
