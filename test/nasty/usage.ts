/** Compile-only expectations of the code generated from nasty.json. */

/* oxlint-disable no-underscore-dangle, no-thenable -- bad names are the point */

import * as nasty from 'nasty';
import { accept, type Expect, type Same } from '../types/assert.js';

// Names that are taken get a trailing `_`.
accept<nasty.Promise_>({ string: 's', then: { string: 's' } });
accept<nasty.Array>({ array: [{ array: [], objects: ['object'] }], objects: Object.values(nasty.Object) });
accept<nasty.Record[]>(['s', [{ string: 's', then: { string: 's' } }]]);
accept<nasty.Error>({ object: 'object', array: [], objects: [] });
accept<nasty.Client_>({ commands: { x: 'STOP' }, until: { until: 's' } });
accept<nasty.keyof_>({ readonly: {}, unique: { infer: [] }, as: 'const' });
accept<nasty.Int64_>({ int: 2n ** 63n });
accept<nasty.Json_>({ any: [{ x: 1n }] });

// Members keep their names.
accept<nasty.Members>({
  '__org.qemu_x-member': { '__org.qemu_x-member': 1 },
  constructor: 's',
  then: 1n,
  toString: true,
  hasOwnProperty: 1.5,
  __proto_x: 's',
  default: 's',
  new: 255,
});
// @ts-expect-error it is not the method that every object inherits
accept<nasty.Members['toString']>(() => 's');

export async function commands(vm: nasty.Client): Promise<void> {
  accept<nasty.protocol_>(await vm.then_());
  accept<nasty.Client_>(await vm.close_({ string: 's', then: { string: 's' } }));
  accept<nasty.U_[]>(await vm.execute_({ command: 's' }));
  accept<nasty.U_[]>(await vm.execute('execute', { command: 's' }));
  accept<nasty.Error>(await vm.constructor_({ any: null }, { timeout: 5 }));
  accept<nasty.Int64_['int']>(await vm.valueOf_());
  accept<nasty.as_[]>((await vm.stop({}, { until: ['STOP', 'TO_STRING'] })).result);
  await vm.toString_({ until: 's', further: [1] });
  accept<nasty.EmptyObject_>(await vm.static());
  // @ts-expect-error a command without arguments takes none, even with 'gen': false
  await vm.static({ any: 'argument' });
  await vm.orgQemuXCommand({ string: [{ string: { string: 's' } }] });
  await vm._3comCommand({ value: { int: 1 } }, { oob: true });
  await vm.shapes({ outer: 'in', middle: 'in', inner: 'out', leaf: true });
  await vm.noShape({});
  // @ts-expect-error its type has no members
  await vm.noShape({ x: 1 });
  await vm.upperCase({ simple: { type: 'int', data: 1n } });
  accept<nasty.InA>(await vm.overModules({ same: 'a', b: { same: 'a' } }));
  await vm.kind({ kind: 'qdict' });
}

export type Events = [
  Expect<Same<nasty.Events['__org.qemu_EVENT']['data'], nasty.OrgQemuEventEvent>>,
  Expect<Same<nasty.Events['lower_case']['data'], nasty.LowerCaseEvent>>,
  Expect<Same<nasty.Events['ALL_EMPTY']['data'], nasty.AllEmpty>>,
];

// Shapes.
accept<Expect<Same<keyof typeof nasty.Nothing, never>>>(true);
accept<nasty.Digits[]>(['0', '2_5', '10base-t', '__org.qemu_x-value', 'constructor']);
// @ts-expect-error a number is not a value
accept<nasty.Digits>(5);
accept<nasty.Tree>({ children: [{ parent: {} }], empty: {} });
accept<nasty.NothingNew>({ digits: '5' });
accept<nasty.AllEmpty>({ value: 'empty' });
accept<nasty.EmptyBranches[]>([{ value: '0', tree: {} }, { value: '5' }, { value: 'empty', leaf: true }]);
// @ts-expect-error the branch is an empty struct
accept<nasty.EmptyBranches>({ value: '5', leaf: true });
accept<nasty.OneBranch>({ same: 'a', leaf: true });
accept<nasty.NamedBase[]>([{ digits: 'constructor', leaf: true }, { digits: '0' }]);

accept<nasty.Outer[]>([
  { outer: 'in', middle: 'in', inner: 'in', again: [{ outer: 'nowhere' }] },
  { outer: 'in', middle: 'in', inner: 'nowhere' },
  { outer: 'in', middle: 'anywhere' },
  { outer: 'out', leaf: false },
  // @ts-expect-error the inner discriminator is missing
  { outer: 'in' },
  // @ts-expect-error the innermost branch has no member `leaf`
  { outer: 'in', middle: 'in', inner: 'nowhere', leaf: true },
]);

export function narrow(outer: nasty.Outer): nasty.Outer[] | boolean | string {
  if (outer.outer === 'in') {
    if (outer.middle === 'in') return outer.inner === 'in' ? outer.again : outer.inner;
    return outer.middle === 'out' ? outer.leaf : outer.middle;
  }
  return outer.outer === 'out' ? outer.leaf : outer.outer;
}

accept<nasty.NullOrArray>([null, [null, [[]]]]);
accept<nasty.Everything[]>([null, true, 1, 1n, 'a', { outer: 'nowhere' }, ['0']]);
// @ts-expect-error not a value of the enum
accept<nasty.Everything>('c');

// Unions without a discriminator.
accept<nasty.Simple[]>([
  { type: 'int', data: 1 },
  { type: 'list', data: ['s'] },
  { type: 'self', data: { type: 'self', data: { type: 'tree', data: {} } } },
  { type: 'nothing', data: {} },
  // @ts-expect-error the value is for another branch
  { type: 'int', data: ['s'] },
]);
