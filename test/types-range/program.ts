/** A program that is compiled once, and drives servers of any version of a range (`test/real/range-program.test.ts`). */

import type { Client } from '@qapi-ts/range/qmp';

/** Shows the state of a machine, by version. */
export async function show(vm: Client): Promise<string[]> {
  await vm.cont();
  await vm.stop();
  await vm.queryStatus();
  const cpus = await vm.queryCpusFast();
  const names = cpus.map((cpu) => cpu['qom-type'] ?? cpu['qom-path']);
  await vm.queryMachines();
  const parameters = await vm.queryMigrateParameters();
  if (parameters['max-bandwidth'] === undefined) throw new Error('there is no limit');
  if (vm.has('query-accelerators')) names.push((await vm.queryAccelerators()).enabled);
  return names;
}

/** Plugs a device and a character device, and unplugs them. */
export async function plug(vm: Client): Promise<string | undefined> {
  await vm.deviceAdd({ driver: 'usb-kbd', id: 'keyboard' });
  const options = { until: ['DEVICE_DELETED'], timeout: 10_000 } as const;
  const { event } = await vm.deviceDel({ id: 'keyboard' }, options);
  await vm.chardevAdd({ id: 'log', backend: { type: 'ringbuf', data: { size: 1024 } } });
  await vm.queryChardev();
  await vm.chardevRemove({ id: 'log' });
  return event.data.device;
}

/** Adds a block node, and removes it. */
export async function store(vm: Client): Promise<(string | undefined)[]> {
  await vm.blockdevAdd({ driver: 'null-co', 'node-name': 'disk', size: 1_048_576, 'read-zeroes': true });
  const nodes = await vm.queryNamedBlockNodes({ flat: true });
  await vm.queryBlock();
  await vm.queryBlockstats({ 'query-nodes': true });
  await vm.blockdevDel({ 'node-name': 'disk' });
  return nodes.map((node) => node['node-name']);
}

/** Migrates a machine to another server. */
export async function migrate(from: Client, to: Client, uri: string): Promise<string | undefined> {
  await from.migrateSetCapabilities({ capabilities: [{ capability: 'events', state: true }] });
  await to.migrateIncoming({ uri });
  await from.migrate(
    { uri },
    { until: ['MIGRATION'], where: ({ data }) => ['completed', 'failed'].includes(data.status), timeout: 20_000 },
  );
  return (await from.queryMigrate()).status;
}
