/** `until` waits for the first of several events, and the call resolves to `{ result, event }`. */

import type { Client, DeviceDeletedEvent, Events, StatusInfo } from '@qapi-ts/qemu/qmp';
import type { EmptyObject, EventOf } from '@qapi-ts/runtime';
import { accept, type Expect, type Same } from './assert.js';

export async function until(vm: Client): Promise<void> {
  const { result, event } = await vm.deviceDel(
    { id: 'net0' },
    {
      until: ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR'],
      where: (candidate) => candidate.data.device === 'net0',
      timeout: 30_000,
    },
  );
  accept<void>(result);
  accept<'DEVICE_DELETED' | 'DEVICE_UNPLUG_GUEST_ERROR'>(event.event);
  accept<string>(event.data.path);
  accept<number>(event.timestamp.seconds);

  // The order of the options makes no difference.
  const stopped = await vm.queryStatus(
    {},
    { where: ({ data }) => accept<EmptyObject>(data) === data, until: ['STOP'] },
  );
  accept<StatusInfo>(stopped.result);
  accept<EventOf<Events, 'STOP'>>(stopped.event);

  // Without `until`, the call resolves to the result.
  const plain = await vm.queryStatus({}, { timeout: 5 });
  accept<StatusInfo>(plain);
  // @ts-expect-error there is no event
  accept(plain.event);

  // @ts-expect-error no such event
  await vm.queryStatus({}, { until: ['STOPPED'] });
  // @ts-expect-error not an array
  await vm.queryStatus({}, { until: 'STOP' });
  // @ts-expect-error no such member
  await vm.queryStatus({}, { until: ['JOB_STATUS_CHANGE'], where: (candidate) => candidate.data.device === 'net0' });
  // @ts-expect-error the event has no data
  await vm.queryStatus({}, { until: ['STOP'], where: (candidate) => candidate.data.device === 'net0' });
  // @ts-expect-error not a boolean
  await vm.queryStatus({}, { until: ['STOP'], where: () => 'yes' });
}

/** The event's name determines the type of its data. */
export async function discriminate(vm: Client): Promise<string> {
  const { event } = await vm.execute(
    'job-cancel',
    { id: 'job0' },
    { until: ['JOB_STATUS_CHANGE', 'BLOCK_JOB_CANCELLED', 'STOP'] },
  );
  // @ts-expect-error not every event has the member
  accept(event.data.id);
  switch (event.event) {
    case 'JOB_STATUS_CHANGE':
      return event.data.id;
    case 'BLOCK_JOB_CANCELLED':
      return event.data.device;
    case 'STOP':
      return event.event;
  }
}

export type Data = Expect<Same<EventOf<Events, 'DEVICE_DELETED'>['data'], DeviceDeletedEvent>>;

export async function constant(vm: Client): Promise<void> {
  const ends = ['SHUTDOWN', 'RESET'] as const;
  const { event } = await vm.systemReset({}, { until: ends });
  accept<'SHUTDOWN' | 'RESET'>(event.event);
  accept<boolean>(event.data.guest);
}
