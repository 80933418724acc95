/** Documentation comments of the generated code (TSDoc): paragraphs, then tags. */

import { formatCondition } from '../condition.js';
import { withoutElision } from '../elision.js';
import type { Alternative, Branch, Condition, Doc, DocEntry, DocExample, EnumType, Feature } from '../model.js';
import { optional } from '../optional.js';
import { codeSpan, escapeTags, toMarkdown } from './markdown.js';

/** `(since 2.10)` at the end of a text, or `Since 2.10` as its last paragraph. */
const sinceAtEnd = /(?:[ \n]{0,2}\(since:? (?:QEMU )?|(?:^|\n\n)since:? )(\d+(?:\.\d+)+)(\)?)(\.?)$/iu;

/** What the comment of a definition is made from. */
interface DefinitionFacts {
  readonly doc?: Doc;
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

/** What the comment of a member or value is made from. */
interface MemberFacts {
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
      ...(this.#prose && doc ? doc.examples.map((example) => this.#exampleTag(example, doc)) : []),
      ...this.#featureTags(features, doc),
      doc?.since === undefined ? undefined : `@since ${doc.since}`,
      see === undefined ? undefined : `@see {@link ${see}}`,
    ];
    return join(
      [
        this.#text(withoutSince(doc?.body, doc?.since), doc),
        remark,
        conditionNote(condition),
        this.#featureList(features, doc),
      ],
      tags,
    );
  }

  /** @param doc that of the definition which the member belongs to */
  member({ name, condition, features }: MemberFacts, doc: Doc | undefined): string | undefined {
    const entry: DocEntry | undefined = doc?.members.get(name);
    const tags = [
      ...this.#featureTags(features, doc),
      entry?.since === undefined ? undefined : `@since ${entry.since}`,
    ];
    return join(
      [
        this.#text(withoutSince(entry?.text, entry?.since), doc),
        conditionNote(condition),
        this.#featureList(features, doc),
      ],
      tags,
    );
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
    const full = text === undefined ? '' : withoutElision(text);
    if (!this.#prose || full === '') return undefined;
    // In the comment of a definition, the names of its own members mean them.
    const link = (name: string): string | undefined => (doc?.members.has(name) ? undefined : this.#link(name));
    return escapeTags(toMarkdown(full, link));
  }

  #tag(tag: string, text: string | undefined, doc: Doc | undefined): string | undefined {
    const markdown = this.#text(text, doc);
    if (markdown === undefined) return undefined;
    // A list or the like begins on a line of its own.
    return `${tag}${/^(?:[->*]|\d+\.|```)/u.test(markdown) ? '\n' : ' '}${markdown}`;
  }

  #exampleTag({ title, text, annotated }: DocExample, doc: Doc): string {
    const content = annotated ? this.#text(text, doc) : codeBlock(text);
    return `@example${title === undefined ? '' : ` ${escapeTags(title)}`}\n${content ?? ''}`;
  }

  #featureTags(features: readonly Feature[], doc: Doc | undefined): string[] {
    return features.flatMap((feature) => {
      if (feature.name === 'deprecated') return [['@deprecated', ...this.#featureTexts(feature, doc)].join(' ')];
      // TSDoc gives this tag no text of its own.
      return feature.name === 'unstable' ? ['@experimental'] : [];
    });
  }

  #featureList(features: readonly Feature[], doc: Doc | undefined): string | undefined {
    const items = features.flatMap((feature) => {
      const texts = this.#featureTexts(feature, doc);
      if (feature.name === 'deprecated' || (feature.name === 'unstable' && texts.length === 0)) return [];
      return [listItem(feature.name, texts)];
    });
    return items.length === 0 ? undefined : `Features:\n\n${items.join('\n')}`;
  }

  #featureTexts(feature: Feature, doc: Doc | undefined): string[] {
    const texts = [this.#text(doc?.features.get(feature.name)?.text, doc), conditionNote(feature.condition)];
    return texts.filter((text) => text !== undefined);
  }
}

/** The text without what its tag says. */
function withoutSince(text: string | undefined, since: string | undefined): string | undefined {
  return text?.replace(sinceAtEnd, (whole, version: string, parenthesis: string, period: string) => {
    if (version !== since) return whole;
    return parenthesis === '' ? '' : period;
  });
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
  return condition && `Only in builds with ${escapeTags(codeSpan(formatCondition(condition)))}.`;
}

function codeBlock(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/gu) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}json\n${escapeTags(text)}\n${fence}`;
}

function join(paragraphs: readonly (string | undefined)[], tags: readonly (string | undefined)[]): string | undefined {
  const there = (parts: readonly (string | undefined)[], separator: string): string =>
    parts.filter((part) => part !== undefined).join(separator);
  const text = [there(paragraphs, '\n\n'), there(tags, '\n')].filter((part) => part !== '').join('\n\n');
  return text === '' ? undefined : text;
}
