// The values of the validator benchmark, each with variants that a validator must reject or accept.
// @ts-check
import { loadSchema } from '../../generator/dist/frontend/load.js';
import { introspect } from '../../generator/dist/introspect.js';
import { currentVersion, embeddedRoot, servers } from '../../generator/dist/embedded.js';
import { event } from './messages.js';

const [monitor] = servers;
if (monitor === undefined) throw new Error('no schema is embedded');

/** The monitor's schema. */
export const schema = loadSchema(embeddedRoot(currentVersion(), monitor));

/**
 * A change to a value: the path of a member, and its new value or `remove`.
 *
 * @typedef {{ title: string, path: (string | number)[], to: unknown }} Change
 */

const remove = Symbol('remove');

/**
 * @typedef {{
 *   name: string,
 *   of: { kind: 'arguments' | 'result' | 'event', name: string },
 *   value: any,
 *   bad: Change[],
 *   good: Change[],
 *   edge: (Change & { valid: boolean })[],
 * }} Row
 * `of` is the value's type in the schema. `edge` has variants that JSON and JavaScript represent differently, so that
 * not every validator can tell whether they are valid.
 */

const exact = [
  { title: 'an integer as a bigint', to: 2n ** 62n, valid: true },
  { title: 'an integer as an unsafe number', to: 2 ** 62, valid: false },
  { title: 'a bigint that is too large', to: 2n ** 64n, valid: false },
];

/** @param {(string | number)[]} path */
function exactAt(...path) {
  return exact.map((change) => ({ ...change, path }));
}

const entries = introspect(schema, () => true).slice(0, 1000);
const object = entries.findIndex((entry) => entry['meta-type'] === 'object' && entry.members.length > 0);

