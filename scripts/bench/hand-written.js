// Hand-written checks of the benchmark values, as a careful programmer would write them for QEMU 10.2: they check every
// member, but do not report reasons.
// @ts-check
// oxlint-disable complexity -- a line for each member is simple

/** @typedef {Record<string, unknown>} Obj */
/** @typedef {(value: unknown) => boolean} Check */
/** @typedef {(value: Obj) => boolean} ObjCheck */

/** @type {Record<string, Check>} */
export const handWritten = {
  BLOCK_JOB_READY: (value) =>
    isObject(value) &&
    typeof value.type === 'string' &&
    typeof value.device === 'string' &&
    isInt(value.len) &&
    isInt(value.offset) &&
    isInt(value.speed),
  'query-block': (value) => isArray(value, isBlockInfo),
  'blockdev-add': (value) => isBlockdevOptions(value),
  'query-named-block-nodes': (value) => isArray(value, isBlockDeviceInfo),
  'query-qmp-schema': (value) => isArray(value, isSchemaInfo),
};

// JSON

/** @param {unknown} value @returns {value is Obj} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @param {Check} isElement */
function isArray(value, isElement) {
  if (!Array.isArray(value)) return false;
  for (const element of value) if (!isElement(element)) return false;
  return true;
}

/** @param {unknown} value */
function isString(value) {
  return typeof value === 'string';
}

/** Checks a 64-bit integer. @param {unknown} value */
function isInt(value) {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 63n;
}

/** Checks an unsigned 64-bit integer. QEMU also accepts negative integers. @param {unknown} value */
function isUint64(value) {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 64n;
}

/** @param {unknown} value */
function isInt32(value) {
  return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
}

