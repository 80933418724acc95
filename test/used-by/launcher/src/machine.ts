/** Starts machines, attaches disks, and migrates machines. Some features that it uses were removed after QEMU 7.2. */

import { EventEmitter } from 'node:events';

import {
  connect,
  launch,
  type BlockdevOptions,
  type Client,
  type Commands,
  type MigrationInfo,
  type Netdev,
} from '@qapi-ts/qemu/qmp';

export interface Options {
  readonly memory: number;
  readonly disks: readonly BlockdevOptions[];
  /** As in QEMU's command line. */
  readonly network?: Netdev | undefined;
}

export class Machine extends EventEmitter {
  private constructor(readonly vm: Client) {
    super();
    vm.on('SHUTDOWN', ({ data: { guest, reason } }) => this.emit('end', guest ? 'guest' : reason));
    vm.once('GUEST_PANICKED', (event) => this.emit('panic', event.data));
  }

  static async start({ memory, disks, network }: Options): Promise<Machine> {
    const vm = await connect(launch('qemu-system-x86_64', ['-S', '-m', String(memory)]));
    for (const disk of disks) await vm.blockdevAdd(disk);
    if (network) await vm.netdevAdd(network);
    await vm.deviceAdd({ driver: 'virtio-net-pci', id: 'net0', netdev: 'net0', mac: '52:54:00:12:34:56' });
    await vm.executeRaw('x-machine-init', { fast: true });
    await vm.cont();
    return new Machine(vm);
  }

  async state(): Promise<string> {
    const status = await this.vm.queryStatus();
    // @ts-expect-error -- until 8.2
    if (status.singlestep) return 'stepping';
    return status.status === 'running' ? 'up' : status.status === 'paused' ? 'down' : 'unknown';
  }

  async moveTo(uri: string, copyDisks: boolean): Promise<void> {
    await this.vm.migrateSetCapabilities({
      capabilities: [
        { capability: 'auto-converge', state: true },
        // @ts-expect-error -- until 9.1
        { capability: 'compress', state: true },
      ],
    });
    const parameters = {
      'max-bandwidth': 2 ** 30,
      'downtime-limit': 300,
    } satisfies Commands['migrate-set-parameters']['arguments'];
    await this.vm.migrateSetParameters(parameters);
    // @ts-expect-error -- until 9.1
    await this.vm.migrate({ uri, blk: copyDisks, detach: true });
    while (!isDone(await this.vm.queryMigrate())) await this.wait();
  }

  async call<N extends keyof Commands>(name: N, args: Commands[N]['arguments']): Promise<void> {
    await this.vm.execute(name, ...([args] as never));
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function isDone(info: MigrationInfo): boolean {
  if (info.ram) console.log(`${info.ram.remaining} of ${info.ram.total} bytes left`);
  if (info.status === 'failed') throw new Error(info['error-desc'] ?? 'failed');
  return info.status === 'completed';
}
