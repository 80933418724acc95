/** Members keep their wire names. Only commands are renamed, to methods. */

import type { Client } from '@qapi-ts/qemu/qmp';
import { accept } from './assert.js';

export async function names(vm: Client): Promise<void> {
  await vm.blockdevDel({ 'node-name': 'disk0' });
  // @ts-expect-error members are not renamed
  await vm.blockdevDel({ nodeName: 'disk0' });
  // @ts-expect-error methods do not have wire names
  await vm['blockdev-del']({ 'node-name': 'disk0' });
  await vm.deviceDel({ id: 'net0' });
  const { 'human-readable-text': text } = await vm.xQueryJit();
  accept<string>(text);
}
