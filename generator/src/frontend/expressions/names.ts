/**
 * Checks names. The rules are those of QEMU's docs/devel/qapi-code-gen.rst, "Naming rules and reserved names".
 */

import type { Reading } from './shapes.js';
import type { Meta } from './syntax.js';

export function checkDefinitionName(reading: Reading, meta: Meta, name: string, offset: number): void {
  const { dialect, reportAt } = reading;
  const what = `${meta} name '${name}'`;
  const stem = checkName(reading, name, what, offset);
  if (stem === undefined) return;
  if (dialect.enforces('naming-conventions')) checkConvention(reading, meta, { name, stem, what, offset });
  const isType = meta !== 'command' && meta !== 'event';
  if (name.endsWith('List') && (isType || dialect.enforces('list-suffix-on-all')))
    reportAt(offset, `${what} must not end in 'List', which is reserved for arrays`);
  if (name.endsWith('Kind') && dialect.enforces('kind-suffix'))
    reportAt(offset, `${what} must not end in 'Kind', which is reserved for implicit enums`);
}

/** Checks the name of a member, value, branch, alternative or feature. */
export function checkMemberName(
  reading: Reading,
  name: string,
  what: string,
  offset: number,
  isException = false,
): void {
  const { dialect, reportAt } = reading;
  const stem = checkName(reading, name, what, offset);
  if (stem === undefined || isException) return;
  if (dialect.enforces('naming-conventions')) checkLowerCase(reading, { stem, what, offset });
  else if (dialect.enforces('lower-case-members') && name.toLowerCase() !== name)
    reportAt(offset, `${what} must be lower case`);
}

/** A name that obeys the rules for all names. */
interface ValidName {
  /** The name without the prefixes of downstream (`__rfqdn_`) and experimental (`x-`) names. */
  readonly stem: string;
  /** The title in messages. */
  readonly what: string;
  readonly offset: number;
}

/** Returns the name's stem, or undefined if an error was reported. */
function checkName({ reportAt }: Reading, name: string, what: string, offset: number): string | undefined {
  const stem = /^(?:__[a-z0-9.-]+_)?(?:x-)?([a-z][a-z0-9_-]*)$/iu.exec(name)?.[1];
  if (stem === undefined) {
    const form =
      "it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'";
    reportAt(offset, `${what} is invalid: ${form}`);
  } else if (/^q[^A-Za-z0-9]/u.test(name)) {
    reportAt(offset, `${what} is invalid: names that begin with 'q_' or 'q-' are reserved`);
    return undefined;
  }
  return stem;
}

function checkConvention(reading: Reading, meta: Meta, valid: ValidName & { readonly name: string }): void {
  const { name, stem, what, offset } = valid;
  switch (meta) {
    case 'event':
      if (/[a-z-]/u.test(stem)) reading.reportAt(offset, `${what} must be upper case, with '_' between words`);
      break;
    case 'command':
      checkLowerCase(reading, valid, reading.pragmas.commandNameExceptions.has(name));
      break;
    default:
      if (!/^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*$/u.test(stem)) reading.reportAt(offset, `${what} must be CamelCase`);
  }
}

function checkLowerCase({ reportAt }: Reading, { stem, what, offset }: ValidName, allowsUnderscore = false): void {
  if (/[A-Z]/u.test(stem)) reportAt(offset, `${what} must be lower case`);
  else if (stem.includes('_') && !allowsUnderscore)
    reportAt(offset, `${what} must not contain '_': use '-' between words`);
}
