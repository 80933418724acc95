/**
 * Receipts: digests of what `generate` made of the embedded schemas, so that `check` need not make it again to find it unchanged.
 *
 * The key of a receipt is a digest of everything that the output depends on: the code of the generator and of the packages that it uses,
 * the schema files, the options, and Node. When a byte of that changes, there is no receipt. A receipt only ever says that all is well; when
 * a file does not match, the output is made again and compared. Receipts lie beside the code of the generator, because whoever could forge
 * one there could change the code as well. Where that folder cannot be written to, there are none.
 *
 * Schemas that a user names have no receipts: they may be pipes, which can be read once.
 */

import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { currentVersion, embeddedFolder, resolveVersion } from './embedded.js';
import { generate, type GenerateOptions } from './generate.js';
import { compare, type Difference, type Expectation, type Output } from './output.js';

/** The length of each file in bytes, and its SHA-256 digest, by the names of its folder and its own. */
type Receipt = Readonly<Record<string, Readonly<Record<string, readonly [length: number, digest: string]>>>>;

/** The newest is the last. */
type Receipts = readonly (readonly [key: string, receipt: Receipt])[];

const maxReceipts = 16;
/** What the output depends on beside Node. */
const packages = ['json5', 'prettier'];

const code = fileURLToPath(new URL('.', import.meta.url));
const manifest = fileURLToPath(new URL('../package.json', import.meta.url));
const place = join(dirname(manifest), '.cache', 'receipts.json');

/**
 * How what is on disk differs from what `generate` with the same options would write.
 *
 * @throws like `generate` and `compare`
 */
export function findDifferences(options: GenerateOptions): Difference[] {
  const known = receiptFor(options);
  if (known && compare(options.out, known).length === 0) return [];
  const outputs = generate(options);
  const differences = compare(options.out, outputs);
  if (differences.length === 0) keepReceipt(options, outputs);
  return differences;
}

/** @param outputs what `generate` has made with the options */
export function keepReceipt(options: GenerateOptions, outputs: readonly Output[]): void {
  if (options.schema !== undefined) return;
  const receipt: Receipt = Object.fromEntries(
    outputs.map(({ folder, files }) => [
      basename(folder),
      Object.fromEntries([...files].map(([name, text]) => [name, [Buffer.byteLength(text), digestOf(text)]])),
    ]),
  );
  try {
    const key = keyOf(options);
    const others = readReceipts().filter(([other]) => other !== key);
    const draft = `${place}.${process.pid}`;
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(draft, JSON.stringify([...others, [key, receipt]].slice(-maxReceipts)));
    renameSync(draft, place);
  } catch {
    // Without a receipt, the next check takes longer.
  }
}

function receiptFor(options: GenerateOptions): Output<Expectation>[] | undefined {
  if (options.schema !== undefined) return undefined;
  try {
    const receipts = readReceipts();
    const key = receipts.length === 0 ? undefined : keyOf(options);
    const receipt = receipts.find(([other]) => other === key)?.[1];
    return receipt && expectations(options.out, receipt);
  } catch {
    // What is wrong is said when the output is made.
    return undefined;
  }
}

function expectations(out: string, receipt: Receipt): Output<Expectation>[] {
  return Object.entries(receipt).map(([folder, files]) => {
    const expected = Object.entries(files).map(([name, [length, digest]]): [string, Expectation] => {
      return [name, { length, equals: (bytes) => digestOf(bytes) === digest }];
    });
    return { folder: join(out, folder), files: new Map(expected) };
  });
}

function readReceipts(): Receipts {
  try {
    const receipts: unknown = JSON.parse(readFileSync(place, 'utf8'));
    return Array.isArray(receipts) && receipts.every(Array.isArray) ? (receipts as unknown as Receipts) : [];
  } catch {
    return [];
  }
}

/** @throws UsageError for an unknown version, errors of the file system */
function keyOf(options: GenerateOptions): string {
  const version = options.qemu === undefined ? currentVersion() : resolveVersion(options.qemu);
  const { resolve } = createRequire(import.meta.url);
  const folders = packages.map((name) => dirname(resolve(`${name}/package.json`)));
  const hash = createHash('sha256');
  for (const path of [code, manifest, ...folders, embeddedFolder(version)]) update(hash, path);
  const node = [process.versions, process.execArgv, process.env['NODE_OPTIONS']];
  return hash.update(JSON.stringify([version, { ...options, out: '' }, node])).digest('hex');
}

/** @throws Error when something has changed since this process began, which may have read it before or after that */
function update(hash: Hash, path: string): void {
  const stat = statSync(path);
  if (stat.ctimeMs >= performance.timeOrigin) throw new Error(`${path} has changed`);
  if (stat.isDirectory()) {
    const names = readdirSync(path).toSorted();
    hash.update(JSON.stringify(names));
    for (const name of names) update(hash, join(path, name));
  } else {
    hash.update(digestOf(readFileSync(path)));
  }
}

function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
