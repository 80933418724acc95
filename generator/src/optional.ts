/** Returns an object that has the property only if the value is defined: `{ ...optional('doc', doc) }`. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
