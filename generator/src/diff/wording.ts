/** Phrases for changes. Each is a predicate whose subject is the part that changed. */

export interface Wording {
  /** Only the new side has it. */
  readonly isNew: string;
  /**
   * Only the old side has it.
   *
   * @param warnings its features that are warnings, such as `deprecated`
   */
  isGone(warnings: readonly string[]): string;
  isNewType(type: string): string;
  isGoneType(type: string): string;
  /** @param state such as `optional` */
  is(state: string): string;
  isNot(state: string): string;
  /** @param warning a feature such as `deprecated` */
  hasWarning(warning: string): string;
  hasFeature(feature: string): string;
  lacksFeature(feature: string): string;
  hasType(newType: string, oldType: string): string;
  /** @param ofType ` of 'Type'`, or empty */
  isNewValue(ofType: string): string;
  isGoneValue(ofType: string, warnings: readonly string[]): string;
  readonly canBeCalledOob: string;
  readonly cannotBeCalledOob: string;
}

/** For two schemas, one newer than the other. */
export const ofVersions: Wording = {
  isNew: 'is new',
  isGone: (warnings) => `was removed${announced(warnings)}`,
  isNewType: (type) => `is new: ${type}`,
  isGoneType: (type) => `was removed: ${type}`,
  is: (state) => `is now ${state}`,
  isNot: (state) => `is no longer ${state}`,
  hasWarning: (warning) => `is now ${warning}`,
  hasFeature: (feature) => `now has the feature '${feature}'`,
  lacksFeature: (feature) => `no longer has the feature '${feature}'`,
  hasType: (newType, oldType) => `changed from ${oldType} to ${newType}`,
  isNewValue: (ofType) => `is a new value${ofType}`,
  isGoneValue: (ofType, warnings) => `is no longer a value${ofType}${announced(warnings)}`,
  canBeCalledOob: 'can now be called out of band',
  cannotBeCalledOob: 'can no longer be called out of band',
};

function announced(warnings: readonly string[]): string {
  return warnings.length > 0 ? ` (it was ${warnings.join(' and ')})` : '';
}

/** For a schema, which is the old side, and a server, which may be older. */
export const ofServer: Wording = {
  isNew: 'is missing from the schema',
  isGone: (warnings) =>
    `is missing from the server${warnings.length > 0 ? ` (in the schema, it is ${warnings.join(' and ')})` : ''}`,
  isNewType: (type) => `is missing from the schema; on the server, it is ${type}`,
  isGoneType: (type) => `is missing from the server; in the schema, it is ${type}`,
  is: (state) => `is ${state} on the server`,
  isNot: (state) => `is not ${state} on the server`,
  hasWarning: (warning) => `is ${warning} on the server`,
  hasFeature: (feature) => `has the feature '${feature}' only on the server`,
  lacksFeature: (feature) => `lacks the feature '${feature}' on the server`,
  hasType: (newType, oldType) => `is ${newType} on the server, but ${oldType} in the schema`,
  isNewValue: (ofType) => `is a value${ofType} only on the server`,
  isGoneValue: (ofType, warnings) =>
    `is a value${ofType} only in the schema${warnings.length > 0 ? `, where it is ${warnings.join(' and ')}` : ''}`,
  canBeCalledOob: 'can be called out of band on the server',
  cannotBeCalledOob: 'cannot be called out of band on the server',
};
