/** Validates every example in QEMU's documentation with the validators of its commands and events. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { Schema } from '../generator/src/model.js';
import { ExampleChecker, readExample, type Counts } from './support/examples.js';
import { generatedPackage } from './support/generated.js';
import { qemuSchemas } from './support/qemu.js';

const none: Counts = { examples: 0, commands: 0, results: 0, errors: 0, events: 0, others: 0 };

/** Examples in modules that several servers share count once for each server. */
const counts: Readonly<Record<string, Readonly<Record<string, Counts>>>> = {
  '7.2.0': {
    qmp: { examples: 213, commands: 199, results: 187, errors: 2, events: 73, others: 0 },
    qga: none,
    qsd: { examples: 53, commands: 53, results: 53, errors: 0, events: 11, others: 0 },
  },
  '10.0.13': {
    qmp: { examples: 252, commands: 213, results: 211, errors: 2, events: 77, others: 2 },
    qga: none,
    qsd: { examples: 62, commands: 54, results: 54, errors: 0, events: 11, others: 0 },
  },
  '10.2.2': {
    qmp: { examples: 254, commands: 214, results: 212, errors: 2, events: 78, others: 2 },
    qga: none,
    qsd: { examples: 62, commands: 54, results: 54, errors: 0, events: 11, others: 0 },
  },
  '11.1.1': {
    qmp: { examples: 254, commands: 214, results: 212, errors: 2, events: 78, others: 2 },
    qga: none,
    qsd: { examples: 62, commands: 54, results: 54, errors: 0, events: 11, others: 0 },
  },
};

/** A mistake in QEMU's documentation. */
interface Mistake {
  /** The first version that has it; by default, the oldest. */
  readonly since?: string;
  /** The first version that no longer has it. */
  readonly until?: string;
  /** The definition with the example, and the place in its messages. */
  readonly where: string;
  readonly problems: readonly string[];
  readonly reason: string;
}

const blockStatistics = ['query-blockstats.return[].stats', 'query-blockstats.return[].parent.stats'].flatMap(
  (where): Mistake[] => [
    {
      where,
      problems: missing('flush_total_time_ns rd_total_time_ns wr_total_time_ns'),
      reason: 'it has "times" instead of "time" in these names',
    },
    {
      where,
      problems: missing(
        `failed_flush_operations failed_rd_operations failed_unmap_operations failed_wr_operations invalid_flush_operations
        invalid_rd_operations invalid_unmap_operations invalid_wr_operations timed_stats unmap_bytes unmap_merged
        unmap_operations unmap_total_time_ns`,
      ),
      reason: 'it is older than these members',
    },
    {
      since: '10.0',
      where,
      problems: missing(
        `failed_zone_append_operations invalid_zone_append_operations zone_append_bytes zone_append_merged
        zone_append_operations zone_append_total_time_ns`,
      ),
      reason: 'it is older than these members',
    },
  ],
);

