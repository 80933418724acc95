/**
 * Reduces QEMU's schemas to facts: all definitions as they are written, and the versions that introduced them and their
 * members. Documentation text is omitted because of its licence, and written as `...`.
 */

import { existsSync, lstatSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { elision } from './elision.js';
import { servers } from './embedded.js';
import { FileError, UsageError } from './errors.js';
import type { Expression, ObjectNode, ValueNode } from './frontend/ast.js';
import { dialectOf, type Dialect } from './frontend/dialect.js';
import { toDoc } from './frontend/docs/model.js';
import { parseSchema, resolveSchema, type ParsedFile } from './frontend/load.js';
import type { Definition, Doc, DocEntry } from './model.js';
import { relativePath } from './paths.js';
import { treeReader, type Read } from './sources/files.js';
import { readRelease } from './sources/tarball.js';
import { replaceWhole } from './staged-write.js';

const versionPattern = /^\d+\.\d+\.\d+$/u;

/** Lists and objects that exceed this width are broken into lines. */
const width = 80;

/**
 * Writes the schemas of a QEMU source tree, or of a tarball of one, to `folder/VERSION`.
 *
 * @returns the paths of the written files, relative to `folder`
 * @throws SchemaError if a schema has errors; UsageError if the source is not QEMU; FileError if the tarball cannot be
 * read; InterruptError if a signal arrived; file system errors
 */
export async function vendor(source: string, version: string, folder: string): Promise<string[]> {
  if (!versionPattern.test(version)) throw new UsageError(`expected a full version such as 10.2.2, not '${version}'`);
  const dialect = dialectOf(version);
  const tree = statSync(source).isDirectory() ? openTree(source) : await unpack(source);
  const files = factFiles(tree, dialect);
  await replaceWhole({ root: folder, plan: () => new Map([[version, files]]), verify: verifyVersion });
  return [...files.keys()].map((path) => join(version, path));
}

/** A QEMU source tree, or the part of one that was read from a tarball. */
interface Tree {
  /** The prefix of the paths of its files, as shown in diagnostics. */
  readonly path: string;
  /** @param path a path relative to the tree */
  has(path: string): boolean;
  /** Reads a file. The path begins with the tree's own path. */
  readonly read: Read;
}

function openTree(path: string): Tree {
  return { path, has: (inTree) => existsSync(join(path, inTree)), read: treeReader(path) };
}

/** @throws UsageError if the tarball is not a QEMU release; FileError */
async function unpack(tarball: string): Promise<Tree> {
  const { folder, files } = await readRelease(tarball, (path) =>
    /^(?:qapi|qga|storage-daemon\/qapi)\/[\w.+-]+\.json$/u.test(path),
  );
  if (files.size === 0) throw new UsageError(`'${tarball}' is not a QEMU release: it has no qapi/*.json`);
  const read = (path: string): Uint8Array => {
    const bytes = files.get(relativePath(folder, path));
    if (!bytes) throw new FileError('no such file');
    return bytes;
  };
  return { path: folder, has: (inTree) => files.has(inTree), read };
}

/** Returns the vendored text of every schema file, by path relative to the tree. */
function factFiles(tree: Tree, dialect: Dialect): Map<string, string> {
  const files = new Map<string, string>();
  // The schemas of the servers share most of their files.
  const options = { dialect, read: tree.read, parsed: new Map<string, readonly Expression[]>() };
  for (const { root, title } of servers) {
    if (!tree.has(root))
      throw new UsageError(`'${tree.path}' is not a QEMU source tree: it has no ${root} (the schema of ${title})`);
    const path = join(tree.path, root);
    const parsed = parseSchema(path, options);
    const schema = resolveSchema(path, parsed, options);
    for (const file of parsed.files) {
      const inTree = relativePath(tree.path, file.source.file);
      if (!files.has(inTree)) files.set(inTree, moduleText(file));
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

function moduleText({ source, expressions }: ParsedFile): string {
  const texts = expressions.flatMap(({ object, doc }) => {
    const expression = withoutDocPragmas(object);
    if (!expression) return [];
    const facts =
      doc?.symbol === undefined ? undefined : factComment(doc.symbol, toDoc(doc, source.position(doc.offset)));
    return [facts === undefined ? print(expression) : `${facts}\n${print(expression)}`];
  });
  return `${texts.join('\n\n')}\n`;
}

/**
 * Removes pragmas that do not apply to vendored schemas, in which definitions without a `Since` have no comment.
 *
 * @returns undefined if nothing is left
 */
function withoutDocPragmas(object: ObjectNode): ObjectNode | undefined {
  const pragma = object.members.get('pragma');
  if (pragma?.value.kind !== 'object') return object;
  // The exceptions are computed by `documentationExceptions` instead.
  const members = [...pragma.value.members].filter(
    ([name]) => name !== 'doc-required' && name !== 'documentation-exceptions',
  );
  if (members.length === 0) return undefined;
  const value = { ...pragma.value, members: new Map(members) };
  return { ...object, members: new Map([['pragma', { ...pragma, value }]]) };
}

/** Returns undefined if the comment would contain no facts. */
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
    // QEMU 9 and 10 fail to parse a comment that ends with members if some members are not documented.
    ...(doc.since === undefined && features.length === 0 ? ['#', `# ${elision}`] : []),
    '##',
  ].join('\n');
}

/** Returns the directive that allows these definitions to leave members undocumented. */
function documentationExceptions(definitions: readonly Definition[]): string {
  const names = definitions.map(({ name }) => `        '${name}'`);
  return `{ 'pragma': {\n    'documentation-exceptions': [\n${names.join(',\n')} ] } }\n`;
}

/**
 * Formats a value in QAPI syntax, broken into lines if it is long.
 *
 * @param used the number of characters before it on the line
 */
function print(node: ValueNode, indent = 0, used = 0): string {
  const line = printLine(node);
  if (used + line.length <= width || node.kind === 'string' || node.kind === 'boolean') return line;
  const inside = indent + 2;
  const [open, close, parts] =
    node.kind === 'object'
      ? [
          '{',
          '}',
          [...node.members].map(([name, { value }]) => `'${name}': ${print(value, inside, inside + name.length + 5)}`),
        ]
      : ['[', ']', node.elements.map((element) => print(element, inside, inside + 1))];
  const pad = ' '.repeat(indent);
  return `${open}\n${parts.map((part) => `${pad}  ${part}`).join(',\n')}\n${pad}${close}`;
}

function printLine(node: ValueNode): string {
  switch (node.kind) {
    case 'boolean':
      return String(node.value);
    case 'string':
      return `'${node.value.replaceAll('\\', '\\\\')}'`;
    case 'array':
      return node.elements.length === 0 ? '[]' : `[ ${node.elements.map(printLine).join(', ')} ]`;
    case 'object': {
      const members = [...node.members].map(([name, { value }]) => `'${name}': ${printLine(value)}`);
      return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
    }
  }
}

/** @throws FileError for anything but the directory of a version */
function verifyVersion(path: string): void {
  if (versionPattern.test(basename(path)) && lstatSync(path).isDirectory()) return;
  throw new FileError(`'${path}' is not a directory of a version's schemas: delete it`);
}
