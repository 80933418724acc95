/** Schemas from texts. */

import { loadSchema } from '../../generator/src/frontend/load.js';
import type { Dialect } from '../../generator/src/frontend/dialect.js';
import type { Schema } from '../../generator/src/model.js';

/**
 * @param files texts by path, or the text of the only file, `test.json`; the first is the root
 * @throws SchemaError
 */
export function schemaOf(files: string | Readonly<Record<string, string>>, dialect?: Dialect): Schema {
  const texts = typeof files === 'string' ? { 'test.json': files } : files;
  const [root = 'test.json'] = Object.keys(texts);
  return loadSchema(root, {
    ...(dialect && { dialect }),
    read: (path) => {
      const text = texts[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return new TextEncoder().encode(text);
    },
  });
}
