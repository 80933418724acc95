import { readFileSync } from 'node:fs';

import { isBlockdevOptions } from '@qapi-ts/qemu/qmp';

import { Machine, type Options } from './machine.js';

const options = JSON.parse(readFileSync('machine.json', 'utf8')) as Options;
const extra: unknown = JSON.parse(process.argv[2] ?? '{}');
const disks = isBlockdevOptions(extra) ? [...options.disks, extra] : options.disks;
const machine = await Machine.start({ ...options, disks });
await machine.call('set_link', { name: 'net0', up: true });
process.on('SIGTERM', () => void machine.vm.systemPowerdown());
