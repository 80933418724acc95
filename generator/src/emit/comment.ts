/** Documentation comments of the generated code (TSDoc): paragraphs, then tags. */

import { formatCondition } from '../condition.js';
import type { Branch, Condition, Doc, DocEntry, DocExample, EnumType, Feature } from '../model.js';
import { optional } from '../optional.js';
import { escapeComment, toMarkdown } from './markdown.js';

/** What `qapi-ts vendor` writes in place of a text. */
const elided = /^\.\.\.(?=\s|$)/u;

const featureTags: ReadonlyMap<string, string> = new Map([
  ['deprecated', '@deprecated'],
  ['unstable', '@experimental'],
]);

/** What the comment of a definition is made from. */
export interface DefinitionFacts {
  readonly doc?: Doc;
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

/** What the comment of a member or value is made from. */
export interface MemberFacts {
  readonly name: string;
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

export class Comments {
  readonly #prose: boolean;
  readonly #link: (name: string) => string | undefined;

  /**
   * @param showProse whether texts are written out, or only facts: since when, deprecated, conditions
   * @param link what `{@link}` takes for the name of a definition
   */
  constructor(showProse: boolean, link: (name: string) => string | undefined) {
    this.#prose = showProse;
    this.#link = link;
  }

  /**
   * @param see the definition's address in a manual
   * @param remarks further paragraphs
   * @returns the text between the marks of the comment, or undefined when there is nothing to say
   */
  definition(
    { doc, condition, features }: DefinitionFacts,
    see?: string,
    remarks: readonly string[] = [],
  ): string | undefined {
    const tags = [
      this.#tag('@returns', doc?.returns),
      this.#tag('@throws', doc?.errors),
      ...(this.#prose && doc ? doc.examples.map(exampleTag) : []),
      ...this.#featureTags(features, doc),
      doc?.since === undefined ? undefined : `@since ${doc.since}`,
      see === undefined ? undefined : `@see {@link ${see}}`,
    ];
    return join([this.#text(doc?.body), ...remarks, conditionNote(condition), this.#featureList(features, doc)], tags);
  }

  /** @param doc that of the definition which the member belongs to */
  member({ name, condition, features }: MemberFacts, doc: Doc | undefined): string | undefined {
    const entry: DocEntry | undefined = doc?.members.get(name);
    const tags = [
      ...this.#featureTags(features, doc),
      entry?.since === undefined ? undefined : `@since ${entry.since}`,
    ];
    return join([this.#text(entry?.text), conditionNote(condition), this.#featureList(features, doc)], tags);
  }

  /** The comment of a union's branches, from what their discriminator's values say. */
  branches(branches: readonly Branch[], discriminator: EnumType): string | undefined {
    const [first] = branches;
    if (first && branches.length === 1) {
      const value = discriminator.values.find(({ name }) => name === first.name);
      const condition = first.condition ?? value?.condition;
      return this.member(
        { name: first.name, features: value?.features ?? [], ...optional('condition', condition) },
        discriminator.doc,
      );
    }
    // Tags are about one value each, and so do not belong to all of them together.
    const notes = branches.flatMap(({ name, condition }) =>
      condition ? [`- \`${name}\`: ${conditionNote(condition)}`] : [],
    );
    return notes.length === 0 ? undefined : notes.join('\n');
  }

  #text(text: string | undefined): string | undefined {
    const full = text?.replace(elided, '').trim();
    if (!this.#prose || full === undefined || full === '') return undefined;
    return escapeComment(toMarkdown(full, this.#link));
  }

  #tag(tag: string, text: string | undefined): string | undefined {
    const markdown = this.#text(text);
    return markdown === undefined ? undefined : `${tag} ${markdown}`;
  }

  #featureTags(features: readonly Feature[], doc: Doc | undefined): string[] {
    return features.flatMap((feature) => {
      const tag = featureTags.get(feature.name);
      return tag === undefined ? [] : [[tag, ...this.#featureText(feature, doc)].join(' ')];
    });
  }

  #featureList(features: readonly Feature[], doc: Doc | undefined): string | undefined {
    const others = features.filter(({ name }) => !featureTags.has(name));
    if (others.length === 0) return undefined;
    const items = others.map((feature) =>
      [`- \`${feature.name}\``, ...this.#featureText(feature, doc)].join(' ').replaceAll('\n', '\n  '),
    );
    return `Features:\n\n${items.join('\n')}`;
  }

  #featureText(feature: Feature, doc: Doc | undefined): string[] {
    const condition = feature.condition ? `(${conditionNote(feature.condition)})` : undefined;
    return [this.#text(doc?.features.get(feature.name)?.text), condition].filter((part) => part !== undefined);
  }
}

function conditionNote(condition: Condition | undefined): string | undefined {
  return condition && `Only where QEMU was built with \`${escapeComment(formatCondition(condition))}\`.`;
}

function exampleTag({ title, text }: DocExample): string {
  const longest = Math.max(2, ...(text.match(/`+/gu) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `@example${title === undefined ? '' : ` ${escapeComment(title)}`}\n${fence}json\n${escapeComment(text)}\n${fence}`;
}

function join(paragraphs: readonly (string | undefined)[], tags: readonly (string | undefined)[]): string | undefined {
  const there = (parts: readonly (string | undefined)[], separator: string): string =>
    parts.filter((part) => part !== undefined).join(separator);
  const text = [there(paragraphs, '\n\n'), there(tags, '\n')].filter((part) => part !== '').join('\n\n');
  return text === '' ? undefined : text;
}
