import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/fuzz/*.fuzz.ts'],
    // Each target runs in its own process, with limited memory.
    pool: 'forks',
    maxWorkers: Number(process.env['QAPI_TS_FUZZ_JOBS'] ?? 2),
    execArgv: ['--expose-gc', '--max-old-space-size=512'],
  },
});
