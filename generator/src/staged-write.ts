/**
 * Replaces a set of files and folders whole or not at all, also when the process is killed on the way.
 *
 * 1. A run makes a stage, a folder of its own in the root of the set. The name of the stage says which process owns it. While the stage of
 *    another live process is there, in a folder of the set that may be the root of another, or in the folder around the root, a run withdraws
 *    its own and waits: so there is one run at a time.
 * 2. The run finishes what runs that are gone have begun, and removes their stages.
 * 3. It writes all new content to the stage, and after that a journal, which lists the moves. Until then nothing has changed.
 * 4. It moves what is replaced into the stage, and the new content to its place. When a move fails, all moves are undone. When the process
 *    is killed, the next run makes the remaining moves.
 * 5. It removes the journal, and after that the stage.
 *
 * Each step is on the disk before the next begins, so that a power failure is no different from a kill.
 */

import { createHash, type Hash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { FileError, InterruptError } from './errors.js';

/** The text of a file, the files of a folder by path relative to it, or undefined for what goes. */
export type Content = string | ReadonlyMap<string, string> | undefined;

interface Replacement {
  /** The folder that everything is in. */
  readonly root: string;
  /** Folders in it that may be the root of another run. */
  readonly folders?: readonly string[];
  /** What is to be there, by path relative to the root, with `/`. It is called when earlier runs have been finished. */
  readonly plan: () => ReadonlyMap<string, Content>;
  /** @throws FileError when what is at the path must neither be replaced nor removed */
  readonly verify: (path: string) => void;
}

/** What a run that is gone has left behind. */
export interface Leftover {
  readonly path: string;
  /** It may have changed something; what remains is done by the next run. */
  readonly isBegun: boolean;
}

/** How long a run waits for another to end, in milliseconds. */
const patience = 60_000;
/** How long the stage of a process that cannot be observed, on another host or in another container, is taken for live. */
const lease = 30_000;
const maxJournalLength = 1 << 24;

const stageName = /^\.qapi-ts-(?:(?<host>[0-9a-f]{8})-(?<pid>\d{1,10})-(?<start>\d{1,20})-)?[A-Za-z0-9]{6}$/u;
/** No separator, no drive, nothing that leads upwards, nothing hidden. */
const segment = /^[\w+-][\w.+-]*$/u;
const journalName = 'journal.json';

/**
 * @throws FileError when something stands in the way, or another run does not end
 * @throws InterruptError when a signal came; everything is as before or whole then
 * @throws errors of the file system; everything is as before then, unless the error says that it is not
 */
export async function replaceWhole(replacement: Replacement): Promise<void> {
  const { root } = replacement;
  await holdSignals(async (isInterrupted) => {
    const made = makeFolders(root);
    let isDone = false;
    try {
      isDone = await replace(replacement, isInterrupted);
    } finally {
      if (made !== undefined && !isDone) removeEmptyFolders(resolve(root), resolve(made));
    }
  });
}

/** @returns false when a signal came before anything was changed */
async function replace(replacement: Replacement, isInterrupted: () => Promise<boolean>): Promise<boolean> {
  const { root, folders = [], plan, verify } = replacement;
  const stage = await enter(root, folders, isInterrupted);
  if (stage === undefined) return false;
  try {
    for (const folder of [root, ...folders]) recover(folder, stage, verify);
    const moves = writeStage(stage, plan());
    if (await isInterrupted()) return false;
    for (const { path } of moves) verifyPlace(root, path, verify);
    writeJournal(root, stage, moves);
    makeMoves(root, stage, moves);
    return true;
  } finally {
    // There is a journal when moves could neither be made nor undone.
    if (!isThere(join(stage, journalName))) removeStage(stage);
  }
}

/** What runs that are gone have left in a folder. */
export function leftoversIn(folder: string): Leftover[] {
  return stagesIn(folder)
    .filter((stage) => !isLive(stage))
    .map((path) => ({ path, isBegun: isThere(join(path, journalName)) }));
}

interface Move {
  /** Relative to the root, with `/`. */
  readonly path: string;
  /** Nothing takes the place of what is there. */
  readonly isRemoval: boolean;
}

/** @returns undefined when a signal came */
async function enter(
  root: string,
  folders: readonly string[],
  isInterrupted: () => Promise<boolean>,
): Promise<string | undefined> {
  const end = performance.now() + patience;
  const shared = [root, ...folders, ...folderAround(root)];
  for (;;) {
    // Each of two runs makes its stage before it looks for others, so that at least one of them sees the other.
    const stage = mkdtempSync(join(root, ownPrefix()));
    const other = shared.flatMap(stagesIn).find((path) => path !== stage && isLive(path));
    if (other === undefined) return stage;
    rmSync(stage, { recursive: true, force: true });
    if (performance.now() > end) {
      const owner = stageName.exec(basename(other))?.groups?.['pid'];
      const who = owner === undefined ? 'another run' : `another run (process ${owner})`;
      throw new FileError(`${who} has been writing to '${root}' for ${patience / 1000} seconds: '${other}'`);
    }
    // Two runs that have withdrawn at once should not return at once.
    await sleep(20 + Math.random() * 80);
    if (await isInterrupted()) return undefined;
  }
}

/** @returns the folder that the root is in: a run whose root that is may write to this one, too. Nothing where it cannot be listed */
function folderAround(root: string): string[] {
  const real = realpathSync(root);
  const around = dirname(real);
  try {
    accessSync(around, constants.R_OK);
  } catch {
    return [];
  }
  return around === real ? [] : [around];
}

/** Finishes what runs that are gone have begun in a folder, and removes their stages. */
function recover(folder: string, ownStage: string, verify: Replacement['verify']): void {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const stage of stagesIn(folder)) {
    if (stage === ownStage || isLive(stage)) continue;
    const moves = readJournal(stage);
    for (const [index, { path, isRemoval }] of moves.entries()) {
      const fresh = join(stage, 'new', String(index));
      // The others have been made.
      if (!isThere(isRemoval ? placeOf(folder, path) : fresh)) continue;
      verifyPlace(folder, path, verify);
      if (!isRemoval) verifyFresh(stage, fresh);
    }
    makeMoves(folder, stage, moves);
    removeStage(stage);
  }
}

