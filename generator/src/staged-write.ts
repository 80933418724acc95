/**
 * Replaces a set of files and directories atomically: all of them or none, even if the process is killed.
 *
 * 1. A run creates a stage, its own directory in the root. The stage's name identifies the process that owns it.
 * If the root, a directory in the set that may be another run's root, or the root's parent has a stage of another live
 * process, the run removes its own stage and waits. So only one run at a time proceeds.
 * 2. The run completes what dead runs began, and removes their stages.
 * 3. It writes all new content to the stage, then a journal, which lists the moves. Up to here, nothing has changed.
 * 4. It moves replaced files into the stage, and new content to its place. If a move fails, all moves are undone. If
 * the process is killed, the next run makes the remaining moves.
 * 5. It removes the journal, then the stage.
 *
 * Each step is flushed to disk before the next begins, so a power failure has the same effect as a kill.
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

/** The content of a file, the files of a directory by relative path, or undefined for a removal. */
export type Content = string | ReadonlyMap<string, string | Uint8Array> | undefined;

interface Replacement {
  /** The directory that contains everything. */
  readonly root: string;
  /** Directories in the root that may be the root of another run. */
  readonly folders?: readonly string[];
  /**
   * Returns the new content by path relative to the root, with `/` as separator. Called once earlier runs are
   * completed.
   */
  readonly plan: () => ReadonlyMap<string, Content>;
  /** @throws FileError if the file or directory at the path must not be replaced or removed */
  readonly verify: (path: string) => void;
}

/** A stage that a dead run left behind. */
export interface Leftover {
  readonly path: string;
  /** Whether the run may have changed something. The next run completes it. */
  readonly isBegun: boolean;
}

/** The maximum time to wait for another run, in milliseconds. */
const patience = 60_000;
/**
 * The time for which the stage of a process that cannot be observed, on another host or in another container, counts as
 * live, in milliseconds.
 */
const lease = 30_000;
const maxJournalLength = 1 << 24;

const stageName = /^\.qapi-ts-(?:(?<host>[0-9a-f]{8})-(?<pid>\d{1,10})-(?<start>\d{1,20})-)?[A-Za-z0-9]{6}$/u;
/** No separators, drives, parent directories or hidden names. */
const segment = /^[\w+-][\w.+-]*$/u;
const journalName = 'journal.json';

/**
 * Replaces files and directories atomically.
 *
 * @throws FileError if something is in the way, or another run does not end
 * @throws InterruptError if a signal arrived; either nothing or everything has been replaced
 * @throws file system errors; nothing has been replaced, unless the message says otherwise
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

/** Returns false if a signal arrived before anything was changed. */
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
    // If moves could be neither made nor undone, the journal remains for the next run.
    if (!isThere(join(stage, journalName))) removeStage(stage);
  }
}

/**
 * Creates a directory and its missing parents, so that a run in it will not fail for lack of permission.
 *
 * @throws file system errors, also if the directory is not writable
 */
export function requireWritable(root: string): void {
  makeFolders(root);
  rmdirSync(mkdtempSync(join(root, ownPrefix())));
}

/** Returns the stages that dead runs left in a directory. */
export function leftoversIn(folder: string): Leftover[] {
  return stagesIn(folder)
    .filter((stage) => !isLive(stage))
    .map((path) => ({ path, isBegun: isThere(join(path, journalName)) }));
}

interface Move {
  /** The path relative to the root, with `/` as separator. */
  readonly path: string;
  /** Whether to remove the old content without a replacement. */
  readonly isRemoval: boolean;
}

/**
 * Creates a stage once no other run is live.
 *
 * @returns undefined if a signal arrived
 */
async function enter(
  root: string,
  folders: readonly string[],
  isInterrupted: () => Promise<boolean>,
): Promise<string | undefined> {
  const end = performance.now() + patience;
  const shared = [root, ...folders, ...folderAround(root)];
  for (;;) {
    // Each run creates its stage before it looks for others, so of two runs, at least one sees the other.
    const stage = mkdtempSync(join(root, ownPrefix()));
    const other = shared.flatMap(stagesIn).find((path) => path !== stage && isLive(path));
    if (other === undefined) return stage;
    rmSync(stage, { recursive: true, force: true });
    if (performance.now() > end) {
      const owner = stageName.exec(basename(other))?.groups?.['pid'];
      const who = owner === undefined ? 'another run' : `another run (process ${owner})`;
      throw new FileError(`${who} has been writing to '${root}' for ${patience / 1000} seconds: '${other}'`);
    }
    // A random delay, so that two runs that withdrew together do not return together.
    await sleep(20 + Math.random() * 80);
    if (await isInterrupted()) return undefined;
  }
}

/**
 * Returns the root's parent directory, which may be the root of a run that writes to this root, too. Returns nothing if
 * it cannot be listed.
 */
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

