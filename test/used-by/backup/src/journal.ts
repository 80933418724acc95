import { appendFileSync } from 'node:fs';

import { stringify, type BlockDeviceInfo } from '@qapi-ts/qemu/qmp';

export class Journal {
  constructor(private readonly file: string) {}

  add(nodes: readonly BlockDeviceInfo[]): void {
    appendFileSync(this.file, `${stringify(nodes)}\n`);
  }
}
