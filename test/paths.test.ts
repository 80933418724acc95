import { win32 } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadSchema } from '../generator/src/frontend/load.js';
import { isWithin, relativePath } from '../generator/src/paths.js';
import { readerOf } from './support/schema.js';

describe('paths', () => {
  const relatives: { folder: string; file: string; want: string }[] = [
    { folder: 'C:\\qemu\\qapi', file: 'C:\\qemu\\qapi\\block.json', want: 'block.json' },
    { folder: 'C:\\qemu\\qga', file: 'C:\\qemu\\qapi\\block.json', want: '../qapi/block.json' },
    { folder: 'C:\\qemu', file: 'C:/qemu/qapi\\sub/x.json', want: 'qapi/sub/x.json' },
  ];
  it.each(relatives)('from $folder to $file, on Windows', ({ folder: from, file, want }) => {
    expect(relativePath(from, file, win32)).toBe(want);
  });

  const within: { folder: string; file: string; system?: typeof win32; want: boolean }[] = [
    { folder: '/qemu', file: '/qemu/qapi/x.json', want: true },
    { folder: '/qemu', file: '/qemu/..qapi/x.json', want: true },
    { folder: '/qemu', file: '/qemu', want: false },
    { folder: '/qemu', file: '/', want: false },
    { folder: '/qemu', file: '/qemu2/x.json', want: false },
    { folder: 'C:\\qemu', file: 'C:\\qemu\\qapi\\x.json', system: win32, want: true },
    { folder: 'C:\\qemu', file: 'C:\\other\\x.json', system: win32, want: false },
    { folder: 'C:\\qemu', file: 'D:\\qemu\\x.json', system: win32, want: false },
  ];
  it.each(within)('whether $file is in $folder: $want', ({ folder: of, file, system, want }) => {
    expect(isWithin(of, file, system)).toBe(want);
  });

  it('of modules have / as separator, wherever a schema includes files from', () => {
    const files = { 'tree/qga/root.json': `{ 'include': '../other.json' }`, 'tree/other.json': `{ 'event': 'E' }` };
    const schema = loadSchema('tree/qga/root.json', { read: readerOf(files) });
    expect(schema.modules.map(({ path }) => path)).toEqual(['root.json', '../other.json']);
  });
});
