/**
 * A program that must work on every version of Node: `node smoke.js QEMU [ARGUMENT...]`. Uses the built packages, and
 * nothing that has to be compiled.
 */

// @ts-check
import assert from 'node:assert/strict';

import { connect } from '@qapi-ts/qemu/qmp';
import { CommandError, launch, stringify } from '@qapi-ts/runtime';

const [command = '', ...args] = process.argv.slice(2);
// The installed QEMU may be of another version.
const vm = await connect(launch(command, args), { checkVersion: false });

// Calls, in sequence and together.
const { status } = await vm.queryStatus();
assert.equal(status, 'prelaunch');
const answers = await Promise.all(Array.from({ length: 50 }, () => vm.execute('query-status')));
assert.ok(answers.every((answer) => answer.status === status));
assert.ok((await vm.queryQmpSchema()).length > 500);
await assert.rejects(vm.deviceDel({ id: 'nothing' }), (error) => {
  assert.ok(error instanceof CommandError);
  assert.equal(error.errorClass, 'DeviceNotFound');
  assert.match(error.stack ?? '', /smoke\.js/u);
  return true;
});

// Round trips of exact integers.
await vm.objectAdd({ 'qom-type': 'iothread', id: 'io', 'poll-max-ns': 9007199254740993n });
const property = { path: '/objects/io', property: 'poll-max-ns' };
assert.equal(await vm.qomGet(property), 9007199254740993n);
await vm.qomSet({ ...property, value: 1n });
assert.equal(await vm.qomGet(property), 1);
assert.equal(stringify({ n: 2n ** 64n - 1n }), '{"n":18446744073709551615}');
await assert.rejects(vm.qomSet({ ...property, value: 2 ** 53 }), { code: 'ERR_QMP_ARGUMENTS' });

// Events, for a call, a listener and an iterator.
/** @type {string[]} */
const heard = [];
vm.on('*', ({ event }) => heard.push(event));
const { event } = await vm.cont({}, { until: ['RESUME'], timeout: 10_000 });
assert.ok(event.date instanceof Date);
const events = vm.events(['STOP', 'RESUME']);
await vm.stop();
await vm.cont();
for await (const { event: name } of events) if (name === 'RESUME') break;
assert.deepEqual(heard, ['RESUME', 'STOP', 'RESUME']);

// Aborted calls.
await assert.rejects(vm.queryStatus({}, { signal: AbortSignal.abort() }), { name: 'AbortError' });

await vm[Symbol.asyncDispose]();
assert.equal(vm.process?.exitCode, 0);
await assert.rejects(vm.queryStatus(), { code: 'ERR_QMP_NOT_SENT' });
console.log('done');