const mistakes: readonly Mistake[] = [
  // Syntax.
  {
    until: '10.0',
    where: 'NETDEV_STREAM_DISCONNECTED',
    problems: ['strings are in single quotes'],
    reason: 'servers accept such strings, but never send them',
  },
  {
    until: '10.0',
    where: 'calc-dirty-rate',
    problems: ['strings are in single quotes'],
    reason: 'servers accept such strings, but they are not JSON',
  },
  {
    where: 'cancel-vcpu-dirty-limit',
    problems: ['part of a message is outside its braces'],
    reason: 'it closes the command before "arguments"',
  },
  {
    where: 'dumpdtb',
    problems: ['part of a message is outside its braces'],
    reason: 'it closes the command before "arguments"',
  },
  { where: 'dumpdtb.arguments', problems: missing('filename'), reason: 'it closes the command before "arguments"' },
  { where: 'query-blockstats', problems: [`a ',' is missing`], reason: 'several lines do not end with one' },
  {
    since: '10.0',
    where: 'query-dirty-rate',
    problems: ['a message is neither a command, nor a reply, nor an event'],
    reason: 'the results have no "return" around them',
  },
  { since: '10.0', where: 'query-machines', problems: [`a ']' is missing`], reason: 'it does not close the list' },
  {
    until: '10.0',
    where: 'query-rocker-of-dpa-flows',
    problems: [`there is an extra ','`],
    reason: 'there is one after the last element',
  },
  {
    where: 'set-vcpu-dirty-limit',
    problems: ['part of a message is outside its braces'],
    reason: 'it closes the command before "arguments"',
  },
  {
    where: 'set-vcpu-dirty-limit.arguments',
    problems: missing('dirty-rate'),
    reason: 'it closes the command before "arguments"',
  },

  // Values.
  {
    since: '10.0',
    where: 'migrate.arguments.channels[].addr.offset',
    problems: [`expected 64-bit integer, found string '0x1000'`],
    reason: 'monitors do not accept strings as integers; only the command line does',
  },

  // Members.
  ...blockStatistics,
  { where: 'RTC_CHANGE.data', problems: missing('qom-path'), reason: 'it is older than the member' },
  { where: 'query-block.return[].inserted', problems: missing('cache'), reason: 'it is older than the member' },
  {
    since: '10.0',
    where: 'query-block.return[].inserted',
    problems: missing('active'),
    reason: 'it is older than the member',
  },
  {
    since: '10.2',
    where: 'query-block.return[].inserted',
    problems: missing('children node-name'),
    reason: 'it is older than one of them, and the other was optional',
  },
  {
    since: '10.2',
    where: 'query-cpus-fast.return[]',
    problems: missing('qom-type'),
    reason: 'it is older than the member',
  },
  {
    where: 'query-iothreads.return[]',
    problems: missing('aio-max-batch poll-grow poll-max-ns poll-shrink'),
    reason: 'it is older than these members',
  },
  {
    since: '11.1',
    where: 'query-iothreads.return[]',
    problems: missing('poll-weight'),
    reason: 'it is older than the member',
  },
  {
    since: '10.0',
    where: 'query-machines.return[]',
    problems: missing('acpi'),
    reason: 'it is older than the member',
  },
  {
    where: 'query-migrate.return.ram',
    problems: missing(
      `dirty-pages-rate dirty-sync-missed-zero-copy downtime-bytes mbps multifd-bytes page-size pages-per-second
      postcopy-bytes postcopy-requests precopy-bytes`,
    ),
    reason: 'it is older than these members',
  },
  {
    until: '10.0',
    where: 'query-migrate.return.ram',
    problems: missing('skipped'),
    reason: 'it is older than the member',
  },
  {
    until: '10.0',
    where: 'query-migrate.return.disk',
    problems: missing(
      `dirty-pages-rate dirty-sync-count dirty-sync-missed-zero-copy downtime-bytes duplicate mbps multifd-bytes normal
      normal-bytes page-size pages-per-second postcopy-bytes postcopy-requests precopy-bytes skipped`,
    ),
    reason: 'it has the members of a disk, but the type is that of "ram"',
  },
  { where: 'query-named-block-nodes.return[]', problems: missing('cache'), reason: 'it is older than the member' },
  {
    since: '10.0',
    where: 'query-named-block-nodes.return[]',
    problems: missing('active'),
    reason: 'it is older than the member',
  },
  {
    since: '10.2',
    where: 'query-named-block-nodes.return[]',
    problems: missing('children'),
    reason: 'it is older than the member',
  },
  { where: 'query-pci.return[].devices[]', problems: missing('irq_pin'), reason: 'it is older than the member' },
  {
    since: '10.0',
    where: 'query-sev.return',
    problems: missing('sev-type'),
    reason: 'it is older than the union with this discriminator',
  },
  { where: 'query-sgx-capabilities.return', problems: missing('sections'), reason: 'it has "section" instead' },
  {
    where: 'x-query-virtio-status.return',
    problems: missing('disable-legacy-check'),
    reason: 'the second one has "disabled-legacy-check" instead',
  },
];

function missing(members: string): string[] {
  return members.split(/\s+/u).map((member) => `${member} is missing`);
}

