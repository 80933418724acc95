/** Compares the server's version of QEMU to that of the generated code. */

const unchecked = 'cannot compare versions';

/**
 * Returns a warning if the server and the generated code are of different minor versions.
 *
 * @param generated the version of the generated code, if it is known
 * @param ask returns the version as reported by the server
 * @throws whatever `ask` throws
 */
export async function versionProblem(
  generated: string | undefined,
  ask: () => Promise<unknown>,
): Promise<string | undefined> {
  if (generated === undefined) return `${unchecked}: the generated code does not name its QEMU version`;
  // An agent may report anything.
  const [server, minor = ''] = /^(\d{1,5}\.\d{1,5}\.)\d{1,5}/u.exec(String(await ask())) ?? [];
  if (server === undefined) return `${unchecked}: the server did not report one`;
  if (generated.startsWith(minor)) return undefined;
  return `the server is QEMU ${server}, but the generated code is for ${generated}: run npx qapi-ts drift to see the differences`;
}