/** @param {unknown} value */
function isUint32(value) {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

/** @param {unknown} value */
function isUint16(value) {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 16;
}

// Received values: unknown members and enum values are accepted.

/** @param {unknown} value */
function isBlockInfo(value) {
  return (
    isObject(value) &&
    typeof value.device === 'string' &&
    (value.qdev === undefined || typeof value.qdev === 'string') &&
    typeof value.type === 'string' &&
    typeof value.removable === 'boolean' &&
    typeof value.locked === 'boolean' &&
    (value.inserted === undefined || isBlockDeviceInfo(value.inserted)) &&
    (value.tray_open === undefined || typeof value.tray_open === 'boolean') &&
    (value['io-status'] === undefined || typeof value['io-status'] === 'string')
  );
}

/** @param {unknown} value */
function isBlockDeviceInfo(value) {
  return (
    isObject(value) &&
    typeof value.file === 'string' &&
    typeof value['node-name'] === 'string' &&
    typeof value.ro === 'boolean' &&
    typeof value.drv === 'string' &&
    (value.backing_file === undefined || typeof value.backing_file === 'string') &&
    isInt(value.backing_file_depth) &&
    isArray(value.children, isBlockdevChild) &&
    typeof value.active === 'boolean' &&
    typeof value.encrypted === 'boolean' &&
    typeof value.detect_zeroes === 'string' &&
    isInt(value.bps) &&
    isInt(value.bps_rd) &&
    isInt(value.bps_wr) &&
    isInt(value.iops) &&
    isInt(value.iops_rd) &&
    isInt(value.iops_wr) &&
    isImageInfo(value.image) &&
    (value.bps_max === undefined || isInt(value.bps_max)) &&
    (value.bps_rd_max === undefined || isInt(value.bps_rd_max)) &&
    (value.bps_wr_max === undefined || isInt(value.bps_wr_max)) &&
    (value.iops_max === undefined || isInt(value.iops_max)) &&
    (value.iops_rd_max === undefined || isInt(value.iops_rd_max)) &&
    (value.iops_wr_max === undefined || isInt(value.iops_wr_max)) &&
    (value.bps_max_length === undefined || isInt(value.bps_max_length)) &&
    (value.bps_rd_max_length === undefined || isInt(value.bps_rd_max_length)) &&
    (value.bps_wr_max_length === undefined || isInt(value.bps_wr_max_length)) &&
    (value.iops_max_length === undefined || isInt(value.iops_max_length)) &&
    (value.iops_rd_max_length === undefined || isInt(value.iops_rd_max_length)) &&
    (value.iops_wr_max_length === undefined || isInt(value.iops_wr_max_length)) &&
    (value.iops_size === undefined || isInt(value.iops_size)) &&
    (value.group === undefined || typeof value.group === 'string') &&
    isBlockdevCacheInfo(value.cache) &&
    isInt(value.write_threshold) &&
    (value['dirty-bitmaps'] === undefined || isArray(value['dirty-bitmaps'], isBlockDirtyInfo))
  );
}

/** @param {unknown} value */
function isBlockdevChild(value) {
  return isObject(value) && typeof value.child === 'string' && typeof value['node-name'] === 'string';
}

/** @param {unknown} value */
function isBlockdevCacheInfo(value) {
  return (
    isObject(value) &&
    typeof value.writeback === 'boolean' &&
    typeof value.direct === 'boolean' &&
    typeof value['no-flush'] === 'boolean'
  );
}

/** @param {unknown} value */
function isBlockDirtyInfo(value) {
  return (
    isObject(value) &&
    (value.name === undefined || typeof value.name === 'string') &&
    isInt(value.count) &&
    isUint32(value.granularity) &&
    typeof value.recording === 'boolean' &&
    typeof value.busy === 'boolean' &&
    typeof value.persistent === 'boolean' &&
    (value.inconsistent === undefined || typeof value.inconsistent === 'boolean')
  );
}

/** @param {unknown} value @returns {boolean} */
function isImageInfo(value) {
  return (
    isObject(value) &&
    typeof value.filename === 'string' &&
    typeof value.format === 'string' &&
    (value['dirty-flag'] === undefined || typeof value['dirty-flag'] === 'boolean') &&
    (value['actual-size'] === undefined || isInt(value['actual-size'])) &&
    isInt(value['virtual-size']) &&
    (value['cluster-size'] === undefined || isInt(value['cluster-size'])) &&
    (value.encrypted === undefined || typeof value.encrypted === 'boolean') &&
    (value.compressed === undefined || typeof value.compressed === 'boolean') &&
    (value['backing-filename'] === undefined || typeof value['backing-filename'] === 'string') &&
    (value['full-backing-filename'] === undefined || typeof value['full-backing-filename'] === 'string') &&
    (value['backing-filename-format'] === undefined || typeof value['backing-filename-format'] === 'string') &&
    (value.snapshots === undefined || isArray(value.snapshots, isSnapshotInfo)) &&
    (value.limits === undefined || isBlockLimitsInfo(value.limits)) &&
    (value['format-specific'] === undefined || isImageInfoSpecific(value['format-specific'])) &&
    (value['backing-image'] === undefined || isImageInfo(value['backing-image']))
  );
}

/** @param {unknown} value */
function isSnapshotInfo(value) {
  return (
    isObject(value) &&
    typeof value.id === 'string' &&
    typeof value.name === 'string' &&
    isInt(value['vm-state-size']) &&
    isInt(value['date-sec']) &&
    isInt(value['date-nsec']) &&
    isInt(value['vm-clock-sec']) &&
    isInt(value['vm-clock-nsec']) &&
    (value.icount === undefined || isInt(value.icount))
  );
}

/** @param {unknown} value */
function isBlockLimitsInfo(value) {
  return (
    isObject(value) &&
    isUint32(value['request-alignment']) &&
    (value['max-discard'] === undefined || isUint64(value['max-discard'])) &&
    (value['discard-alignment'] === undefined || isUint32(value['discard-alignment'])) &&
    (value['max-write-zeroes'] === undefined || isUint64(value['max-write-zeroes'])) &&
    (value['write-zeroes-alignment'] === undefined || isUint32(value['write-zeroes-alignment'])) &&
    (value['opt-transfer'] === undefined || isUint32(value['opt-transfer'])) &&
    (value['max-transfer'] === undefined || isUint32(value['max-transfer'])) &&
    (value['max-hw-transfer'] === undefined || isUint32(value['max-hw-transfer'])) &&
    isInt(value['max-iov']) &&
    (value['max-hw-iov'] === undefined || isInt(value['max-hw-iov'])) &&
    isUint64(value['min-mem-alignment']) &&
    isUint64(value['opt-mem-alignment'])
  );
}

/** @param {unknown} value */
function isImageInfoSpecific(value) {
  if (!isObject(value) || typeof value.type !== 'string') return false;
  const { data } = value;
  switch (value.type) {
    case 'qcow2':
      return isImageInfoSpecificQCow2(data);
    case 'vmdk':
      return (
        isObject(data) &&
        typeof data['create-type'] === 'string' &&
        isInt(data.cid) &&
        isInt(data['parent-cid']) &&
        isArray(data.extents, isVmdkExtentInfo)
      );
    case 'luks':
      return isObject(data) && isQCryptoBlockInfoLUKS(data);
    case 'rbd':
      return (
        isObject(data) && (data['encryption-format'] === undefined || typeof data['encryption-format'] === 'string')
      );
    case 'file':
      return isObject(data) && (data['extent-size-hint'] === undefined || isUint64(data['extent-size-hint']));
    default:
      return true;
  }
}

/** @param {unknown} value */
function isImageInfoSpecificQCow2(value) {
  return (
    isObject(value) &&
    typeof value.compat === 'string' &&
    (value['data-file'] === undefined || typeof value['data-file'] === 'string') &&
    (value['data-file-raw'] === undefined || typeof value['data-file-raw'] === 'boolean') &&
    (value['extended-l2'] === undefined || typeof value['extended-l2'] === 'boolean') &&
    (value['lazy-refcounts'] === undefined || typeof value['lazy-refcounts'] === 'boolean') &&
    (value.corrupt === undefined || typeof value.corrupt === 'boolean') &&
    isInt(value['refcount-bits']) &&
    (value.encrypt === undefined || isQCow2Encryption(value.encrypt)) &&
    (value.bitmaps === undefined || isArray(value.bitmaps, isQcow2BitmapInfo)) &&
    typeof value['compression-type'] === 'string'
  );
}

/** @param {unknown} value */
function isQCow2Encryption(value) {
  return (
    isObject(value) && typeof value.format === 'string' && (value.format !== 'luks' || isQCryptoBlockInfoLUKS(value))
  );
}

/** @type {ObjCheck} */
function isQCryptoBlockInfoLUKS(value) {
  return (
    typeof value['cipher-alg'] === 'string' &&
    typeof value['cipher-mode'] === 'string' &&
    typeof value['ivgen-alg'] === 'string' &&
    (value['ivgen-hash-alg'] === undefined || typeof value['ivgen-hash-alg'] === 'string') &&
    typeof value['hash-alg'] === 'string' &&
    typeof value['detached-header'] === 'boolean' &&
    isInt(value['payload-offset']) &&
    isInt(value['master-key-iters']) &&
    typeof value.uuid === 'string' &&
    isArray(value.slots, isQCryptoBlockInfoLUKSSlot)
  );
}

/** @param {unknown} value */
function isQCryptoBlockInfoLUKSSlot(value) {
  return (
    isObject(value) &&
    typeof value.active === 'boolean' &&
    (value.iters === undefined || isInt(value.iters)) &&
    (value.stripes === undefined || isInt(value.stripes)) &&
    isInt(value['key-offset'])
  );
}

/** @param {unknown} value */
function isQcow2BitmapInfo(value) {
  return (
    isObject(value) && typeof value.name === 'string' && isUint32(value.granularity) && isArray(value.flags, isString)
  );
}

/** @param {unknown} value */
function isVmdkExtentInfo(value) {
  return (
    isObject(value) &&
    typeof value.filename === 'string' &&
    typeof value.format === 'string' &&
    isInt(value['virtual-size']) &&
    (value['cluster-size'] === undefined || isInt(value['cluster-size'])) &&
    (value.compressed === undefined || typeof value.compressed === 'boolean')
  );
}

/** @param {unknown} value */
function isSchemaInfo(value) {
  if (
    !isObject(value) ||
    typeof value.name !== 'string' ||
    (value.features !== undefined && !isArray(value.features, isString))
  )
    return false;
  switch (value['meta-type']) {
    case 'builtin':
      return typeof value['json-type'] === 'string';
    case 'enum':
      return isArray(value.members, isSchemaInfoEnumMember) && isArray(value.values, isString);
    case 'array':
      return typeof value['element-type'] === 'string';
    case 'object':
      return (
        isArray(value.members, isSchemaInfoObjectMember) &&
        (value.tag === undefined || typeof value.tag === 'string') &&
        (value.variants === undefined || isArray(value.variants, isSchemaInfoObjectVariant))
      );
    case 'alternate':
      return isArray(value.members, isSchemaInfoAlternateMember);
    case 'command':
      return (
        typeof value['arg-type'] === 'string' &&
        typeof value['ret-type'] === 'string' &&
        (value['allow-oob'] === undefined || typeof value['allow-oob'] === 'boolean')
      );
    case 'event':
      return typeof value['arg-type'] === 'string';
    default:
      return typeof value['meta-type'] === 'string';
  }
}

/** @param {unknown} value */
function isSchemaInfoEnumMember(value) {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    (value.features === undefined || isArray(value.features, isString))
  );
}

