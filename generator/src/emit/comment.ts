/** Documentation comments of the generated code (TSDoc): paragraphs, then tags. */

import { formatCondition } from '../condition.js';
import type { Alternative, Branch, Condition, Doc, DocEntry, DocExample, EnumType, Feature } from '../model.js';
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

type Texts = readonly (string | undefined)[];

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
   * @param remark a further paragraph
   * @returns the text between the marks of the comment, or undefined when there is nothing to say
   */
  definition({ doc, condition, features }: DefinitionFacts, see?: string, remark?: string): string | undefined {
    const tags = [
      this.#tag('@returns', doc?.returns, doc),
      this.#tag('@throws', doc?.errors, doc),
      ...(this.#prose && doc ? doc.examples.map(exampleTag) : []),
      ...this.#featureTags(features, doc),
      doc?.since === undefined ? undefined : `@since ${doc.since}`,
      see === undefined ? undefined : `@see {@link ${see}}`,
    ];
    return join([this.#text(doc?.body, doc), remark, conditionNote(condition), this.#featureList(features, doc)], tags);
  }

  /** @param doc that of the definition which the member belongs to */
  member({ name, condition, features }: MemberFacts, doc: Doc | undefined): string | undefined {
    const entry: DocEntry | undefined = doc?.members.get(name);
    const tags = [
      ...this.#featureTags(features, doc),
      entry?.since === undefined ? undefined : `@since ${entry.since}`,
    ];
    return join([this.#text(entry?.text, doc), conditionNote(condition), this.#featureList(features, doc)], tags);
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
    return list(branches.map(({ name, condition }) => [name, [conditionNote(condition)]]));
  }

  /** What the alternatives are, for the comment of their type. Since when is told only where texts are. */
  alternatives(alternatives: readonly Alternative[], doc: Doc | undefined): string | undefined {
    return list(
      alternatives.map(({ name, condition }) => [
        name,
        [this.#text(doc?.members.get(name)?.text, doc), conditionNote(condition)],
      ]),
    );
  }

  #text(text: string | undefined, doc: Doc | undefined): string | undefined {
    const full = text?.replace(elided, '').trim();
    if (!this.#prose || full === undefined || full === '') return undefined;
    // In the comment of a definition, the names of its own members mean them.
    const link = (name: string): string | undefined => (doc?.members.has(name) ? undefined : this.#link(name));
    return escapeComment(toMarkdown(full, link));
  }

  #tag(tag: string, text: string | undefined, doc: Doc | undefined): string | undefined {
    const markdown = this.#text(text, doc);
    if (markdown === undefined) return undefined;
    // A list or the like begins on a line of its own.
    return `${tag}${/^(?:[->*]|\d+\.|```)/u.test(markdown) ? '\n' : ' '}${markdown}`;
  }

  #featureTags(features: readonly Feature[], doc: Doc | undefined): string[] {
    return features.flatMap((feature) => {
      const tag = featureTags.get(feature.name);
      const texts = this.#featureText(feature, doc).filter((text) => text !== undefined);
      return tag === undefined ? [] : [[tag, ...texts].join(' ')];
    });
  }

  #featureList(features: readonly Feature[], doc: Doc | undefined): string | undefined {
    const others = features.filter(({ name }) => !featureTags.has(name));
    if (others.length === 0) return undefined;
    return `Features:\n\n${others.map((feature) => listItem(feature.name, this.#featureText(feature, doc))).join('\n')}`;
  }

  #featureText(feature: Feature, doc: Doc | undefined): Texts {
    return [this.#text(doc?.features.get(feature.name)?.text, doc), conditionNote(feature.condition)];
  }
}

/** @returns undefined when there is nothing to say of any of them */
function list(items: readonly (readonly [name: string, texts: Texts])[]): string | undefined {
  if (items.every(([, texts]) => texts.every((text) => text === undefined))) return undefined;
  return items.map(([name, texts]) => listItem(name, texts)).join('\n');
}

function listItem(name: string, texts: Texts): string {
  const text = texts.filter((part) => part !== undefined).join(' ');
  return text === '' ? `- \`${name}\`` : `- \`${name}\`: ${text.replaceAll('\n', '\n  ')}`;
}

function conditionNote(condition: Condition | undefined): string | undefined {
  return condition && `Only in builds with \`${escapeComment(formatCondition(condition))}\`.`;
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
