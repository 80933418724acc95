/** Text of TSDoc comments in generated code: paragraphs, then tags. */

import { formatCondition } from '../condition.js';
import { withoutElision } from '../elision.js';
import type { Alternative, Branch, Condition, Doc, DocEntry, DocExample, EnumType, Feature, Part } from '../model.js';
import { newestFeatures } from '../model/variants.js';
import { allVersions, describeVersions, type Versions } from '../model/versions.js';
import { optional } from '../optional.js';
import { codeSpan, escapeTags, toMarkdown } from './markdown.js';

/** Matches `(since 2.10)` at the end of text, or `Since 2.10` as its last paragraph. */
const sinceAtEnd = /(?:[ \n]{0,2}\(since:? (?:QEMU )?|(?:^|\n\n)since:? )(\d+(?:\.\d+)+)(\)?)(\.?)$/iu;

/** The properties of a definition that its comment describes. */
interface DefinitionFacts extends Part {
  readonly doc?: Doc;
  readonly features: readonly Feature[];
}

/** The properties of a member or enum value that its comment describes. */
interface MemberFacts extends Part {
  readonly name: string;
  readonly features: readonly Feature[];
}

type Texts = readonly (string | undefined)[];

export class Comments {
  readonly #prose: boolean;
  readonly #link: (name: string) => string | undefined;
  readonly #versions: readonly string[];

  /**
   * @param showProse whether to include documentation text, or only facts: versions, features and conditions
   * @param link returns the target of `{@link}` for the name of a definition, or undefined if it has none
   * @param versions the versions of a range, oldest first
   */
  constructor(showProse: boolean, link: (name: string) => string | undefined, versions: readonly string[] = []) {
    this.#prose = showProse;
    this.#link = link;
    this.#versions = versions;
  }

  /**
   * Returns the text of a definition's comment, or undefined if it would be empty.
   *
   * @param see the definition's address in a manual
   * @param remark a further paragraph
   */
  definition(facts: DefinitionFacts, see?: string, remark?: string): string | undefined {
    const { doc, condition } = facts;
    const features = this.#features(facts);
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
        this.#versionNote(facts),
        conditionNote(condition),
        this.#featureList(features, doc),
      ],
      tags,
    );
  }

  /**
   * Returns the text of a member's comment, or undefined if it would be empty.
   *
   * @param doc the documentation of the member's definition
   * @param owner the versions of a range that have that definition, if not all have it
   */
  member(facts: MemberFacts, doc: Doc | undefined, owner?: Versions): string | undefined {
    const { name, condition } = facts;
    const features = this.#features(facts, owner);
    const entry: DocEntry | undefined = doc?.members.get(name);
    const tags = [
      ...this.#featureTags(features, doc),
      entry?.since === undefined ? undefined : `@since ${entry.since}`,
    ];
    return join(
      [
        this.#text(withoutSince(entry?.text, entry?.since), doc),
        this.#versionNote(facts),
        conditionNote(condition),
        this.#featureList(features, doc),
      ],
      tags,
    );
  }

  /** Returns the text of the comment of branches that share a type, or undefined if it would be empty. */
  branches(branches: readonly Branch[], discriminator: EnumType): string | undefined {
    const [first] = branches;
    if (first && branches.length === 1) {
      const value = discriminator.values.find(({ name }) => name === first.name);
      const condition = first.condition ?? value?.condition;
      const features = value?.features ?? [];
      return this.member(
        { name: first.name, features, ...optional('condition', condition), ...optional('in', first.in) },
        discriminator.doc,
        discriminator.in,
      );
    }
    // Omit tags: each applies to one branch, not to all.
    return list(branches.map((branch) => [branch.name, [this.#versionNote(branch), conditionNote(branch.condition)]]));
  }

  /** Returns a list of alternatives for the comment of their type, or undefined if it would be empty. */
  alternatives(alternatives: readonly Alternative[], doc: Doc | undefined): string | undefined {
    return list(
      alternatives.map(({ name, condition, ...part }) => [
        name,
        [this.#text(doc?.members.get(name)?.text, doc), this.#versionNote(part), conditionNote(condition)],
      ]),
    );
  }

  /** Returns the text of the comment of what only some versions have. */
  form(versions: Versions): string {
    return `${describeVersions(versions, this.#versions)}.`;
  }

  #versionNote({ in: versions }: Part): string | undefined {
    return versions === undefined ? undefined : this.form(versions);
  }

  #features(part: Part & { readonly features: readonly Feature[] }, owner?: Versions): Feature[] {
    return newestFeatures(part, owner ?? allVersions(this.#versions.length));
  }

  #text(text: string | undefined, doc: Doc | undefined): string | undefined {
    const full = text === undefined ? '' : withoutElision(text);
    if (!this.#prose || full === '') return undefined;
    // A name that is also one of the definition's own members means that member.
    const link = (name: string): string | undefined => (doc?.members.has(name) ? undefined : this.#link(name));
    return escapeTags(toMarkdown(full, link));
  }

  #tag(tag: string, text: string | undefined, doc: Doc | undefined): string | undefined {
    const markdown = this.#text(text, doc);
    if (markdown === undefined) return undefined;
    // Lists, quotations and code blocks begin on their own line.
    return `${tag}${/^(?:[->*]|\d+\.|```)/u.test(markdown) ? '\n' : ' '}${markdown}`;
  }

  #exampleTag({ title, text, annotated }: DocExample, doc: Doc): string {
    const content = annotated ? this.#text(text, doc) : codeBlock(text);
    return `@example${title === undefined ? '' : ` ${escapeTags(title)}`}\n${content ?? ''}`;
  }

  #featureTags(features: readonly Feature[], doc: Doc | undefined): string[] {
    return features.flatMap((feature) => {
      if (feature.name === 'deprecated') return [['@deprecated', ...this.#featureTexts(feature, doc)].join(' ')];
      // In TSDoc, this tag has no text.
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

/** Removes the version that the `@since` tag repeats. */
function withoutSince(text: string | undefined, since: string | undefined): string | undefined {
  return text?.replace(sinceAtEnd, (whole, version: string, parenthesis: string, period: string) => {
    if (version !== since) return whole;
    return parenthesis === '' ? '' : period;
  });
}

/** Returns a Markdown list, or undefined if no item has text. */
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

function join(paragraphs: Texts, tags: Texts): string | undefined {
  const joinDefined = (parts: Texts, separator: string): string =>
    parts.filter((part) => part !== undefined).join(separator);
  const text = [joinDefined(paragraphs, '\n\n'), joinDefined(tags, '\n')].filter((part) => part !== '').join('\n\n');
  return text === '' ? undefined : text;
}
