// Messages in the form in which QEMU sends them.
// @ts-check
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Results by command. */
export const results = {
  'query-status': { status: 'running', singlestep: false, running: true },
  'query-block': Array.from({ length: 3 }, (_, index) => blockInfo(index)),
  'query-stats': [{ provider: 'kvm', stats: Array.from({ length: 200 }, (_, index) => stat(index)) }],
  'query-qmp-schema': introspection(),
};

/** A typical event. */
export const event = {
  timestamp: { seconds: 1795210956, microseconds: 123456 },
  event: 'BLOCK_JOB_READY',
  data: { device: 'virtio0', len: 2097152, offset: 2097152, speed: 0, type: 'mirror' },
};

/** Formats JSON like QEMU, with a space after each comma and colon. @param {unknown} value @returns {string} */
export function print(value) {
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${print(member)}`)
    .join(', ')}}`;
}

/** @param {number} index */
function blockInfo(index) {
  const limits = { iops: 0, iops_rd: 0, iops_wr: 0, bps: 0, bps_rd: 0, bps_wr: 0 };
  const specific = {
    compat: '1.1',
    'lazy-refcounts': false,
    'refcount-bits': 16,
    corrupt: false,
    'extended-l2': false,
  };
  return {
    device: `drive${index}`,
    qdev: `/machine/peripheral/disk${index}/virtio-backend`,
    'io-status': 'ok',
    type: 'unknown',
    locked: false,
    removable: false,
    inserted: {
      ...limits,
      'node-name': `node${index}`,
      drv: 'qcow2',
      file: `/var/lib/images/disk${index}.qcow2`,
      ro: false,
      encrypted: false,
      backing_file_depth: 1,
      detect_zeroes: 'off',
      write_threshold: 0,
      cache: { writeback: true, direct: true, 'no-flush': false },
      image: {
        filename: `/var/lib/images/disk${index}.qcow2`,
        format: 'qcow2',
        'virtual-size': 17179869184,
        'actual-size': 200704,
        'cluster-size': 65536,
        'dirty-flag': false,
        'format-specific': { type: 'qcow2', data: specific },
        'backing-image': {
          filename: '/var/lib/images/base.qcow2',
          format: 'qcow2',
          'virtual-size': 17179869184,
          'actual-size': 2147483648,
          'dirty-flag': false,
        },
      },
    },
  };
}

/** Returns a statistic: a number for an even index, a histogram for an odd one. @param {number} index */
function stat(index) {
  const value = index * 1_000_003;
  return {
    name: `stat-${index}`,
    value: index % 2 === 0 ? value : Array.from({ length: 16 }, (_, bucket) => value * bucket),
  };
}

/** Returns the introspection of a QEMU 7.2 with all features: about 300 KB. */
function introspection() {
  const args = ['introspect', join(repository, 'schema/7.2.0/qapi/qapi-schema.json')];
  const text = execFileSync(process.execPath, [join(repository, 'generator/bin/qapi-ts.js'), ...args], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(text);
}
