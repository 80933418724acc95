/** Loads schemas from memory. */

import type { Diagnostic } from '../../generator/src/diagnostic.js';
import { SchemaError } from '../../generator/src/diagnostic.js';
import { dialectOf } from '../../generator/src/frontend/dialect.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import type { Schema } from '../../generator/src/model.js';
import type { Read } from '../../generator/src/sources/files.js';

/** The content of files by path. The first is the root. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export function filesOf(given: string | Files): Files {
  return typeof given === 'string' ? { 'test.json': given } : given;
}

/**
 * @param dialect a version, or undefined for the lenient dialect
 * @throws SchemaError
 */
export function schemaOf(given: string | Files, dialect?: string): Schema {
  const files = filesOf(given);
  const [root = ''] = Object.keys(files);
  return loadSchema(root, {
    ...(dialect !== undefined && { dialect: dialectOf(dialect) }),
    read: readerOf(files),
  });
}

export function readerOf(files: Files): Read {
  return (path) => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
}

/** Returns all errors of a schema. */
export function diagnosticsOf(given: string | Files, dialect?: string): readonly Diagnostic[] {
  try {
    schemaOf(given, dialect);
    return [];
  } catch (error) {
    if (error instanceof SchemaError) return error.diagnostics;
    throw error;
  }
}

/** Returns `LINE:COLUMN: in DEFINITION: MESSAGE`, preceded by the file if there are several. */
export function briefly(given: string | Files, { position, definition, message }: Diagnostic): string {
  const file = Object.keys(filesOf(given)).length > 1 ? `${position.file}:` : '';
  return `${file}${position.line}:${position.column}: ${definition ? `in ${definition.title}: ` : ''}${message}`;
}
