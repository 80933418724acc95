// The runtime's client, without a schema.
// @ts-check
import { Client, Connection } from '../../runtime/dist/index.js';

/**
 * @param {string} path @param {import('../../runtime/dist/index.js').ConnectOptions} [options]
 * @returns {Promise<Client<any, any>>}
 */
export async function connectOurs(path, options) {
  const protocol = /** @type {const} */ ({ handshake: 'greeting', withoutReply: [] });
  return new Client(await Connection.open({ path }, protocol, options));
}
