/**
 * QEMU's schemas reduced to facts: every definition as it is written, and since when it and its members exist, but no sentence of
 * documentation, which is not ours to copy. What is left out is written as `...`.
 */

import { existsSync, lstatSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { elision } from './elision.js';
import { servers } from './embedded.js';
import { FileError, UsageError } from './errors.js';
import { dialectOf, type Dialect } from './frontend/dialect.js';
import { toDoc } from './frontend/doc.js';
import { loadSchema, parseSchema } from './frontend/load.js';
import { parse, type Node, type ObjectNode } from './frontend/parser.js';
import type { Source } from './frontend/source.js';
import type { Definition, Doc, DocEntry } from './model.js';
import { relativePath } from './paths.js';
import { treeReader, type Read } from './sources/files.js';
import { readRelease } from './sources/tarball.js';
import { replaceWhole } from './staged-write.js';

const versionPattern = /^\d+\.\d+\.\d+$/u;

/** Beyond this a list or object is broken into lines. */
const width = 80;

/**
 * Writes the schemas of a QEMU tree, or of a tarball of one, to `folder/VERSION`.
 *
 * @returns the paths of the written files, relative to `folder`
 * @throws SchemaError when a schema has errors; UsageError when the source is no QEMU; FileError when the tarball cannot be read;
 *   InterruptError when a signal came; errors of the file system
 */
export async function vendor(source: string, version: string, folder: string): Promise<string[]> {
  if (!versionPattern.test(version)) throw new UsageError(`give the full version, such as 10.2.2, not '${version}'`);
  const dialect = dialectOf(version);
  const tree = statSync(source).isDirectory() ? openTree(source) : await unpack(source);
  const files = factFiles(tree, dialect);
  await replaceWhole({ root: folder, plan: () => new Map([[version, files]]), verify: verifyVersion });
  return [...files.keys()].map((path) => join(version, path));
}

/** A QEMU source tree, or what a tarball holds of one. */
interface Tree {
  /** As it begins the paths of its files in diagnostics. */
  readonly path: string;
  /** @param path in the tree */
  has(path: string): boolean;
  /** Takes paths that begin with the tree's own. */
  readonly read: Read;
}

function openTree(path: string): Tree {
  return { path, has: (inTree) => existsSync(join(path, inTree)), read: treeReader(path) };
}

/** @throws UsageError when it is the tarball of something else; FileError */
async function unpack(tarball: string): Promise<Tree> {
  const { folder, files } = await readRelease(tarball, (path) =>
    /^(?:qapi|qga|storage-daemon\/qapi)\/[\w.+-]+\.json$/u.test(path),
  );
  if (files.size === 0) throw new UsageError(`'${tarball}' is no QEMU release: it holds no qapi/*.json`);
  const read = (path: string): Uint8Array => {
    const bytes = files.get(relativePath(folder, path));
    if (!bytes) throw new FileError('no such file');
    return bytes;
  };
  return { path: folder, has: (inTree) => files.has(inTree), read };
}

/** The vendored text of every schema file of a tree, by its path in the tree. */
function factFiles(tree: Tree, dialect: Dialect): Map<string, string> {
  const files = new Map<string, string>();
  for (const { root, title } of servers) {
    if (!tree.has(root))
      throw new UsageError(`'${tree.path}' is no QEMU source tree: it has no ${root} (the schema of ${title})`);
    const path = join(tree.path, root);
    const options = { dialect, read: tree.read };
    const schema = loadSchema(path, options);
    for (const source of parseSchema(path, options).sources) {
      const inTree = relativePath(tree.path, source.file);
      // Most modules are those of several servers.
      if (!files.has(inTree)) files.set(inTree, moduleText(source, dialect));
    }
    const commented = [...schema.definitions.values()].filter(
      ({ name, doc }) => doc && factComment(name, doc) !== undefined,
    );
    if (commented.length > 0 && !dialect.enforces('no-documentation-exceptions')) {
      files.set(root, `${files.get(root) ?? ''}\n${documentationExceptions(commented)}`);
    }
  }
  return files;
}

function moduleText(source: Source, dialect: Dialect): string {
  const texts: string[] = [];
  for (const item of parse(source, dialect)) {
    const expression = item.kind === 'expression' ? withoutDocRequired(item.object) : undefined;
    if (!expression) continue;
    const { doc } = item;
    const facts =
      doc?.symbol === undefined ? undefined : factComment(doc.symbol, toDoc(doc, source.position(doc.offset)));
    texts.push(facts === undefined ? print(expression) : `${facts}\n${print(expression)}`);
  }
  return `${texts.join('\n\n')}\n`;
}

/** Definitions that say nothing of their age have no comment. */
function withoutDocRequired(object: ObjectNode): ObjectNode | undefined {
  const pragma = object.entries.get('pragma');
  if (pragma?.value.kind !== 'object') return object;
  // The exceptions are others now; see below.
  const entries = [...pragma.value.entries].filter(
    ([name]) => name !== 'doc-required' && name !== 'documentation-exceptions',
  );
  if (entries.length === 0) return undefined;
  return {
    ...object,
    entries: new Map([['pragma', { ...pragma, value: { ...pragma.value, entries: new Map(entries) } }]]),
  };
}

/** @returns undefined when the comment holds no fact */
function factComment(symbol: string, doc: Doc): string | undefined {
  const members = [...doc.members].filter(([, { since }]) => since !== undefined);
  const features = [...doc.features];
  if (doc.since === undefined && members.length === 0 && features.every(([, { since }]) => since === undefined))
    return undefined;
  const describe = ([name, { since }]: [string, DocEntry]): string[] => [
    '#',
    `# @${name}: ${elision}${since === undefined ? '' : `  (since ${since})`}`,
  ];
  return [
    '##',
    `# @${symbol}:`,
    ...members.flatMap(describe),
    ...(features.length > 0 ? ['#', '# Features:', ...features.flatMap(describe)] : []),
    ...(doc.since === undefined ? [] : ['#', `# Since: ${doc.since}`]),
    // QEMU 9 and 10 fail to read a comment that ends with members and leaves others out.
    ...(doc.since === undefined && features.length === 0 ? ['#', `# ${elision}`] : []),
    '##',
  ].join('\n');
}

/** The directive that allows the comments above to leave members out. */
function documentationExceptions(definitions: readonly Definition[]): string {
  const names = definitions.map(({ name }) => `        '${name}'`);
  return `{ 'pragma': {\n    'documentation-exceptions': [\n${names.join(',\n')} ] } }\n`;
}

/**
 * As QAPI, broken into lines where it is long.
 *
 * @param used how much of the line stands before it
 */
function print(node: Node, indent = 0, used = 0): string {
  const line = printLine(node);
  if (used + line.length <= width || node.kind === 'scalar') return line;
  const inside = indent + 2;
  const [open, close, parts] =
    node.kind === 'object'
      ? [
          '{',
          '}',
          [...node.entries].map(([name, { value }]) => `'${name}': ${print(value, inside, inside + name.length + 5)}`),
        ]
      : ['[', ']', node.elements.map((element) => print(element, inside, inside + 1))];
  const pad = ' '.repeat(indent);
  return `${open}\n${parts.map((part) => `${pad}  ${part}`).join(',\n')}\n${pad}${close}`;
}

function printLine(node: Node): string {
  if (node.kind === 'scalar')
    return typeof node.value === 'string' ? `'${node.value.replaceAll('\\', '\\\\')}'` : String(node.value);
  if (node.kind === 'array')
    return node.elements.length === 0 ? '[]' : `[ ${node.elements.map(printLine).join(', ')} ]`;
  const entries = [...node.entries].map(([name, { value }]) => `'${name}': ${printLine(value)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** @throws FileError for anything but the folder of a version */
function verifyVersion(path: string): void {
  if (versionPattern.test(basename(path)) && lstatSync(path).isDirectory()) return;
  throw new FileError(`'${path}' is not a folder with the schemas of a version: delete it`);
}
