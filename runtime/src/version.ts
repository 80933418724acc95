/** Whether a server is of the QEMU that a client was generated from. */

const unchecked = "the server's version is not checked";

/**
 * @param generated the version of the generated code, where it is of one
 * @param ask what the server tells of its own version
 * @returns what there is to warn of: nothing when both are of one minor version
 * @throws what `ask` throws
 */
export async function versionProblem(
  generated: string | undefined,
  ask: () => Promise<unknown>,
): Promise<string | undefined> {
  if (generated === undefined) return `${unchecked}: the generated code is of no known QEMU`;
  // An agent may tell anything.
  const [server, minor = ''] = /^(\d{1,5}\.\d{1,5}\.)\d{1,5}/u.exec(String(await ask())) ?? [];
  if (server === undefined) return `${unchecked}: it tells none`;
  if (generated.startsWith(minor)) return undefined;
  return `the server is of QEMU ${server}, the generated code of ${generated}: npx qapi-ts drift tells what differs`;
}