/** `default` may be anything. @param {unknown} value */
function isSchemaInfoObjectMember(value) {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    typeof value.type === 'string' &&
    (value.features === undefined || isArray(value.features, isString))
  );
}

/** @param {unknown} value */
function isSchemaInfoObjectVariant(value) {
  return isObject(value) && typeof value.case === 'string' && typeof value.type === 'string';
}

/** @param {unknown} value */
function isSchemaInfoAlternateMember(value) {
  return isObject(value) && typeof value.type === 'string';
}

// Sent values: unknown members and enum values are rejected.

/** @param {...string} names */
function values(...names) {
  const known = new Set(names);
  return (/** @type {unknown} */ value) => known.has(/** @type {string} */ (value));
}

/**
 * @param {string} names the members, including optional ones, separated by spaces
 * @param {ObjCheck} check
 * @returns {(value: unknown) => boolean}
 */
function struct(names, check) {
  const known = new Set(names.split(' '));
  return (value) => isObject(value) && hasOnly(value, known) && check(value);
}

/** @param {Obj} value @param {ReadonlySet<string>} names */
function hasOnly(value, names) {
  for (const name in value) if (!names.has(name) && value[name] !== undefined) return false;
  return true;
}

/**
 * @param {string} discriminator
 * @param {Record<string, (value: unknown) => boolean>} branches which accept the discriminator as a member without
 * checking its value
 * @returns {(value: unknown) => boolean}
 */
