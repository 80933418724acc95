/** Every method takes `(args, options)`, and both can be omitted if no argument is mandatory. */

import type { Client as Agent } from '@qapi-ts/qemu/qga';
import type { Client, DirtyRateInfo, StatusInfo } from '@qapi-ts/qemu/qmp';
import { accept } from './assert.js';

export async function calls(vm: Client, agent: Agent, { signal }: AbortController): Promise<void> {
  accept<StatusInfo>(await vm.queryStatus());
  await vm.queryStatus({});
  await vm.queryStatus(undefined, { timeout: 5 });
  await vm.queryStatus({}, { timeout: 5, signal });
  // @ts-expect-error the command has no arguments
  await vm.queryStatus({ x: 1 });
  // @ts-expect-error options come second
  await vm.queryStatus({ timeout: 5 });
  const variable = { x: 1 };
  // @ts-expect-error also in a variable
  await vm.queryStatus(variable);
  // @ts-expect-error null does not mean absent
  await vm.queryStatus(null);
  // @ts-expect-error there is no third parameter
  await vm.queryStatus({}, {}, {});
  // @ts-expect-error no such option
  await vm.queryStatus({}, { deadline: 5 });
  // @ts-expect-error not a number
  await vm.queryStatus({}, { timeout: '5' });

  // All arguments are optional.
  accept<DirtyRateInfo>(await vm.queryDirtyRate());
  await vm.queryDirtyRate({ 'calc-time-unit': 'millisecond' }, { timeout: 5 });

  // One argument is mandatory.
  accept<void>(await vm.balloon({ value: 2 ** 30 }, { timeout: 5 }));
  // @ts-expect-error the mandatory argument is missing
  await vm.balloon();
  // @ts-expect-error the mandatory argument is missing
  await vm.balloon({});
  // @ts-expect-error the mandatory argument is missing
  await vm.balloon(undefined, { timeout: 5 });

  // Without a reply, there is no result.
  accept<void>(await agent.guestShutdown({ mode: 'reboot' }));

  // Features and versions appear only in comments.
  await vm.blockJobPause({ device: 'job0' });
}

export async function oob(vm: Client): Promise<void> {
  await vm.migratePause({}, { oob: true });
  await vm.migrateRecover({ uri: 'tcp:localhost:4444' }, { oob: true, timeout: 5 });
  await vm.execute('migrate-pause', {}, { oob: true });
  // @ts-expect-error cannot be called out of band
  await vm.migrateContinue({ state: 'pre-switchover' }, { oob: true });
  // @ts-expect-error cannot be called out of band
  await vm.execute('query-status', {}, { oob: true });
}
