import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/fuzz/*.fuzz.ts'],
    // Each target has a process of its own, whose memory is limited as a careful user would limit it.
    pool: 'forks',
    maxWorkers: Number(process.env['QAPI_TS_FUZZ_JOBS'] ?? 2),
    execArgv: ['--expose-gc', '--max-old-space-size=512'],
  },
});