/** @type {Row[]} */
export const rows = [
  {
    name: 'BLOCK_JOB_READY',
    of: { kind: 'event', name: 'BLOCK_JOB_READY' },
    value: event.data,
    bad: [
      { title: 'wrong kind', path: ['device'], to: 5 },
      { title: 'not whole', path: ['len'], to: 0.5 },
      { title: 'missing member', path: ['speed'], to: remove },
      { title: 'null', path: ['offset'], to: null },
      { title: 'an enum value that is not a string', path: ['type'], to: 1 },
      { title: 'not an object', path: [], to: 'virtio0' },
      { title: 'an array', path: [], to: [] },
    ],
    good: [
      { title: 'further member', path: ['x-new'], to: { deep: 1 } },
      { title: 'unknown enum value', path: ['type'], to: 'x-new' },
    ],
    edge: exactAt('len'),
  },
  {
    name: 'query-block',
    of: { kind: 'result', name: 'query-block' },
    value: Array.from({ length: 3 }, (_, index) => blockInfo(index)),
    bad: [
      { title: 'wrong kind', path: [2, 'inserted', 'image', 'backing-image', 'filename'], to: 5 },
      { title: 'missing member', path: [1, 'inserted', 'cache', 'direct'], to: remove },
      { title: 'null for an optional', path: [1, 'inserted', 'dirty-bitmaps'], to: null },
      {
        title: 'wrong kind in a branch',
        path: [2, 'inserted', 'image', 'format-specific', 'data', 'corrupt'],
        to: 'no',
      },
      { title: 'a branch without its members', path: [2, 'inserted', 'image', 'format-specific', 'data'], to: remove },
      { title: 'missing discriminator', path: [0, 'inserted', 'image', 'format-specific', 'type'], to: remove },
      { title: 'more than 32 bits', path: [0, 'inserted', 'dirty-bitmaps', 1, 'granularity'], to: 2 ** 32 },
      { title: 'negative for an unsigned type', path: [0, 'inserted', 'dirty-bitmaps', 1, 'granularity'], to: -1 },
      { title: 'not an array', path: [], to: {} },
    ],
    good: [
      { title: 'further member', path: [2, 'inserted', 'image', 'backing-image', 'x-new'], to: null },
      { title: 'unknown enum value', path: [0, 'io-status'], to: 'x-new' },
      { title: 'unknown discriminator', path: [0, 'inserted', 'image', 'format-specific', 'type'], to: 'x-new' },
      { title: 'empty', path: [], to: [] },
    ],
    edge: exactAt(0, 'inserted', 'image', 'virtual-size'),
  },
  {
    name: 'blockdev-add',
    of: { kind: 'arguments', name: 'blockdev-add' },
    value: blockdev(),
    bad: [
      { title: 'wrong kind', path: ['file', 'file', 'file', 'backing', 'file', 'server', 'host'], to: 5 },
      { title: 'missing member', path: ['file', 'file', 'file', 'backing', 'file', 'server', 'port'], to: remove },
      { title: 'missing member of a branch', path: ['file', 'file', 'file', 'file', 'filename'], to: remove },
      { title: 'unknown member', path: ['file', 'file', 'file', 'file', 'file-name'], to: 'a' },
      { title: 'unknown member in a struct', path: ['file', 'file', 'cache', 'no_flush'], to: true },
      { title: 'member of another branch', path: ['file', 'file', 'throttle-group'], to: 'limits' },
      { title: 'unknown enum value', path: ['file', 'file', 'file', 'file', 'aio'], to: 'uring' },
      { title: 'unknown discriminator', path: ['file', 'file', 'file', 'driver'], to: 'qcow4' },
      { title: 'missing discriminator', path: ['file', 'file', 'file', 'driver'], to: remove },
      { title: 'discriminator of another branch', path: ['file', 'file', 'file', 'file', 'driver'], to: 'nbd' },
      { title: 'null for an optional', path: ['file', 'file', 'file', 'data-file'], to: null },
      { title: 'null for an alternate without it', path: ['file', 'file', 'file', 'file'], to: null },
      { title: 'no alternative of this kind', path: ['file', 'file', 'file', 'overlap-check'], to: false },
      {
        title: 'unknown enum value in an alternate',
        path: ['file', 'file', 'file', 'overlap-check', 'template'],
        to: 'some',
      },
      { title: 'not whole', path: ['file', 'file', 'file', 'cache-size'], to: 1.5 },
      {
        title: 'negative for an unsigned type',
        path: ['file', 'file', 'file', 'backing', 'file', 'open-timeout'],
        to: -1,
      },
      { title: 'not an object', path: [], to: 'disk0' },
    ],
    good: [
      { title: 'null', path: ['file', 'file', 'file', 'backing'], to: null },
      { title: 'a reference', path: ['file', 'file', 'file', 'backing'], to: 'base0' },
      { title: 'the other alternative', path: ['file', 'file', 'file', 'overlap-check'], to: 'cached' },
      { title: 'undefined for an optional', path: ['file', 'file', 'file', 'data-file'], to: undefined },
      { title: 'a value without a branch', path: ['file', 'file', 'file', 'encrypt'], to: { format: 'aes' } },
    ],
    edge: exactAt('file', 'file', 'file', 'cache-size'),
  },
  {
    name: 'query-named-block-nodes',
    of: { kind: 'result', name: 'query-named-block-nodes' },
    value: Array.from({ length: 200 }, (_, index) => blockDeviceInfo(index)),
    bad: [
      { title: 'wrong kind', path: [199, 'children', 1, 'child'], to: 5 },
      { title: 'missing member', path: [150, 'image', 'backing-image', 'virtual-size'], to: remove },
      { title: 'null for an optional', path: [10, 'image', 'format-specific', 'data', 'bitmaps'], to: null },
      { title: 'not an object', path: [199], to: [] },
    ],
    good: [
      { title: 'further member', path: [0, 'x-new'], to: 1 },
      { title: 'unknown enum value', path: [0, 'detect_zeroes'], to: 'x-new' },
    ],
    edge: exactAt(199, 'write_threshold'),
  },
  {
    name: 'query-qmp-schema',
    of: { kind: 'result', name: 'query-qmp-schema' },
    value: entries,
    bad: [
      { title: 'wrong kind', path: [999, 'name'], to: 5 },
      { title: 'missing member', path: [0, 'arg-type'], to: remove },
      { title: 'nested value of the wrong kind', path: [object, 'members', 0, 'name'], to: null },
      { title: 'missing discriminator', path: [500, 'meta-type'], to: remove },
      { title: 'a discriminator that is not a string', path: [500, 'meta-type'], to: {} },
      { title: 'features that are not an array', path: [999, 'features'], to: 'deprecated' },
      { title: 'a feature that is not a string', path: [999, 'features'], to: ['deprecated', 1] },
    ],
    good: [
      { title: 'further member', path: [0, 'x-new'], to: 1 },
      { title: 'unknown discriminator', path: [0, 'meta-type'], to: 'x-new' },
      { title: 'any', path: [object, 'members', 0, 'default'], to: { any: [null] } },
    ],
    edge: [],
  },
];

/** Returns a copy of a value with a change. @param {unknown} value @param {Change} change @returns {unknown} */
export function changed(value, { path, to }) {
  const [name, ...rest] = path;
  if (name === undefined) return to;
  const copy = /** @type {any} */ (Array.isArray(value) ? [...value] : { .../** @type {object} */ (value) });
  if (rest.length === 0 && to === remove) delete copy[name];
  else copy[name] = changed(copy[name], { title: '', path: rest, to });
  return copy;
}

