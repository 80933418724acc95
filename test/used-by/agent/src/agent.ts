/** Manages guests through their agents. */

import { connect, type Client } from '@qapi-ts/qemu/qga';

/** The interface to a guest, so that tests need no real one. */
export interface Guest {
  guestGetHostName(): Promise<{ 'host-name': string }>;
  guestGetTime(): Promise<number | bigint>;
}

export interface Summary {
  name: string;
  addresses: string[];
  free: number;
  os: string | undefined;
}

export async function summarize(path: string): Promise<Summary> {
  await using guest = await connect({ path });
  const { version, supported_commands: commands } = await guest.guestInfo();
  if (!commands.some(({ name, enabled }) => name === 'guest-get-osinfo' && enabled))
    throw new Error(`too old: ${version}`);
  const [interfaces, os, disks] = await Promise.all([
    guest.guestNetworkGetInterfaces(),
    guest.guestGetOsinfo(),
    guest.guestGetFsinfo(),
  ]);
  const addresses = interfaces.flatMap((one) => one['ip-addresses'] ?? []);
  return {
    name: await nameOf(guest),
    addresses: addresses
      .filter((address) => address['ip-address-type'] === 'ipv4')
      .map((address) => address['ip-address']),
    free: disks.reduce(
      (sum, { 'total-bytes': total = 0, 'used-bytes': used = 0 }) => sum + Number(total) - Number(used),
      0,
    ),
    os: os.id,
  };
}

async function nameOf(guest: Guest): Promise<string> {
  return (await guest.guestGetHostName())['host-name'];
}

/** Runs a command in the guest, and waits until it exits. */
export async function run(guest: Client, path: string, ...arg: string[]): Promise<string> {
  const { pid } = await guest.guestExec({ path, arg, 'capture-output': true });
  for (;;) {
    const status = await guest.guestExecStatus({ pid });
    if (!status.exited) continue;
    if (status.exitcode !== 0) throw new Error(JSON.stringify(status));
    return Buffer.from(status['out-data'] ?? '', 'base64').toString();
  }
}

export async function setPassword(guest: Client, username: string, password: string): Promise<void> {
  await guest.execute('guest-set-user-password', { username, password, crypted: false });
}

export async function powerOff(guest: Client): Promise<void> {
  await guest.guestShutdown({ mode: 'powerdown' });
}
