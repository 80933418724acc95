/** Untrusted archives: each either yields only files with wanted names, within limits, or is rejected with a reason. */

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, expect } from 'vitest';

import { FileError } from '../../generator/src/errors.js';
import { readRelease, readTar, type Limits } from '../../generator/src/sources/tarball.js';
import { entryOf, longName, paxOf, tarEnd, type TarEntry } from '../support/tar.js';
import { fuzz } from './fuzz.js';

const limits: Limits = { fileSize: 2000, totalSize: 5000, files: 5, entries: 20, archiveSize: 40_000 };
const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

const names = fc.constantFrom(
  'qapi/a.json',
  'qapi/b.json',
  'qapi/../../c.json',
  '/qapi/d.json',
  '--to-command=id > PWNED #/qapi/x.json',
  '--directory=/',
  'qapi/\u001b[2J.json',
  'qapi\\e.json',
  './q/qapi/a.json',
  'q/qapi/a.json',
  'r/qapi/a.json',
  '..',
  '',
  'qapi/',
);
const sizes = fc.oneof(fc.constant(undefined), fc.nat(3000), fc.constantFrom(2 ** 33 - 1, 8 ** 11 - 1));
const entries = fc.oneof(
  { weight: 6, arbitrary: fc.record({ path: names, content: fc.string({ maxLength: 1500 }) }) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        path: names,
        type: fc.constantFrom('0', '\0', '1', '2', '3', '4', '5', '6', '7', 'S', 'V', 'x', 'g', 'L', 'K'),
        content: fc.string({ maxLength: 600 }),
        size: sizes,
        link: names,
        checksum: fc.option(fc.nat(), { nil: undefined, freq: 20 }),
      })
      .map((entry) => Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as never),
  },
  { weight: 1, arbitrary: names.map(longName) },
  {
    weight: 1,
    arbitrary: fc
      .record({ path: names, size: fc.nat(3000).map(String), 'GNU.sparse.map': fc.string() }, { requiredKeys: [] })
      .map((records) => paxOf(records as Record<string, string>)),
  },
) as fc.Arbitrary<TarEntry>;

interface Archive {
  readonly entries: readonly TarEntry[];
  /** Bytes to overwrite, each at a fraction of the length. */
  readonly edits: readonly (readonly [place: number, byte: number])[];
  /** The fraction of the archive that is kept. */
  readonly length: number;
  /** Whether the archive has an end. */
  readonly ends: boolean;
}

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const archives = fc.record<Archive>({
  entries: fc.array(entries, { maxLength: 8 }),
  edits: fc.array(fc.tuple(fraction, fc.nat(255)), { maxLength: 3 }),
  length: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fraction }),
  ends: fc.boolean(),
});

function bytesOf({ entries: list, edits, length, ends }: Archive): Buffer {
  const whole = Buffer.concat([...list.map(entryOf), ...(ends ? [tarEnd] : [])]);
  for (const [place, byte] of edits) whole[Math.floor(place * whole.length)] = byte;
  return whole.subarray(0, Math.ceil(length * whole.length));
}

function isWanted(path: string): boolean {
  return /^(?:[qr]\/)?qapi\/[\w.+-]+\.json$/u.test(path);
}

fuzz('archives', fc.asyncProperty(archives, fc.integer({ min: 1, max: 2000 }), isReadWithinLimits), { share: 2 });
fuzz('tarballs', fc.asyncProperty(archives, fc.boolean(), fraction, isReadFromDisk), { share: 2, batch: 50 });

async function isReadWithinLimits(archive: Archive, chunkSize: number): Promise<void> {
  const bytes = bytesOf(archive);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) chunks.push(bytes.subarray(at, at + chunkSize));
  try {
    const files = await readTar(Readable.from(chunks), isWanted, limits);
    expect(files.size).toBeLessThanOrEqual(limits.files);
    let total = 0;
    for (const [path, content] of files) {
      expect(path).toSatisfy(isWanted);
      expect(content.length).toBeLessThanOrEqual(limits.fileSize);
      total += content.length;
    }
    expect(total).toBeLessThanOrEqual(limits.totalSize);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
}

async function isReadFromDisk(archive: Archive, isCompressed: boolean, damage: number): Promise<void> {
  const plain = bytesOf(archive);
  const bytes = isCompressed ? gzipSync(plain) : plain;
  if (isCompressed && damage < 0.3) bytes[Math.floor((damage / 0.3) * bytes.length)] = 0x55;
  const path = join(folder, '--directory=x:y.tar');
  writeFileSync(path, bytes);
  try {
    const release = await readRelease(path, (inFolder) => isWanted(inFolder), limits);
    for (const name of release.files.keys()) expect(name).toSatisfy(isWanted);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    expect(error.message).toContain('--directory=x:y.tar');
  }
  expect(readdirSync(folder)).toEqual(['--directory=x:y.tar']);
}