function union(discriminator, branches) {
  const known = new Map(Object.entries(branches));
  return (value) => {
    if (!isObject(value)) return false;
    const isBranch = known.get(/** @type {string} */ (value[discriminator]));
    return isBranch !== undefined && isBranch(value);
  };
}

const isDiscard = values('ignore', 'unmap');
const isDetectZeroes = values('off', 'on', 'unmap');
const isCacheOptions = struct(
  'direct no-flush',
  (value) =>
    (value.direct === undefined || typeof value.direct === 'boolean') &&
    (value['no-flush'] === undefined || typeof value['no-flush'] === 'boolean'),
);

/**
 * Returns the check of a block driver.
 *
 * @param {string} names the members of its branch @param {ObjCheck} check checks these members
 */
function driver(names, check) {
  const base = 'driver node-name discard cache active read-only auto-read-only force-share detect-zeroes';
  return struct(
    `${base} ${names}`,
    (value) =>
      (value['node-name'] === undefined || typeof value['node-name'] === 'string') &&
      (value.discard === undefined || isDiscard(value.discard)) &&
      (value.cache === undefined || isCacheOptions(value.cache)) &&
      (value.active === undefined || typeof value.active === 'boolean') &&
      (value['read-only'] === undefined || typeof value['read-only'] === 'boolean') &&
      (value['auto-read-only'] === undefined || typeof value['auto-read-only'] === 'boolean') &&
      (value['force-share'] === undefined || typeof value['force-share'] === 'boolean') &&
      (value['detect-zeroes'] === undefined || isDetectZeroes(value['detect-zeroes'])) &&
      check(value),
  );
}

/** @param {unknown} value @returns {boolean} */
function isRef(value) {
  return typeof value === 'string' || isBlockdevOptions(value);
}

/** @param {unknown} value */
function isRefOrNull(value) {
  return value === null || isRef(value);
}

const isBlkdebugEvent = values(
  ...`l1_update l1_grow_alloc_table l1_grow_write_table l1_grow_activate_table l2_load l2_update l2_update_compressed
    l2_alloc_cow_read l2_alloc_write read_aio read_backing_aio read_compressed write_aio write_compressed vmstate_load vmstate_save
    cow_read cow_write reftable_load reftable_grow reftable_update refblock_load refblock_update refblock_update_part refblock_alloc
    refblock_alloc_hookup refblock_alloc_write refblock_alloc_write_blocks refblock_alloc_write_table refblock_alloc_switch_table
    cluster_alloc cluster_alloc_bytes cluster_free flush_to_os flush_to_disk pwritev_rmw_head pwritev_rmw_after_head pwritev_rmw_tail
    pwritev_rmw_after_tail pwritev pwritev_zero pwritev_done empty_image_prepare l1_shrink_write_table l1_shrink_free_l2_clusters
    cor_write cluster_alloc_space none`.split(/\s+/u),
);
const isBlkdebugIOType = values('read', 'write', 'write-zeroes', 'discard', 'flush', 'block-status');
const isBlkdebugInjectError = struct(
  'event state iotype errno sector once immediately',
  (value) =>
    isBlkdebugEvent(value.event) &&
    (value.state === undefined || isInt(value.state)) &&
    (value.iotype === undefined || isBlkdebugIOType(value.iotype)) &&
    (value.errno === undefined || isInt(value.errno)) &&
    (value.sector === undefined || isInt(value.sector)) &&
    (value.once === undefined || typeof value.once === 'boolean') &&
    (value.immediately === undefined || typeof value.immediately === 'boolean'),
);
const isBlkdebugSetState = struct(
  'event state new_state',
  (value) =>
    isBlkdebugEvent(value.event) && (value.state === undefined || isInt(value.state)) && isInt(value.new_state),
);
const isPermission = values('consistent-read', 'write', 'write-unchanged', 'resize');

