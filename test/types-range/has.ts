/** All ways to ask for the commands of a range that not every version has, as programs use them. */

import { connect, type Client, type ClientWith, type Commands, type OptionalCommands } from '@qapi-ts/range/qmp';

declare const vm: Client;
declare const name: 'query-accelerators' | 'request-ebpf';
declare const anyName: OptionalCommands;

/** By if and else. */
export async function ifElse(): Promise<void> {
  if (vm.has('query-accelerators')) {
    const { enabled } = await vm.queryAccelerators();
    const { present } = await vm.execute('query-accelerators');
    console.log(enabled, present);
    // What every version has stays callable.
    await vm.queryStatus();
    await vm.execute('query-status');
    // @ts-expect-error -- only what was asked for
    await vm.requestEbpf({ id: 'rss' });
    // @ts-expect-error
    await vm.execute('request-ebpf', { id: 'rss' });
  } else {
    await vm.queryStatus();
    await vm.execute('stop');
    // @ts-expect-error
    await vm.queryAccelerators();
    // @ts-expect-error
    await vm.execute('query-accelerators');
  }
}

/** Without asking. */
export async function unasked(): Promise<void> {
  await vm.queryStatus();
  // @ts-expect-error
  await vm.queryAccelerators();
  // @ts-expect-error
  await vm.execute('query-accelerators');
  // @ts-expect-error
  await vm.execute('query-acclerators');
  // @ts-expect-error -- in no version
  await vm.execute('query-nothing');
  // @ts-expect-error -- in no version
  await vm.queryNothing();
  // @ts-expect-error -- every version has it
  vm.has('query-status');
  // @ts-expect-error -- no version has it
  vm.has('query-nothing');
}

/** By an early return. */
export async function earlyReturn(): Promise<void> {
  if (!vm.has('query-accelerators')) return;
  await vm.queryAccelerators();
}

export async function orElseThrow(client: Client): Promise<void> {
  if (!client.has('query-accelerators')) throw new Error('too old');
  await client.queryAccelerators();
}

/** By a constant. */
export async function constant(): Promise<void> {
  const isGranted = vm.has('query-accelerators');
  if (isGranted) await vm.queryAccelerators();
  // @ts-expect-error
  else await vm.queryAccelerators();
}

/** By a conditional expression, and by `&&`. */
export async function expressions(): Promise<void> {
  const result = vm.has('query-accelerators') ? await vm.queryAccelerators() : undefined;
  console.log(result?.enabled, vm.has('query-accelerators') && (await vm.queryAccelerators()).enabled);
}

/** Two in a row grant both. */
export async function twice(): Promise<void> {
  if (vm.has('query-accelerators') && vm.has('request-ebpf')) {
    await vm.queryAccelerators();
    await vm.requestEbpf({ id: 'rss' });
    await both(vm);
  }
  if (vm.has('query-accelerators')) {
    if (!vm.has('request-ebpf')) return;
    await vm.queryAccelerators();
    await vm.execute('request-ebpf', { id: 'rss' });
    await both(vm);
    await one(vm);
  }
}

/** As a property. */
export class Machine {
  readonly vm: Client;
  other: Client;

  constructor(client: Client) {
    this.vm = client;
    this.other = client;
  }

  async start(): Promise<void> {
    if (this.vm.has('query-accelerators')) await this.vm.queryAccelerators();
    if (this.other.has('query-accelerators')) await this.other.queryAccelerators();
    // @ts-expect-error
    await this.vm.queryAccelerators();
  }
}

/** By `await using`. */
export async function using(): Promise<void> {
  await using client = await connect({ path: '/run/vm.qmp' });
  if (client.has('query-accelerators')) await client.queryAccelerators();
  // @ts-expect-error
  await client.queryAccelerators();
}

/** Passed on. */
async function one(client: ClientWith<'query-accelerators'>): Promise<void> {
  await client.queryAccelerators();
  await client.execute('query-accelerators');
  await client.queryStatus();
  // @ts-expect-error
  await client.requestEbpf({ id: 'rss' });
}

async function both(client: ClientWith<'query-accelerators' | 'request-ebpf'>): Promise<void> {
  await client.queryAccelerators();
  await client.requestEbpf({ id: 'rss' });
  await one(client);
}

export async function passOn(): Promise<void> {
  if (vm.has('query-accelerators')) {
    await one(vm);
    // @ts-expect-error -- this takes both
    await both(vm);
  }
  // @ts-expect-error
  await one(vm);
}

/** A name of a union type would grant all of its names. */
export function unions(): void {
  // @ts-expect-error
  vm.has(name);
  // @ts-expect-error
  vm.has(anyName);
  // @ts-expect-error
  if (vm.has(Math.random() < 0.5 ? 'query-accelerators' : 'request-ebpf')) console.log();
}

/** A union type of names is not callable unless all are granted. */
export async function executeUnions(command: 'query-accelerators' | 'query-status'): Promise<void> {
  // @ts-expect-error
  await vm.execute(command);
  if (vm.has('query-accelerators')) await vm.execute(command);
}

/** Events are always allowed, and call options work as usual. */
export async function others(): Promise<void> {
  vm.on('MIGRATION', ({ data }) => console.log(data.status));
  if (vm.has('query-accelerators')) {
    const { result, event } = await vm.queryAccelerators({}, { until: ['STOP'], timeout: 1000 });
    console.log(result.enabled, event.timestamp);
  }
}

export type Used = Commands;
