/** Drives TypeScript's language server the way an editor does. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { repository } from './compile.js';

/** A folder with the packages as they are published, for programs that import them. */
export class Installed implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'qapi-ts-editor-'));

  constructor() {
    const scope = join(this.folder, 'node_modules/@qapi-ts');
    for (const [workspace, name] of Object.entries({ runtime: 'runtime', generated: 'qemu' })) {
      const target = join(scope, name);
      mkdirSync(target, { recursive: true });
      const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', this.folder];
      const output = execFileSync('npm', args, { cwd: join(repository, workspace), encoding: 'utf8', stdio: 'pipe' });
      const [{ filename }] = JSON.parse(output) as [{ filename: string }];
      execFileSync('tar', ['-xzf', join(this.folder, filename), '-C', target, '--strip-components=1']);
    }
    symlinkSync(join(repository, 'node_modules/@types'), join(this.folder, 'node_modules/@types'));
    const compilerOptions = {
      strict: true,
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable'],
      module: 'NodeNext',
      types: ['node'],
      noEmit: true,
    };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** What an editor shows when the pointer rests on a name. */
export interface Hover {
  /** The declaration, as printed by the compiler. */
  readonly text: string;
  readonly documentation: string;
  /** The tags of the comment, each followed by its text: `@since 9.2`. */
  readonly tags: readonly string[];
}

export interface Place {
  /** Relative to the folder of the program. */
  readonly file: string;
  /** The text of the line. */
  readonly line: string;
}

/** A running language server. */
export class LanguageServer implements AsyncDisposable {
  readonly #server: ChildProcess;
  readonly #waiting = new Map<number, (response: Response) => void>();
  #sequence = 0;
  #received = '';

  /** @param compiler the package with the compiler whose server it is */
  constructor(compiler: string, cwd: string) {
    const server = createRequire(import.meta.url).resolve(`${compiler}/lib/tsserver.js`);
    const args = [server, '--disableAutomaticTypingAcquisition'];
    this.#server = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#server.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#receive(chunk));
  }

  ask<Body>(command: string, args: object): Promise<Body | undefined> {
    const sequence = this.send(command, args);
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, ({ success, body, message }) => {
        if (success) resolve(body as Body);
        else if (message === 'No content available.') resolve(undefined);
        else reject(new Error(`${command}: ${message}`));
      });
    });
  }

  send(command: string, args: object): number {
    this.#sequence += 1;
    const request = { seq: this.#sequence, type: 'request', command, arguments: args };
    this.#server.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#sequence;
  }

  /** Each message is on a line of its own, between headers. */
  #receive(chunk: string): void {
    const lines = (this.#received + chunk).split('\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines.filter((candidate) => candidate.startsWith('{'))) {
      const message = JSON.parse(line) as Response;
      this.#waiting.get(message.request_seq)?.(message);
      this.#waiting.delete(message.request_seq);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill();
    await ended;
  }
}

/** One file that is open in an editor. Places in it are found by a text that is there once, with a `|` where the cursor is. */
export class Editor {
  readonly #server: LanguageServer;
  readonly #folder: string;
  readonly #file: string;
  readonly #text: string;

  constructor(server: LanguageServer, folder: string, name: string, text: string) {
    this.#server = server;
    this.#folder = folder;
    this.#text = text;
    this.#file = join(folder, name);
    writeFileSync(this.#file, text);
    server.send('open', { file: this.#file });
  }

  async hover(at: string): Promise<Hover | undefined> {
    const body = await this.#server.ask<QuickInfo>('quickinfo', this.#place(at));
    return body && { text: body.displayString, documentation: textOf(body.documentation), tags: body.tags.map(tagOf) };
  }

  /** Those that are offered, by name. */
  async completions(at: string): Promise<Map<string, { readonly isDeprecated: boolean }>> {
    const body = await this.#server.ask<{ entries: Entry[] }>('completionInfo', this.#place(at));
    const isDeprecated = ({ kindModifiers = '' }: Entry): boolean => kindModifiers.split(',').includes('deprecated');
    return new Map(body?.entries.map((entry) => [entry.name, { isDeprecated: isDeprecated(entry) }]));
  }

  /** What is shown beside one of the completions. */
  async completion(at: string, name: string): Promise<Hover | undefined> {
    const body = await this.#server.ask<Details[]>('completionEntryDetails', {
      ...this.#place(at),
      entryNames: [name],
    });
    const [details] = body ?? [];
    return (
      details && {
        text: textOf(details.displayParts),
        documentation: textOf(details.documentation),
        tags: (details.tags ?? []).map(tagOf),
      }
    );
  }

  async definitions(at: string): Promise<Place[]> {
    const body = await this.#server.ask<Span[]>('definition', this.#place(at));
    return (body ?? []).map(({ file, start }) => ({
      file: file.replace(`${this.#folder}/`, ''),
      line: readFileSync(file, 'utf8').split('\n')[start.line - 1]?.trim() ?? '',
    }));
  }

  /** What is struck through in the program. */
  async deprecated(): Promise<string[]> {
    const body = await this.#server.ask<Diagnostic[]>('suggestionDiagnosticsSync', { file: this.#file });
    const lines = this.#text.split('\n');
    return (body ?? [])
      .filter(({ reportsDeprecated }) => reportsDeprecated)
      .map(({ start, end }) => lines[start.line - 1]?.slice(start.offset - 1, end.offset - 1) ?? '');
  }

  async errors(): Promise<string[]> {
    const body = await this.#server.ask<Diagnostic[]>('semanticDiagnosticsSync', { file: this.#file });
    return (body ?? []).map(({ text }) => text);
  }

  #place(at: string): object {
    const [before = '', after = ''] = at.split('|');
    const index = this.#text.indexOf(before + after);
    if (index === -1 || this.#text.includes(before + after, index + 1)) throw new Error(`not there once: ${at}`);
    const lines = this.#text.slice(0, index + before.length).split('\n');
    return { file: this.#file, line: lines.length, offset: (lines.at(-1)?.length ?? 0) + 1 };
  }
}

// The parts of the server's protocol that are used here.

interface Response {
  readonly request_seq: number;
  readonly success: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

type Text = string | readonly { readonly text: string }[] | undefined;

interface Tag {
  readonly name: string;
  readonly text?: Text;
}

interface QuickInfo {
  readonly displayString: string;
  readonly documentation: Text;
  readonly tags: readonly Tag[];
}

interface Details {
  readonly displayParts: Text;
  readonly documentation?: Text;
  readonly tags?: readonly Tag[];
}

interface Entry {
  readonly name: string;
  readonly kindModifiers?: string;
}

interface Position {
  readonly line: number;
  readonly offset: number;
}

interface Span {
  readonly file: string;
  readonly start: Position;
}

interface Diagnostic {
  readonly start: Position;
  readonly end: Position;
  readonly text: string;
  readonly reportsDeprecated?: boolean;
}

function textOf(text: Text): string {
  return typeof text === 'string' ? text : (text ?? []).map((part) => part.text).join('');
}

function tagOf({ name, text }: Tag): string {
  return `@${name} ${textOf(text)}`.trimEnd();
}