const isBitmap = struct('node name', (value) => typeof value.node === 'string' && typeof value.name === 'string');
const isOnCbwError = values('break-guest-write', 'break-snapshot');

const isLocking = values('auto', 'on', 'off');
const isAio = values('threads', 'native', 'io_uring');

const inetMembers =
  'host port numeric to ipv4 ipv6 keep-alive keep-alive-count keep-alive-idle keep-alive-interval mptcp';
/** @type {ObjCheck} */
const hasInet = (value) =>
  typeof value.host === 'string' &&
  typeof value.port === 'string' &&
  (value.numeric === undefined || typeof value.numeric === 'boolean') &&
  (value.to === undefined || isUint16(value.to)) &&
  (value.ipv4 === undefined || typeof value.ipv4 === 'boolean') &&
  (value.ipv6 === undefined || typeof value.ipv6 === 'boolean') &&
  (value['keep-alive'] === undefined || typeof value['keep-alive'] === 'boolean') &&
  (value['keep-alive-count'] === undefined || isUint32(value['keep-alive-count'])) &&
  (value['keep-alive-idle'] === undefined || isUint32(value['keep-alive-idle'])) &&
  (value['keep-alive-interval'] === undefined || isUint32(value['keep-alive-interval'])) &&
  (value.mptcp === undefined || typeof value.mptcp === 'boolean');
const isInet = struct(inetMembers, hasInet);
const isInetBase = struct('host port', (value) => typeof value.host === 'string' && typeof value.port === 'string');
const isSocketAddress = union('type', {
  inet: struct(`type ${inetMembers}`, hasInet),
  unix: struct(
    'type path abstract tight',
    (value) =>
      typeof value.path === 'string' &&
      (value.abstract === undefined || typeof value.abstract === 'boolean') &&
      (value.tight === undefined || typeof value.tight === 'boolean'),
  ),
  vsock: struct('type cid port', (value) => typeof value.cid === 'string' && typeof value.port === 'string'),
  fd: struct('type str', (value) => typeof value.str === 'string'),
});

const isNfsTransport = values('inet');
const isNfsServer = struct('type host', (value) => isNfsTransport(value.type) && typeof value.host === 'string');
const isIscsiTransport = values('tcp', 'iser');
const isIscsiDigest = values('crc32c', 'none', 'crc32c-none', 'none-crc32c');

const curlMembers = 'url readahead timeout username password-secret proxy-username proxy-password-secret';
/** @type {ObjCheck} */
const hasCurl = (value) =>
  typeof value.url === 'string' &&
  (value.readahead === undefined || isInt(value.readahead)) &&
  (value.timeout === undefined || isInt(value.timeout)) &&
  (value.username === undefined || typeof value.username === 'string') &&
  (value['password-secret'] === undefined || typeof value['password-secret'] === 'string') &&
  (value['proxy-username'] === undefined || typeof value['proxy-username'] === 'string') &&
  (value['proxy-password-secret'] === undefined || typeof value['proxy-password-secret'] === 'string');

const isOverlapCheckMode = values('none', 'constant', 'cached', 'all');
const isOverlapCheckFlags = struct(
  `template main-header active-l1 active-l2 refcount-table refcount-block snapshot-table inactive-l1 inactive-l2 bitmap-directory`,
  (value) =>
    (value.template === undefined || isOverlapCheckMode(value.template)) &&
    (value['main-header'] === undefined || typeof value['main-header'] === 'boolean') &&
    (value['active-l1'] === undefined || typeof value['active-l1'] === 'boolean') &&
    (value['active-l2'] === undefined || typeof value['active-l2'] === 'boolean') &&
    (value['refcount-table'] === undefined || typeof value['refcount-table'] === 'boolean') &&
    (value['refcount-block'] === undefined || typeof value['refcount-block'] === 'boolean') &&
    (value['snapshot-table'] === undefined || typeof value['snapshot-table'] === 'boolean') &&
    (value['inactive-l1'] === undefined || typeof value['inactive-l1'] === 'boolean') &&
    (value['inactive-l2'] === undefined || typeof value['inactive-l2'] === 'boolean') &&
    (value['bitmap-directory'] === undefined || typeof value['bitmap-directory'] === 'boolean'),
);

const isKeySecret = struct(
  'format key-secret',
  (value) => value['key-secret'] === undefined || typeof value['key-secret'] === 'string',
);
const isQcow2Encryption = union('format', { aes: isKeySecret, luks: isKeySecret });
const isQcowEncryption = union('format', { aes: isKeySecret });

