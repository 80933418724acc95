/** In the dialect of each version, this compiler accepts the same schemas as QEMU's own, and finds the same errors. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SchemaError, type Diagnostic } from '../generator/src/diagnostic.js';
import { embeddedVersions } from '../generator/src/embedded.js';
import { dialectOf, lenient, type Dialect } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { tables } from './malformed/tables.js';
import { filesOf } from './support/schema.js';
import { hasPython, qemuShapes, qemuVerdicts, type Verdict } from './support/qemu-compiler.js';
import { qemuTree } from './support/qemu.js';
import { shapeOf } from './support/shape.js';

const atMember = "before QEMU 9, it names the comment's first line, we that of the member";
const atTag = 'it finds out at the next section, we name the one without text';

/** QEMU's test schemas for which we report a different line, with the reason. */
const otherLines: Readonly<Record<string, string>> = {
  'base-cycle-indirect.json': 'it reports the first type of the cycle; we report the one that closes it',
  'doc-bad-alternate-member.json': atMember,
  'doc-bad-boxed-command-arg.json': atMember,
  'doc-bad-command-arg.json': atMember,
  'doc-bad-enum-member.json': atMember,
  'doc-bad-event-arg.json': atMember,
  'doc-bad-feature.json': atMember,
  'doc-bad-union-member.json': atMember,
  'doc-invalid-return.json': atMember,
  'doc-duplicated-arg.json': atTag,
  'doc-empty-features.json': atTag,
  'doc-empty-section.json': atTag,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qapi-ts-dialects-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function diagnosticsOf(path: string, dialect: Dialect): readonly Diagnostic[] {
  try {
    loadSchema(path, { dialect });
    return [];
  } catch (error) {
    if (error instanceof SchemaError) return error.diagnostics;
    throw error;
  }
}

/** Returns whether QEMU's error is among ours. QEMU reports semantic errors at the beginning of the definition. */
function names({ file = '', line }: Exclude<Verdict, 'accepted'>, diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ position, definition }) =>
    [position, definition?.position].some((at) => at && at.line === line && normalize(at.file) === normalize(file)),
  );
}

describe.each(embeddedVersions())('QEMU %s', (version) => {
  const what = `our dialect ${version} against QEMU's own compiler`;
  const tree = qemuTree(version, what);
  const here = tree !== undefined && hasPython(what);
  const dialect = dialectOf(version);

  it.skipIf(!here)('agrees with us on the schemas of its test suite', () => {
    const schemas = join(tree ?? '', 'tests/qapi-schema');
    const paths = readdirSync(schemas)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(schemas, name));
    expect(paths.length).toBeGreaterThan(190);
    const differences: string[] = [];
    for (const [index, verdict] of qemuVerdicts(tree ?? '', paths).entries()) {
      const path = paths[index] ?? '';
      const name = basename(path);
      const diagnostics = diagnosticsOf(path, dialect);
      if (verdict === 'accepted') {
        if (diagnostics.length > 0) differences.push(`${name}: valid, but we report: ${diagnostics[0]?.message}`);
        if (diagnosticsOf(path, lenient).length > 0) differences.push(`${name}: valid, but not in the lenient dialect`);
      } else if (diagnostics.length === 0) {
        differences.push(`${name}: invalid (${verdict.message}), but we accept it`);
      } else if (verdict.line !== undefined && !names(verdict, diagnostics) && !otherLines[name]) {
        differences.push(
          `${name}:${verdict.line}: ${verdict.message}, but we report line ${diagnostics[0]?.position.line}`,
        );
      }
    }
    expect(differences).toEqual([]);
  });

  it.skipIf(!here)('gives the same verdicts on malformed schemas', () => {
    const cases = Object.values(tables).flat();
    expect(cases.length).toBeGreaterThan(400);
    const paths = cases.map(([given], index) => {
      const files = Object.entries(filesOf(given)).map(([name, content]) => ({
        path: join(folder, version, String(index), name),
        content,
      }));
      for (const { path, content } of files) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      }
      return files[0]?.path ?? '';
    });
    const differences: string[] = [];
    for (const [index, verdict] of qemuVerdicts(tree ?? '', paths).entries()) {
      const [given, want, { qemuTakesIt, dialect: only } = {}] = cases[index] ?? [];
      // A schema that only some versions reject is compared by the dialect of each.
      const isRejected = only === undefined || diagnosticsOf(paths[index] ?? '', dialect).length > 0;
      if ((verdict !== 'accepted') !== (isRejected && qemuTakesIt === undefined)) {
        differences.push(`${JSON.stringify(given)}\n${want}\n${JSON.stringify(verdict)}`);
      }
    }
    expect(differences).toEqual([]);
  });

  it
    .skipIf(!here)
    .each([
      'qapi/qapi-schema.json',
      'qga/qapi-schema.json',
      'storage-daemon/qapi/qapi-schema.json',
      'tests/qapi-schema/qapi-schema-test.json',
      'tests/qapi-schema/doc-good.json',
    ])('understands %s as we do', (name) => {
    const path = join(tree ?? '', name);
    const { modules } = loadSchema(path, { dialect });
    const ours = modules.flatMap(({ definitions }) => definitions).map(shapeOf);
    expect(ours).toEqual(qemuShapes(tree ?? '', path));
    expect(ours.length).toBeGreaterThan(8);
  });
});