/** Completes what dead runs began in a directory, and removes their stages. */
function recover(folder: string, ownStage: string, verify: Replacement['verify']): void {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const stage of stagesIn(folder)) {
    if (stage === ownStage || isLive(stage)) continue;
    const moves = readJournal(stage);
    for (const [index, { path, isRemoval }] of moves.entries()) {
      const fresh = join(stage, 'new', String(index));
      // The move has already been made if the new content, or what it removes, is gone.
      if (!isThere(isRemoval ? placeOf(folder, path) : fresh)) continue;
      verifyPlace(folder, path, verify);
      if (!isRemoval) verifyFresh(stage, fresh);
    }
    makeMoves(folder, stage, moves);
    removeStage(stage);
  }
}

/**
 * Verifies staged content, which might have been planted to be moved.
 *
 * @throws FileError for anything that a run never writes, such as a symbolic link
 */
function verifyFresh(stage: string, path: string): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    for (const name of readdirSync(path)) verifyFresh(stage, join(path, name));
  } else if (!stat.isFile()) {
    throw new FileError(`'${path}' is neither a file nor a directory: inspect '${stage}', then delete it`);
  }
}

/** Writes all new content and flushes it to disk. */
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

/** Returns the directories that were created. */
function writeFolder(path: string, files: ReadonlyMap<string, string | Uint8Array>): string[] {
  const folders = new Set([path]);
  for (const name of files.keys()) {
    const parts = requirePlain(name).split('/').slice(0, -1);
    for (let end = 1; end <= parts.length; end += 1) folders.add(join(path, ...parts.slice(0, end)));
  }
  for (const folder of folders) mkdirSync(folder);
  for (const [name, content] of files) writeFlushed(join(path, name), content);
  return [...folders];
}

function writeJournal(root: string, stage: string, moves: readonly Move[]): void {
  const draft = join(stage, 'draft');
  writeFlushed(draft, `${JSON.stringify({ moves })}\n`);
  // Renaming makes the journal appear atomically.
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
 * Reads a journal without trusting it: it might have been planted to move other files.
 *
 * @returns an empty list if there is no journal, because the run changed nothing or completed
 */
function readJournal(stage: string): Move[] {
  const path = join(stage, journalName);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  const fail = (): never => {
    throw new FileError(`'${path}' is not a valid qapi-ts journal: inspect '${stage}', then delete it`);
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

/** Makes the remaining moves. If one fails, undoes all. */
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
    // The old content is already in the stage; something else has since been put in its place.
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
      `${texts[0]}; earlier changes could not be undone (${texts[1]}): run the same command again to complete them`,
      { cause: error },
    );
  }
}

/** @throws FileError if a path leads out of the root, or its content must not be replaced */
function verifyPlace(root: string, path: string, verify: Replacement['verify']): void {
  const segments = path.split('/');
  for (let end = 1; end < segments.length; end += 1) {
    const folder = placeOf(root, segments.slice(0, end).join('/'));
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    // A symbolic link might lead out of the root.
    if (stat && !stat.isDirectory()) throw new FileError(`'${folder}' is not a directory: delete it`);
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

/** Removes a stage whose journal is gone. */
function removeStage(stage: string): void {
  try {
    // Otherwise, a power failure could bring back the journal without the content that it lists.
    syncFolder(stage);
  } catch {
    // Leave the stage to the next run.
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
  // The process ID may have been reused, and a zombie counts as ended.
  const state = processState(pid);
  if (state) return state.start === start && !state.isZombie;
  return start === '0' && isRunning(Number(pid));
}

/**
 * Returns an identifier of the set of processes that can be observed by process ID: those of the same boot and
 * container.
 */
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

/** Returns undefined if there is no such process or no `/proc`. */
function processState(pid: string): { readonly start: string; readonly isZombie: boolean } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the program's name in parentheses, may itself contain spaces and parentheses.
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
 * Runs a section during which these signals do not end the process, which would leave a stage behind. The section polls
 * `isInterrupted` where it can end early.
 *
 * @throws InterruptError after the section if a signal arrived
 */
async function holdSignals(section: (isInterrupted: () => Promise<boolean>) => Promise<void>): Promise<void> {
  let received: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals): void => {
    received ??= signal;
  };
  /**
   * Signals that arrive during synchronous work are delivered when the event loop polls, which takes up to two turns.
   */
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

/** Follows symbolic links. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function writeFlushed(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flush: true });
  } catch (error) {
    // Node's error of a failed write has no path.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

function syncFolder(folder: string): void {
  // Windows cannot open directories.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some file systems do not support this for directories.
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
 * Creates a directory and its missing parents. Node 20's recursive `mkdir` never returns where directories cannot be
 * created, such as in `/proc`.
 *
 * @returns the topmost directory that was created
 */
function makeFolders(folder: string): string | undefined {
  if (isThere(folder)) return undefined;
  const parent = dirname(folder);
  const made = parent === folder ? undefined : makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another run created it in the meantime.
    if (!isThere(folder)) throw error;
    return made;
  }
  return made ?? folder;
}

/** @param top the topmost directory to remove */
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