const isRbdEncryptionBranch = struct(
  'format parent key-secret',
  (value) => (value.parent === undefined || isRbdEncryption(value.parent)) && typeof value['key-secret'] === 'string',
);
const isRbdEncryption = union('format', {
  luks: isRbdEncryptionBranch,
  luks2: isRbdEncryptionBranch,
  'luks-any': isRbdEncryptionBranch,
});
const isRbdAuthMode = values('cephx', 'none');

const isReadPattern = values('quorum', 'fifo');
const isReplicationMode = values('primary', 'secondary');
const isSshHash = values('md5', 'sha1', 'sha256');
const isHostKeyCheck = union('mode', {
  hash: struct('mode type hash', (value) => isSshHash(value.type) && typeof value.hash === 'string'),
  none: struct('mode', () => true),
  known_hosts: struct('mode', () => true),
});

const format = driver('file', (value) => isRef(value.file));
const cowFormat = driver(
  'file backing',
  (value) => isRef(value.file) && (value.backing === undefined || isRefOrNull(value.backing)),
);
const path = driver('path', (value) => typeof value.path === 'string');
const nullDriver = driver(
  'size latency-ns read-zeroes',
  (value) =>
    (value.size === undefined || isInt(value.size)) &&
    (value['latency-ns'] === undefined || isUint64(value['latency-ns'])) &&
    (value['read-zeroes'] === undefined || typeof value['read-zeroes'] === 'boolean'),
);
const file = driver(
  'filename pr-manager locking aio aio-max-batch drop-cache x-check-cache-dropped',
  (value) =>
    typeof value.filename === 'string' &&
    (value['pr-manager'] === undefined || typeof value['pr-manager'] === 'string') &&
    (value.locking === undefined || isLocking(value.locking)) &&
    (value.aio === undefined || isAio(value.aio)) &&
    (value['aio-max-batch'] === undefined || isInt(value['aio-max-batch'])) &&
    (value['drop-cache'] === undefined || typeof value['drop-cache'] === 'boolean') &&
    (value['x-check-cache-dropped'] === undefined || typeof value['x-check-cache-dropped'] === 'boolean'),
);