describe.each(Object.entries(counts))('the examples of QEMU %s', (version, expected) => {
  const tree = qemuSchemas(version, `validating the examples of QEMU ${version}`);

  test.skipIf(!tree)('are valid, except for known mistakes', { timeout: 60_000 }, async () => {
    const found: Record<string, Counts> = {};
    const problems = new Set<string>();
    for (const { name, root } of servers) {
      const path = join(tree ?? '', root);
      const schema = loadSchema(path);
      const { validators } = await generatedPackage(schema);
      found[name] = new ExampleChecker(validators, problems).check(schema);
      const { examples: _, ...messages } = found[name];
      expect(sum(Object.values(messages))).toBe(countMessages(dirname(path), schema));
    }
    expect(found).toEqual(expected);
    const known = mistakes
      .filter(({ since, until }) => isFrom(version, since ?? '0') && !(until !== undefined && isFrom(version, until)))
      .flatMap((mistake) => mistake.problems.map((problem) => `${mistake.where}: ${problem}`));
    expect([...problems].toSorted()).toEqual(known.toSorted());
  });
});

function isFrom(version: string, first: string): boolean {
  return version.localeCompare(first, 'en', { numeric: true }) >= 0;
}

/** Whatever in comments looks like the beginning of a message: so none is passed over. */
function countMessages(folder: string, { modules }: Schema): number {
  const begin = /^#\s*(?:(?:->|<-)\s*\{|\{\s*["'](?:execute|exec-oob|return|error|event|timestamp)["'])/gmu;
  return sum(modules.map(({ path }) => [...readFileSync(join(folder, path), 'utf8').matchAll(begin)].length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('an example', () => {
  test.each([
    { text: '{ "a": 1, ... }', value: { a: 1 }, elided: [{ a: 1 }] },
    { text: '{ ..., "a": [ 1, ... ] }', value: { a: [1] }, elided: [{ a: [1] }, [1]] },
    { text: '{ "a": {...}, "b": [...] }', value: { a: {}, b: [] }, elided: [{}, []] },
    { text: '{ "a": ... }', value: {}, elided: [{}] },
    { text: '{ "a": [ 1, {...more...}, [ ... and more ... ] ] }', value: { a: [1] }, elided: [{}, [1], []] },
    { text: '{ "a": "1...2" }', value: { a: '1...2' }, elided: [] },
    { text: '{ "a": 9007199254740993 }', value: { a: 9007199254740993n }, elided: [] },
  ])('may omit parts: $text', ({ text, value, elided }) => {
    const example = readExample(`-> ${text}`);
    expect(example.messages).toEqual([{ arrow: '->', value }]);
    expect([...example.elided]).toEqual(elided);
    expect([...example.mistakes]).toEqual([]);
  });

  test.each([
    { text: '{ "a": 1 "b": 2 }', value: { a: 1, b: 2 }, mistake: `a ',' is missing` },
    { text: '{ "a": [ 1, ] }', value: { a: [1] }, mistake: `there is an extra ','` },
    { text: `{ 'a': 1 }`, value: { a: 1 }, mistake: 'strings are in single quotes' },
    { text: '{ "a": [ 1 }', value: { a: [1] }, mistake: `a ']' is missing` },
    { text: '{ "a": { "b": 1 }', value: { a: { b: 1 } }, mistake: `a '}' is missing` },
    { text: '{ "a": 1 },\n  "b": 2 }', value: { a: 1 }, mistake: 'part of a message is outside its braces' },
    { text: '{ "a": 0x10 }', mistake: `expected a value, found '0x10'` },
    { text: '{ "a" 1 }', mistake: `expected ':' after 'a', found '1'` },
    { text: '{ 1 }', mistake: `expected the name of a member, found '1'` },
  ])('may contain mistakes: $text', ({ text, value, mistake }) => {
    const { messages, mistakes: found } = readExample(`-> ${text}\n<- {}`);
    const first = value === undefined ? [] : [{ arrow: '->', value }];
    expect(messages).toEqual([...first, { arrow: '<-', value: {} }]);
    expect([...found]).toEqual([mistake]);
  });

  test('may have prose between messages, and messages without arrows', () => {
    const { messages, mistakes: found } = readExample('From [0, 10) to a, b::\n\n  -> {\n  }\n\n2. Or (c):\n\n{}');
    expect(messages).toEqual([
      { arrow: '->', value: {} },
      { arrow: undefined, value: {} },
    ]);
    expect([...found]).toEqual([]);
  });
});