/** @throws FileError for what no run writes to a stage, such as a symbolic link, which someone else has put there to be moved */
function verifyFresh(stage: string, path: string): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    for (const name of readdirSync(path)) verifyFresh(stage, join(path, name));
  } else if (!stat.isFile()) {
    throw new FileError(`'${path}' is neither a file nor a folder: see what is in '${stage}', and delete it`);
  }
}

/** Writes all new content, and sees to it that it is on the disk. */
function writeStage(stage: string, planned: ReadonlyMap<string, Content>): Move[] {
  const folders = [stage, join(stage, 'new'), join(stage, 'old')];
  for (const folder of folders.slice(1)) mkdirSync(folder);
  const moves = [...planned].map(([path, content], index): Move => {
    requirePlain(path);
    const fresh = join(stage, 'new', String(index));
    if (typeof content === 'string') writeFlushed(fresh, content);
    else if (content !== undefined) folders.push(...writeFolder(fresh, content));
    return { path, isRemoval: content === undefined };
  });
  for (const folder of folders.toReversed()) syncFolder(folder);
  return moves;
}

/** @returns the folders that were made */
function writeFolder(path: string, files: ReadonlyMap<string, string>): string[] {
  const folders = new Set([path]);
  for (const name of files.keys()) {
    const parts = requirePlain(name).split('/').slice(0, -1);
    for (let end = 1; end <= parts.length; end += 1) folders.add(join(path, ...parts.slice(0, end)));
  }
  for (const folder of folders) mkdirSync(folder);
  for (const [name, text] of files) writeFlushed(join(path, name), text);
  return [...folders];
}