const isBlockdevOptions = union('driver', {
  blkdebug: driver(
    `image config align max-transfer opt-write-zero max-write-zero opt-discard max-discard inject-error set-state take-child-perms unshare-child-perms`,
    (value) =>
      isRef(value.image) &&
      (value.config === undefined || typeof value.config === 'string') &&
      (value.align === undefined || isInt(value.align)) &&
      (value['max-transfer'] === undefined || isInt32(value['max-transfer'])) &&
      (value['opt-write-zero'] === undefined || isInt32(value['opt-write-zero'])) &&
      (value['max-write-zero'] === undefined || isInt32(value['max-write-zero'])) &&
      (value['opt-discard'] === undefined || isInt32(value['opt-discard'])) &&
      (value['max-discard'] === undefined || isInt32(value['max-discard'])) &&
      (value['inject-error'] === undefined || isArray(value['inject-error'], isBlkdebugInjectError)) &&
      (value['set-state'] === undefined || isArray(value['set-state'], isBlkdebugSetState)) &&
      (value['take-child-perms'] === undefined || isArray(value['take-child-perms'], isPermission)) &&
      (value['unshare-child-perms'] === undefined || isArray(value['unshare-child-perms'], isPermission)),
  ),
  blklogwrites: driver(
    'file log log-sector-size log-append log-super-update-interval',
    (value) =>
      isRef(value.file) &&
      isRef(value.log) &&
      (value['log-sector-size'] === undefined || isUint32(value['log-sector-size'])) &&
      (value['log-append'] === undefined || typeof value['log-append'] === 'boolean') &&
      (value['log-super-update-interval'] === undefined || isUint64(value['log-super-update-interval'])),
  ),
  blkverify: driver('test raw', (value) => isRef(value.test) && isRef(value.raw)),
  blkreplay: driver('image', (value) => isRef(value.image)),
  bochs: format,
  cloop: format,
  compress: format,
  'copy-before-write': driver(
    'file target bitmap on-cbw-error cbw-timeout min-cluster-size',
    (value) =>
      isRef(value.file) &&
      isRef(value.target) &&
      (value.bitmap === undefined || isBitmap(value.bitmap)) &&
      (value['on-cbw-error'] === undefined || isOnCbwError(value['on-cbw-error'])) &&
      (value['cbw-timeout'] === undefined || isUint32(value['cbw-timeout'])) &&
      (value['min-cluster-size'] === undefined || isUint64(value['min-cluster-size'])),
  ),
  'copy-on-read': driver(
    'file bottom',
    (value) => isRef(value.file) && (value.bottom === undefined || typeof value.bottom === 'string'),
  ),
  dmg: format,
  file,
  ftp: driver(curlMembers, hasCurl),
  ftps: driver(
    `${curlMembers} sslverify`,
    (value) => hasCurl(value) && (value.sslverify === undefined || typeof value.sslverify === 'boolean'),
  ),
  gluster: driver(
    'volume path server debug logfile',
    (value) =>
      typeof value.volume === 'string' &&
      typeof value.path === 'string' &&
      isArray(value.server, isSocketAddress) &&
      (value.debug === undefined || isInt(value.debug)) &&
      (value.logfile === undefined || typeof value.logfile === 'string'),
  ),
  host_cdrom: file,
  host_device: file,
  http: driver(
    `${curlMembers} cookie cookie-secret`,
    (value) =>
      hasCurl(value) &&
      (value.cookie === undefined || typeof value.cookie === 'string') &&
      (value['cookie-secret'] === undefined || typeof value['cookie-secret'] === 'string'),
  ),
  https: driver(
    `${curlMembers} cookie sslverify cookie-secret`,
    (value) =>
      hasCurl(value) &&
      (value.cookie === undefined || typeof value.cookie === 'string') &&
      (value.sslverify === undefined || typeof value.sslverify === 'boolean') &&
      (value['cookie-secret'] === undefined || typeof value['cookie-secret'] === 'string'),
  ),
  io_uring: driver('filename', (value) => typeof value.filename === 'string'),
  iscsi: driver(
    'transport portal target lun user password-secret initiator-name header-digest timeout',
    (value) =>
      isIscsiTransport(value.transport) &&
      typeof value.portal === 'string' &&
      typeof value.target === 'string' &&
      (value.lun === undefined || isInt(value.lun)) &&
      (value.user === undefined || typeof value.user === 'string') &&
      (value['password-secret'] === undefined || typeof value['password-secret'] === 'string') &&
      (value['initiator-name'] === undefined || typeof value['initiator-name'] === 'string') &&
      (value['header-digest'] === undefined || isIscsiDigest(value['header-digest'])) &&
      (value.timeout === undefined || isInt(value.timeout)),
  ),
  luks: driver(
    'file key-secret header',
    (value) =>
      isRef(value.file) &&
      (value['key-secret'] === undefined || typeof value['key-secret'] === 'string') &&
      (value.header === undefined || isRef(value.header)),
  ),
  nbd: driver(
    'server export tls-creds tls-hostname x-dirty-bitmap reconnect-delay open-timeout',
    (value) =>
      isSocketAddress(value.server) &&
      (value.export === undefined || typeof value.export === 'string') &&
      (value['tls-creds'] === undefined || typeof value['tls-creds'] === 'string') &&
      (value['tls-hostname'] === undefined || typeof value['tls-hostname'] === 'string') &&
      (value['x-dirty-bitmap'] === undefined || typeof value['x-dirty-bitmap'] === 'string') &&
      (value['reconnect-delay'] === undefined || isUint32(value['reconnect-delay'])) &&
      (value['open-timeout'] === undefined || isUint32(value['open-timeout'])),
  ),
  nfs: driver(
    'server path user group tcp-syn-count readahead-size page-cache-size debug',
    (value) =>
      isNfsServer(value.server) &&
      typeof value.path === 'string' &&
      (value.user === undefined || isInt(value.user)) &&
      (value.group === undefined || isInt(value.group)) &&
      (value['tcp-syn-count'] === undefined || isInt(value['tcp-syn-count'])) &&
      (value['readahead-size'] === undefined || isInt(value['readahead-size'])) &&
      (value['page-cache-size'] === undefined || isInt(value['page-cache-size'])) &&
      (value.debug === undefined || isInt(value.debug)),
  ),
  'null-aio': nullDriver,
  'null-co': nullDriver,
  nvme: driver('device namespace', (value) => typeof value.device === 'string' && isInt(value.namespace)),
  'nvme-io_uring': path,
  parallels: format,
  preallocate: driver(
    'file prealloc-align prealloc-size',
    (value) =>
      isRef(value.file) &&
      (value['prealloc-align'] === undefined || isInt(value['prealloc-align'])) &&
      (value['prealloc-size'] === undefined || isInt(value['prealloc-size'])),
  ),
  qcow2: driver(
    `file backing lazy-refcounts pass-discard-request pass-discard-snapshot pass-discard-other discard-no-unref overlap-check cache-size l2-cache-size l2-cache-entry-size refcount-cache-size cache-clean-interval encrypt data-file`,
    (value) =>
      isRef(value.file) &&
      (value.backing === undefined || isRefOrNull(value.backing)) &&
      (value['lazy-refcounts'] === undefined || typeof value['lazy-refcounts'] === 'boolean') &&
      (value['pass-discard-request'] === undefined || typeof value['pass-discard-request'] === 'boolean') &&
      (value['pass-discard-snapshot'] === undefined || typeof value['pass-discard-snapshot'] === 'boolean') &&
      (value['pass-discard-other'] === undefined || typeof value['pass-discard-other'] === 'boolean') &&
      (value['discard-no-unref'] === undefined || typeof value['discard-no-unref'] === 'boolean') &&
      (value['overlap-check'] === undefined ||
        isOverlapCheckMode(value['overlap-check']) ||
        isOverlapCheckFlags(value['overlap-check'])) &&
      (value['cache-size'] === undefined || isInt(value['cache-size'])) &&
      (value['l2-cache-size'] === undefined || isInt(value['l2-cache-size'])) &&
      (value['l2-cache-entry-size'] === undefined || isInt(value['l2-cache-entry-size'])) &&
      (value['refcount-cache-size'] === undefined || isInt(value['refcount-cache-size'])) &&
      (value['cache-clean-interval'] === undefined || isInt(value['cache-clean-interval'])) &&
      (value.encrypt === undefined || isQcow2Encryption(value.encrypt)) &&
      (value['data-file'] === undefined || isRef(value['data-file'])),
  ),
  qcow: driver(
    'file backing encrypt',
    (value) =>
      isRef(value.file) &&
      (value.backing === undefined || isRefOrNull(value.backing)) &&
      (value.encrypt === undefined || isQcowEncryption(value.encrypt)),
  ),
  qed: cowFormat,
  quorum: driver(
    'blkverify children vote-threshold rewrite-corrupted read-pattern',
    (value) =>
      (value.blkverify === undefined || typeof value.blkverify === 'boolean') &&
      isArray(value.children, isRef) &&
      isInt(value['vote-threshold']) &&
      (value['rewrite-corrupted'] === undefined || typeof value['rewrite-corrupted'] === 'boolean') &&
      (value['read-pattern'] === undefined || isReadPattern(value['read-pattern'])),
  ),
  raw: driver(
    'file offset size',
    (value) =>
      isRef(value.file) &&
      (value.offset === undefined || isInt(value.offset)) &&
      (value.size === undefined || isInt(value.size)),
  ),
  rbd: driver(
    'pool namespace image conf snapshot encrypt user auth-client-required key-secret server',
    (value) =>
      typeof value.pool === 'string' &&
      (value.namespace === undefined || typeof value.namespace === 'string') &&
      typeof value.image === 'string' &&
      (value.conf === undefined || typeof value.conf === 'string') &&
      (value.snapshot === undefined || typeof value.snapshot === 'string') &&
      (value.encrypt === undefined || isRbdEncryption(value.encrypt)) &&
      (value.user === undefined || typeof value.user === 'string') &&
      (value['auth-client-required'] === undefined || isArray(value['auth-client-required'], isRbdAuthMode)) &&
      (value['key-secret'] === undefined || typeof value['key-secret'] === 'string') &&
      (value.server === undefined || isArray(value.server, isInetBase)),
  ),
  replication: driver(
    'file mode top-id',
    (value) =>
      isRef(value.file) &&
      isReplicationMode(value.mode) &&
      (value['top-id'] === undefined || typeof value['top-id'] === 'string'),
  ),
  'snapshot-access': format,
  ssh: driver(
    'server path user host-key-check',
    (value) =>
      isInet(value.server) &&
      typeof value.path === 'string' &&
      (value.user === undefined || typeof value.user === 'string') &&
      (value['host-key-check'] === undefined || isHostKeyCheck(value['host-key-check'])),
  ),
  throttle: driver('throttle-group file', (value) => typeof value['throttle-group'] === 'string' && isRef(value.file)),
  vdi: format,
  vhdx: format,
  'virtio-blk-vfio-pci': path,
  'virtio-blk-vhost-user': path,
  'virtio-blk-vhost-vdpa': path,
  vmdk: cowFormat,
  vpc: format,
  vvfat: driver(
    'dir fat-type floppy label rw',
    (value) =>
      typeof value.dir === 'string' &&
      (value['fat-type'] === undefined || isInt(value['fat-type'])) &&
      (value.floppy === undefined || typeof value.floppy === 'boolean') &&
      (value.label === undefined || typeof value.label === 'string') &&
      (value.rw === undefined || typeof value.rw === 'boolean'),
  ),
});
