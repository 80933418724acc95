/** Enums: the known values as literals, and one type for all values of newer servers. */

import { isKnown, PCIELinkSpeed, RunState, type Client, type StatusInfo } from '@qapi-ts/qemu/qmp';
import type { UnknownEnumValue } from '@qapi-ts/runtime';
import { accept, type Expect, type Same } from './assert.js';

accept<RunState>('paused');
// @ts-expect-error a typo
accept<RunState>('pause');

export function assign(state: RunState, text: string): void {
  accept<string>(state);
  // @ts-expect-error an arbitrary string
  accept<RunState>(text);
}

// The values are available at run time, each under its own name.
accept<Readonly<Record<string, string>>>(RunState);
accept<'io-error'>(RunState['io-error']);
accept<RunState>(RunState['io-error']);
accept<('2_5' | '5' | '8' | '16' | '32' | '64')[]>(Object.values(PCIELinkSpeed));
accept<'5'>(PCIELinkSpeed['5']);
// @ts-expect-error no such value
accept(RunState['io-eror']);
// @ts-expect-error the values are read-only
RunState.paused = 'paused';

export function compare({ status }: StatusInfo): string {
  // @ts-expect-error a typo in a comparison
  if (status === 'pause') return 'never';
  if (status !== 'running') accept<Exclude<RunState, 'running'>>(status);
  switch (status) {
    case 'running':
      return status;
    // @ts-expect-error a typo in a case
    case 'suspend':
      return status;
    default:
      return status;
  }
}

/** If every known value is handled, unknown ones remain. */
export function exhaust(speed: PCIELinkSpeed): number {
  switch (speed) {
    case '2_5':
      return 2.5;
    case '5':
    case '8':
    case '16':
    case '32':
    case '64':
      return Number(speed);
    default:
      accept<UnknownEnumValue>(speed);
      // @ts-expect-error there are unknown values
      accept<never>(speed);
      return 0;
  }
}

/** A value from a server can be compared to known values. */
export async function comparable(vm: Client): Promise<void> {
  const { status } = await vm.queryStatus();
  accept<(typeof RunState)[keyof typeof RunState] | UnknownEnumValue>(status);
  accept<boolean>(status === RunState.running);
  if (isKnown(RunState, status)) accept<Known>(status);
  else accept<UnknownEnumValue>(status);
}

/** Only the known values. */
type Known = (typeof RunState)[keyof typeof RunState];
export type NoUnknown = Expect<Same<Extract<Known, UnknownEnumValue>, never>>;

export function narrow(text: string): RunState | undefined {
  // @ts-expect-error not an enum
  isKnown(['running'], text);
  return isKnown(RunState, text) ? text : undefined;
}

export type OnlyKnown = Expect<Same<Extract<RunState, 'paused' | 'pause'>, 'paused'>>;
