import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // Many tests mostly wait for servers and other processes.
    maxWorkers: 2,
    // Results must not depend on what this user has fetched, nor on a proxy.
    env: { QAPI_TS_CACHE: '/dev/null/qapi-ts', no_proxy: '127.0.0.1,localhost' },
  },
});
