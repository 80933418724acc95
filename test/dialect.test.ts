import { describe, expect, it } from 'vitest';

import { UsageError } from '../generator/src/errors.js';
import { dialectOf, lenient, type Rule } from '../generator/src/frontend/dialect.js';

describe('dialects', () => {
  it.each<[Rule, string[], string[]]>([
    ['kind-suffix', ['5.2', '6.1'], ['6.2', '10.2.2']],
    ['doc-line-length', ['10.2', '10.2.2', '11.0'], ['5.2', '10.1']],
    ['doc-introduction-indent', ['11.1', '11.1.1'], ['10.2', '11.0.1']],
  ])('%s', (rule, yes, no) => {
    for (const version of yes) expect(dialectOf(version).enforces(rule), version).toBe(true);
    for (const version of no) expect(dialectOf(version).enforces(rule), version).toBe(false);
    expect(lenient.enforces(rule)).toBe(false);
  });

  it.each(['', '5.1', '5', 'latest', '10.2-rc1', '1e3.0'])("rejects '%s'", (version) => {
    expect(() => dialectOf(version)).toThrow(UsageError);
  });
});
