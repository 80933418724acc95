/** Creates tar archives, including invalid ones. */

export interface TarEntry {
  readonly path: string;
  /** The type flag. By default, that of a regular file. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  /** The size in the header. By default, the size of the content. */
  readonly size?: number;
  /** The target of a link. */
  readonly link?: string;
  /** Replaces the correct checksum. */
  readonly checksum?: number;
  /** The magic and version. By default, those of POSIX. */
  readonly magic?: string;
}

const blockSize = 512;

/** The end of an archive. */
export const tarEnd = Buffer.alloc(2 * blockSize);

/** Returns an archive, including its end. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), tarEnd]);
}

/** Returns a header and its content, padded to whole blocks. */
export function entryOf(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const padding = Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize);
  return Buffer.concat([headerOf(entry, content.length), content, padding]);
}

function headerOf(
  { path, type = '0', size, link = '', checksum, magic = 'ustar\u000000' }: TarEntry,
  length: number,
): Buffer {
  const header = Buffer.alloc(blockSize);
  header.write(path, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${(size ?? length).toString(8).padStart(11, '0')}\0`, 124);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write(magic, 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${(checksum ?? sum).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Returns a pax header for the next entry or, with type `g`, for all entries. */
export function paxOf(records: Readonly<Record<string, string>>, type = 'x'): TarEntry {
  const lines = Object.entries(records).map(([keyword, value]) => {
    const rest = Buffer.byteLength(` ${keyword}=${value}\n`);
    let length = rest + 1;
    while (rest + String(length).length !== length) length = rest + String(length).length;
    return `${length} ${keyword}=${value}\n`;
  });
  return { path: 'pax', type, content: lines.join('') };
}

/** Returns GNU's header for a long path. */
export function longName(path: string): TarEntry {
  return { path: '././@LongLink', type: 'L', content: `${path}\0`, magic: 'ustar  \0' };
}
