/** What a report says of a difference: predicates, whose subject is the part that differs. */

export interface Wording {
  /** Of what only the new side has. */
  readonly isNew: string;
  /**
   * Of what only the old side has.
   *
   * @param warnings features of it that warn, such as `deprecated`
   */
  isGone(warnings: readonly string[]): string;
  /** Of a type that only the new side has. */
  isNewType(type: string): string;
  isGoneType(type: string): string;
  /** @param state such as `optional` */
  is(state: string): string;
  isNot(state: string): string;
  /** @param warning a feature such as `deprecated` */
  hasWarning(warning: string): string;
  hasFeature(feature: string): string;
  lacksFeature(feature: string): string;
  hasType(now: string, old: string): string;
  /** @param ofType ` of 'Type'`, or nothing */
  isNewValue(ofType: string): string;
  isGoneValue(ofType: string, warnings: readonly string[]): string;
  readonly canBeCalledOob: string;
  readonly cannotBeCalledOob: string;
}

/** Of two versions: the new side comes after the old one. */
export const ofVersions: Wording = {
  isNew: 'is new',
  isGone: (warnings) => `is gone${announced(warnings)}`,
  isNewType: (type) => `is new: ${type}`,
  isGoneType: (type) => `is gone, it was ${type}`,
  is: (state) => `is now ${state}`,
  isNot: (state) => `is no longer ${state}`,
  hasWarning: (warning) => `is ${warning} now`,
  hasFeature: (feature) => `has the feature '${feature}' now`,
  lacksFeature: (feature) => `no longer has the feature '${feature}'`,
  hasType: (now, old) => `is now ${now}, was ${old}`,
  isNewValue: (ofType) => `is a new value${ofType}`,
  isGoneValue: (ofType, warnings) => `is no longer a value${ofType}${announced(warnings)}`,
  canBeCalledOob: 'can now be called out of band',
  cannotBeCalledOob: 'can no longer be called out of band',
};

function announced(warnings: readonly string[]): string {
  return warnings.length > 0 ? `, it was ${warnings.join(' and ')}` : '';
}

/** Of a schema, the old side, and a server: neither comes after the other. */
export const ofServer: Wording = {
  isNew: 'is missing from the schema',
  isGone: (warnings) =>
    `is missing from the server${warnings.length > 0 ? `; in the schema it is ${warnings.join(' and ')}` : ''}`,
  isNewType: (type) => `is missing from the schema: in the server it is ${type}`,
  isGoneType: (type) => `is missing from the server: in the schema it is ${type}`,
  is: (state) => `is ${state} in the server`,
  isNot: (state) => `is not ${state} in the server`,
  hasWarning: (warning) => `is ${warning} in the server`,
  hasFeature: (feature) => `has the feature '${feature}' in the server`,
  lacksFeature: (feature) => `lacks the feature '${feature}' in the server`,
  hasType: (now, old) => `is ${now} in the server, ${old} in the schema`,
  isNewValue: (ofType) => `is a value${ofType} in the server only`,
  isGoneValue: (ofType, warnings) =>
    `is a value${ofType} in the schema only${warnings.length > 0 ? `, where it is ${warnings.join(' and ')}` : ''}`,
  canBeCalledOob: 'can be called out of band in the server',
  cannotBeCalledOob: 'cannot be called out of band in the server',
};