function writeJournal(root: string, stage: string, moves: readonly Move[]): void {
  const draft = join(stage, 'draft');
  writeFlushed(draft, `${JSON.stringify({ moves })}\n`);
  // It is there whole or not at all.
  renameSync(draft, join(stage, journalName));
  try {
    syncFolder(stage);
    syncFolder(root);
  } catch (error) {
    unlinkSync(join(stage, journalName));
    throw error;
  }
}

/**
 * Nothing is believed: someone else may have written it, to have something moved that is elsewhere.
 *
 * @returns nothing when there is no journal, because the run has changed nothing, or everything
 */
function readJournal(stage: string): Move[] {
  const path = join(stage, journalName);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  const fail = (): never => {
    throw new FileError(`'${path}' is not a journal of qapi-ts: see what is in '${stage}', and delete it`);
  };
  if (!stat.isFile() || stat.size > maxJournalLength) return fail();
  for (const name of ['new', 'old']) {
    if (!lstatSync(join(stage, name), { throwIfNoEntry: false })?.isDirectory()) return fail();
  }
  const journal = parseJson(readFileSync(path, 'utf8'));
  const moves = isObject(journal) ? journal['moves'] : undefined;
  if (!Array.isArray(moves)) return fail();
  return moves.map((move: unknown): Move => {
    if (!isObject(move)) return fail();
    const { path: name, isRemoval } = move;
    if (typeof name !== 'string' || typeof isRemoval !== 'boolean' || !isPlain(name)) return fail();
    return { path: name, isRemoval };
  });
}

/** Makes the moves that have not been made yet. When one fails, undoes all. */
function makeMoves(root: string, stage: string, moves: readonly Move[]): void {
  const folders = new Set(moves.map(({ path }) => dirname(placeOf(root, path))));
  try {
    for (const [index, move] of moves.entries()) makeMove(root, stage, move, String(index));
    if (moves.length > 0) for (const folder of [...folders, join(stage, 'old')]) syncFolder(folder);
  } catch (error) {
    undoMoves(root, stage, moves, error);
    for (const folder of folders) if (folder !== placeOf(root, '.')) removeIfEmpty(folder);
    throw error;
  }
  rmSync(join(stage, journalName), { force: true });
}

function makeMove(root: string, stage: string, { path, isRemoval }: Move, index: string): void {
  const place = placeOf(root, path);
  const [fresh, old] = [join(stage, 'new', index), join(stage, 'old', index)];
  if (!isRemoval && !isThere(fresh)) return;
  if (isThere(place)) {
    // What was there is in the stage, and someone has put something else there since.
    if (isThere(old)) rmSync(old, { recursive: true });
    renameSync(place, old);
  }
  if (isRemoval) return;
  makeFolders(dirname(place));
  renameSync(fresh, place);
}

function undoMoves(root: string, stage: string, moves: readonly Move[], reason: unknown): void {
  try {
    for (const [index, { path, isRemoval }] of [...moves.entries()].toReversed()) {
      const place = placeOf(root, path);
      const [fresh, old] = [join(stage, 'new', String(index)), join(stage, 'old', String(index))];
      if (!isRemoval && !isThere(fresh)) renameSync(place, fresh);
      if (isThere(old)) renameSync(old, place);
    }
    unlinkSync(join(stage, journalName));
  } catch (error) {
    const texts = [reason, error].map((problem) => (problem instanceof Error ? problem.message : String(problem)));
    throw new FileError(
      `${texts[0]}; what was changed until then could not be undone (${texts[1]}): run the same command again, which finishes it`,
      { cause: error },
    );
  }
}

/** @throws FileError when a place is not in the root, or holds what must stay */
function verifyPlace(root: string, path: string, verify: Replacement['verify']): void {
  const segments = path.split('/');
  for (let end = 1; end < segments.length; end += 1) {
    const folder = placeOf(root, segments.slice(0, end).join('/'));
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    // A symbolic link would lead out of the root.
    if (stat && !stat.isDirectory()) throw new FileError(`'${folder}' is not a folder: delete it`);
  }
  const place = placeOf(root, path);
  if (isThere(place)) verify(place);
}

