/** Types that differ between the versions of a range, as programs use them. */

import type { BlockJobInfo, Client, SevInfo } from '@qapi-ts/range/qmp';

declare const vm: Client;

/** What any version accepts can be written, and what none accepts cannot. */
export async function write(): Promise<void> {
  // Mandatory in 7.2, optional since 10.0.
  await vm.migrate({ channels: [] });
  await vm.migrate({ uri: 'tcp:host:4444' });
  // Removed since.
  await vm.migrate({ uri: 'tcp:host:4444', blk: true });
  // @ts-expect-error -- in no version
  await vm.migrate({ url: 'tcp:host:4444' });
  // Arguments that 7.2 does not have.
  await vm.queryDirtyRate();
  await vm.queryDirtyRate({ 'calc-time-unit': 'second' });
  // Of two types, and of none.
  await vm.migrateSetParameters({ 'max-bandwidth': 1n, 'tls-creds': null });
  // @ts-expect-error
  await vm.migrateSetParameters({ 'max-bandwith': 1n });
  // A value that only older versions have, and one that none has.
  await vm.blockdevAdd({ driver: 'gluster', volume: 'v', path: 'p', server: [] });
  // @ts-expect-error
  await vm.blockdevAdd({ driver: 'glusterfs' });
}

/** A member that some version lacks may be missing. */
export async function read(): Promise<void> {
  for (const cpu of await vm.queryCpusFast()) {
    const type: string | undefined = cpu['qom-type'];
    // @ts-expect-error
    const always: string = cpu['qom-type'];
    console.log(type, always);
  }
  // @ts-expect-error -- in no version
  console.log((await vm.queryStatus()).stopped);
}

/** The discriminator narrows, also where some version has none. */
export function narrow(info: SevInfo): unknown {
  switch (info['sev-type']) {
    case 'sev':
      return [info.policy, info.handle];
    case 'sev-snp':
      return info['snp-policy'];
    case undefined:
      return [info.policy, info.handle];
  }
}

/** A struct that became a union by one of its members. */
export function progress(job: BlockJobInfo): boolean | undefined {
  if (job.type !== 'mirror') {
    // @ts-expect-error
    return job['actively-synced'];
  }
  // @ts-expect-error -- 7.2 does not have it
  const always: boolean = job['actively-synced'];
  return always && job['actively-synced'];
}