/** Returns a drive with a medium. @param {number} index */
function blockInfo(index) {
  return {
    device: `drive${index}`,
    qdev: `/machine/peripheral/disk${index}/virtio-backend`,
    'io-status': 'ok',
    type: 'unknown',
    locked: false,
    removable: false,
    inserted: blockDeviceInfo(index),
  };
}

/** Returns a node with a backing image and dirty bitmaps. @param {number} index */
function blockDeviceInfo(index) {
  const filename = `/var/lib/images/disk${index}.qcow2`;
  const base = '/var/lib/images/base.qcow2';
  const bitmap = { recording: true, busy: false, persistent: true, granularity: 65536 };
  return {
    'node-name': `node${index}`,
    drv: 'qcow2',
    file: filename,
    backing_file: base,
    backing_file_depth: 1,
    children: [
      { 'node-name': `base${index}`, child: 'backing' },
      { 'node-name': `file${index}`, child: 'file' },
    ],
    active: true,
    ro: false,
    encrypted: false,
    detect_zeroes: 'off',
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops: 0,
    iops_rd: 0,
    iops_wr: 0,
    write_threshold: 0,
    cache: { writeback: true, direct: true, 'no-flush': false },
    'dirty-bitmaps': [
      { ...bitmap, name: 'daily', count: 1048576 + index },
      { ...bitmap, name: 'weekly', count: 2 ** 33 + index },
    ],
    image: {
      filename,
      format: 'qcow2',
      'virtual-size': 2 ** 34,
      'actual-size': 200704 + index,
      'cluster-size': 65536,
      'dirty-flag': false,
      'backing-filename': base,
      'full-backing-filename': base,
      'backing-filename-format': 'qcow2',
      'format-specific': {
        type: 'qcow2',
        data: {
          compat: '1.1',
          'compression-type': 'zlib',
          'lazy-refcounts': false,
          'refcount-bits': 16,
          corrupt: false,
          'extended-l2': false,
          bitmaps: [
            { name: 'daily', granularity: 65536, flags: ['in-use', 'auto'] },
            { name: 'weekly', granularity: 65536, flags: ['auto'] },
          ],
        },
      },
      'backing-image': {
        filename: base,
        format: 'qcow2',
        'virtual-size': 2 ** 34,
        'actual-size': 2 ** 31,
        'cluster-size': 65536,
        'dirty-flag': false,
        'format-specific': {
          type: 'qcow2',
          data: {
            compat: '1.1',
            'compression-type': 'zstd',
            'lazy-refcounts': false,
            'refcount-bits': 16,
            corrupt: false,
            'extended-l2': false,
          },
        },
      },
    },
  };
}

/** Returns a tree of block nodes, six levels deep. */
function blockdev() {
  return {
    driver: 'qcow2',
    'node-name': 'disk0',
    discard: 'unmap',
    'detect-zeroes': 'unmap',
    'pass-discard-request': true,
    file: {
      driver: 'throttle',
      'node-name': 'disk0-limits',
      'throttle-group': 'limits0',
      file: {
        driver: 'copy-on-read',
        'node-name': 'disk0-copy',
        bottom: 'disk0-base',
        cache: { direct: true, 'no-flush': false },
        file: {
          driver: 'qcow2',
          'node-name': 'disk0-image',
          'read-only': false,
          'lazy-refcounts': true,
          'cache-size': 2 ** 25,
          'l2-cache-entry-size': 65536,
          'overlap-check': {
            template: 'constant',
            'active-l2': true,
            'refcount-block': true,
            'bitmap-directory': false,
          },
          encrypt: { format: 'luks', 'key-secret': 'secret0' },
          file: {
            driver: 'file',
            'node-name': 'disk0-file',
            filename: '/var/lib/images/disk0.qcow2',
            aio: 'io_uring',
            locking: 'auto',
            cache: { direct: true, 'no-flush': false },
          },
          backing: {
            driver: 'qcow2',
            'node-name': 'disk0-base',
            'read-only': true,
            file: {
              driver: 'nbd',
              'node-name': 'disk0-nbd',
              server: { type: 'inet', host: 'images.example.org', port: '10809', ipv6: false, 'keep-alive': true },
              export: 'base',
              'tls-creds': 'tls0',
              'reconnect-delay': 30,
              'open-timeout': 10,
            },
            backing: null,
          },
        },
      },
    },
  };
}
