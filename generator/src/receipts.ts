/**
 * Receipts: digests of the output of `generate`, by which `check` recognizes up-to-date files without generating them.
 *
 * The key of a receipt is a digest of everything that the output depends on: the code of the generator and of the
 * packages that it uses, the schema files, the options, and Node. If any of these changes, no receipt is found. A
 * receipt can only prove that files are up to date: if a file does not match, the output is generated and compared.
 * Receipts are stored in the generator's package, because anyone who can write there can change the generator itself.
 * If that directory is not writable, there are no receipts.
 *
 * There are no receipts for schemas of servers, or for those named by the user: these may be pipes, which can be read only
 * once.
 */

import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync, type Stats } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { currentFile } from './embedded.js';
import { generate, locate, type GenerateOptions } from './generate.js';
import { compare, type Difference, type Expectation, type Output } from './output.js';
import { readCached } from './sources/cache.js';

/** The length in bytes and the SHA-256 digest of each file, by the name of its directory and its own name. */
type Receipt = Readonly<Record<string, Readonly<Record<string, readonly [length: number, digest: string]>>>>;

/** In order of creation. */
type Receipts = readonly (readonly [key: string, receipt: Receipt])[];

const maxReceipts = 16;
/** The packages that the output depends on. */
const packages = ['json5', 'prettier'];

const code = fileURLToPath(new URL('.', import.meta.url));
const manifest = fileURLToPath(new URL('../package.json', import.meta.url));
const receiptsPath = join(dirname(manifest), '.cache', 'receipts.json');

/**
 * Returns the differences between the files on disk and the output of `generate` with the same options.
 *
 * @throws the errors of `generate` and `compare`
 */
export function findDifferences(options: GenerateOptions): Difference[] {
  const known = receiptFor(options);
  if (known && compare(options.out, known).length === 0) return [];
  const outputs = generate(options);
  const differences = compare(options.out, outputs);
  if (differences.length === 0) keepReceipt(options, outputs);
  return differences;
}

/** @param outputs the output of `generate` with the options */
export function keepReceipt(options: GenerateOptions, outputs: readonly Output[]): void {
  if (!isEmbedded(options)) return;
  const receipt: Receipt = Object.fromEntries(
    outputs.map(({ folder, files }) => [
      basename(folder),
      Object.fromEntries([...files].map(([name, text]) => [name, [Buffer.byteLength(text), digestOf(text)]])),
    ]),
  );
  try {
    const key = keyOf(options);
    const others = readReceipts().filter(([other]) => other !== key);
    const draft = `${receiptsPath}.${process.pid}`;
    mkdirSync(dirname(receiptsPath), { recursive: true });
    writeFileSync(draft, JSON.stringify([...others, [key, receipt]].slice(-maxReceipts)));
    renameSync(draft, receiptsPath);
  } catch {
    // Without a receipt, the next check only takes longer.
  }
}

function receiptFor(options: GenerateOptions): Output<Expectation>[] | undefined {
  if (!isEmbedded(options)) return undefined;
  try {
    const receipts = readReceipts();
    const key = receipts.length === 0 ? undefined : keyOf(options);
    const receipt = receipts.find(([other]) => other === key)?.[1];
    return receipt && expectations(options.out, receipt);
  } catch {
    // The error is reported when the output is generated.
    return undefined;
  }
}

function isEmbedded({ schema, recovered }: GenerateOptions): boolean {
  return schema === undefined && recovered === undefined;
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
    const receipts: unknown = JSON.parse(readFileSync(receiptsPath, 'utf8'));
    return Array.isArray(receipts) && receipts.every(Array.isArray) ? (receipts as unknown as Receipts) : [];
  } catch {
    return [];
  }
}

/** @throws UsageError if there are no such schemas; Error if a file changed during this run; file system errors */
function keyOf(options: GenerateOptions): string {
  const locations = locate(options.qemu, options.docs);
  const { resolve } = createRequire(import.meta.url);
  const folders = packages.map((name) => dirname(resolve(`${name}/package.json`)));
  const hash = createHash('sha256');
  const paths = [code, manifest, ...folders];
  for (const { kind, version, folder } of locations) {
    if (kind === 'embedded') paths.push(folder);
    else hash.update(cachedDigest(version, folder));
  }
  // The current version may change after the output is generated.
  if (options.qemu === undefined) paths.push(currentFile());
  for (const path of paths) update(hash, path);
  const node = [process.versions, process.execArgv, process.env['NODE_OPTIONS']];
  return hash
    .update(JSON.stringify([locations.map(({ version }) => version), { ...options, out: '' }, node]))
    .digest('hex');
}

/**
 * Returns the digest of cached schemas. Others may be able to write to the cache, so only the files that `generate` uses
 * are read, and verified as it does.
 *
 * @throws Error if they are damaged, or the directory has changed since this process began
 */
function cachedDigest(version: string, folder: string): string {
  requireUnchanged(folder);
  const { digest, files } = readCached(version) ?? {};
  if (digest === undefined || !files) throw new Error(`${folder} is damaged`);
  return digest;
}

/** @throws Error if a file has changed since this process began, because the old content may have been used */
function update(hash: Hash, path: string): void {
  const stat = requireUnchanged(path);
  if (stat.isDirectory()) {
    const names = readdirSync(path).toSorted();
    hash.update(JSON.stringify(names));
    for (const name of names) update(hash, join(path, name));
  } else {
    hash.update(digestOf(readFileSync(path)));
  }
}

function requireUnchanged(path: string): Stats {
  const stat = statSync(path);
  if (stat.ctimeMs >= performance.timeOrigin) throw new Error(`${path} has changed`);
  return stat;
}

function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