function placeOf(root: string, path: string): string {
  return join(root, ...path.split('/'));
}

function isPlain(path: string): boolean {
  return path.split('/').every((name) => segment.test(name));
}

function requirePlain(path: string): string {
  if (!isPlain(path))
    throw new FileError(`'${path}' cannot be written: expected names of letters, digits, '.', '_', '+' and '-'`);
  return path;
}

// Stages and their owners

function stagesIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && stageName.test(entry.name))
    .map(({ name }) => join(folder, name));
}

/** Its journal is gone. */
function removeStage(stage: string): void {
  try {
    // Otherwise a power failure could bring the journal back, without the content that it lists.
    syncFolder(stage);
  } catch {
    // The next run removes the stage.
    return;
  }
  rmSync(stage, { recursive: true, force: true });
}

function ownPrefix(): string {
  return `.qapi-ts-${hostId()}-${process.pid}-${processState('self')?.start ?? '0'}-`;
}

function isLive(stage: string): boolean {
  const { host, pid = '', start } = stageName.exec(basename(stage))?.groups ?? {};
  if (host !== hostId()) {
    const changed = lstatSync(stage, { throwIfNoEntry: false })?.mtimeMs;
    return changed !== undefined && Math.abs(Date.now() - changed) < lease;
  }
  // Another process may have got the number since; a zombie has ended.
  const state = processState(pid);
  if (state) return state.start === start && !state.isZombie;
  return start === '0' && isRunning(Number(pid));
}

/** Processes can be observed by their number where this is the same: until the next boot, and in one container. */
function hostId(): string {
  const read = (action: () => string): string => {
    try {
      return action();
    } catch {
      return '';
    }
  };
  const hash: Hash = createHash('sha256').update(hostname());
  hash.update(read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')));
  hash.update(read(() => readlinkSync('/proc/self/ns/pid')));
  return hash.digest('hex').slice(0, 8);
}

/** @returns undefined where there is no such process, or no `/proc` */
function processState(pid: string): { readonly start: string; readonly isZombie: boolean } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the name of the program in parentheses, can have spaces and parentheses in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { start: fields[19] ?? '0', isZombie: fields[0] === 'Z' || fields[0] === 'X' };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// Signals

const heldSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a section that these signals do not end: they would leave a stage behind. The section asks where it can end early.
 *
 * @throws InterruptError when a signal came, after the section
 */
async function holdSignals(section: (isInterrupted: () => Promise<boolean>) => Promise<void>): Promise<void> {
  let received: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals): void => {
    received ??= signal;
  };
  /** A signal that came during synchronous work is only told when the event loop polls: within two turns. */
  const isInterrupted = async (): Promise<boolean> => {
    await nextTurn();
    await nextTurn();
    return received !== undefined;
  };
  for (const signal of heldSignals) process.on(signal, note);
  try {
    await section(isInterrupted);
    await isInterrupted();
  } finally {
    for (const signal of heldSignals) process.off(signal, note);
  }
  if (received !== undefined) throw new InterruptError(received);
}

// Files

/** Or a link to one. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function writeFlushed(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flush: true });
  } catch (error) {
    // Node tells no path when a write fails.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some file systems do not know it for folders.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(descriptor);
  }
}

function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a folder and those that it is in. Node 20 can do that by itself, but never ends where the system has no place for folders: `/proc`.
 *
 * @returns the first of those that were made
 */
function makeFolders(folder: string): string | undefined {
  if (isThere(folder)) return undefined;
  const parent = dirname(folder);
  const made = parent === folder ? undefined : makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another run was faster.
    if (!isThere(folder)) throw error;
    return made;
  }
  return made ?? folder;
}

/** @param top the topmost of those that were made */
function removeEmptyFolders(folder: string, top: string): void {
  if (removeIfEmpty(folder) && folder !== top) removeEmptyFolders(dirname(folder), top);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
