/** Finds the changes that explain the compiler errors that only the new types cause. */

import type { ts } from 'ts-morph';

import type { Change } from '../diff/change.js';
import { intersects, type View } from './affected.js';

interface Attributed {
  /** Places that only the compiler finds, by change. */
  readonly places: ReadonlyMap<Change, readonly ts.Node[]>;
  /** Errors that no breaking change explains. */
  readonly edits: readonly { readonly node: ts.Node; readonly start: number; readonly text: string }[];
}

/** Errors about implicit `any`, which follow from another error. */
const consequences = new Set([7005, 7006, 7031, 7034]);

/** @param affected the places where each breaking change affects the program */
export function attribute(
  old: View,
  newer: View,
  files: readonly ts.SourceFile[],
  affected: ReadonlyMap<Change, readonly ts.Node[]>,
): Attributed {
  const { compiler } = newer;
  const explained = new Set([...affected.values()].flat().map((node) => statementOf(compiler, node)));
  const places = new Map<Change, ts.Node[]>();
  const edits: { node: ts.Node; start: number; text: string }[] = [];
  for (const file of files) {
    const oldErrors = new Set(old.program.getSemanticDiagnostics(file).map(({ start, code }) => `${start} ${code}`));
    for (const { start = 0, length = 0, code, messageText } of newer.program.getSemanticDiagnostics(file)) {
      if (oldErrors.has(`${start} ${code}`) || consequences.has(code)) continue;
      const node = nodeAt(compiler, file, start, length);
      if (explained.has(statementOf(compiler, node))) continue;
      const text = compiler.flattenDiagnosticMessageText(messageText, '\n');
      const changes = [...affected.keys()].filter((change) => explains(change, text, node, old));
      for (const change of changes) places.set(change, [...(places.get(change) ?? []), node]);
      if (changes.length === 0) edits.push({ node, start, text: text.split('\n')[0] ?? '' });
    }
  }
  return { places, edits };
}

/** Returns whether an error is due to a change: it names the changed part, at a value whose type contains it. */
function explains({ place, side, uses }: Change, text: string, node: ts.Node, view: View): boolean {
  const name = place.value ?? place.member;
  if (name === undefined || !text.split(/[^\w-]+/u).includes(name)) return false;
  const checker = view.program.getTypeChecker();
  const isExpected = side === 'callers';
  if (isExpected && !view.compiler.isExpression(node)) return false;
  const type = isExpected ? checker.getContextualType(node as ts.Expression) : checker.getTypeAtLocation(node);
  const reached = type && view.code.reach(type);
  return reached !== undefined && uses.some((use) => intersects(view.code.find(use).members, reached));
}

/** Returns the innermost node that contains a span. */
function nodeAt(compiler: View['compiler'], file: ts.SourceFile, start: number, length: number): ts.Node {
  let found: ts.Node = file;
  const visit = (node: ts.Node): void => {
    if (node.getStart(file) > start || node.end < start + length) return;
    found = node;
    compiler.forEachChild(node, visit);
  };
  compiler.forEachChild(file, visit);
  return found;
}

function statementOf(compiler: View['compiler'], node: ts.Node): ts.Node {
  const isStatement = (one: ts.Node): boolean =>
    one.kind >= compiler.SyntaxKind.FirstStatement && one.kind <= compiler.SyntaxKind.LastStatement;
  return compiler.findAncestor(node, isStatement) ?? node.getSourceFile();
}
