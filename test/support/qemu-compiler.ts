/** QEMU's own schema compiler, in Python. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The first error, or `accepted`. The error has no position if the compiler itself fails. */
export type Verdict = 'accepted' | { readonly file?: string; readonly line?: number; readonly message: string };

/** Prints the verdicts on schemas whose paths are given as JSON. One process for all files saves time. */
const verdicts = `
from qapi.error import QAPIError
from qapi.schema import QAPISchema

def verdict(path):
    try:
        QAPISchema(path)
        return 'accepted'
    except QAPIError as error:
        info = getattr(error, 'info', None)
        place = {'file': info.fname, 'line': info.line} if info else {}
        return {**place, 'message': getattr(error, 'msg', str(error))}
    except Exception as error:
        return {'message': 'failed: ' + repr(error)}

answer([verdict(path) for path in request])
`;

/** Prints the definitions of a schema, by module, in the notation of `shape.ts`. */
const shapes = `
import re
from qapi.schema import QAPISchema, QAPISchemaVisitor

def condition(value):
    if isinstance(value, str):
        return re.sub(r'defined\\((\\w+)\\)', r'\\1', value)
    if isinstance(value, list):
        return condition(value[0]) if len(value) == 1 else condition({'all': value})
    ((operator, operands),) = value.items()
    if operator == 'not':
        return '!' + operand(operands)
    return {'all': ' && ', 'any': ' || '}[operator].join(operand(value) for value in operands)

def operand(value):
    text = condition(value)
    return '(' + text + ')' if ' ' in text and 'not' not in value else text

def suffix(ifcond, features=()):
    value = getattr(ifcond, 'ifcond', ifcond)
    names = ', '.join(feature.name + suffix(feature.ifcond) for feature in features)
    return (' if ' + condition(value) if value else '') + (' [' + names + ']' if names else '')

def braces(parts):
    return '{ ' + ', '.join(parts) + ' }' if parts else '{}'

def type_name(of):
    if of.meta == 'array':
        return '[' + type_name(of.element_type) + ']'
    return members(of.local_members) if of.name.startswith('q_') else of.name

def members(of):
    return braces([it.name + ('?' if it.optional else '') + ': ' + type_name(it.type) + suffix(it.ifcond, it.features)
                   for it in of])

def choices(of):
    return braces([it.name + ('' if it.type.name == 'q_empty' else ': ' + type_name(it.type)) + suffix(it.ifcond)
                   for it in of])

def data(of):
    return '(' + (type_name(of) if of else '') + ')'

class Visitor(QAPISchemaVisitor):
    def __init__(self):
        self.shapes = []

    def visit_begin(self, schema):
        self.schema = schema

    def add(self, meta, name, rest, ifcond, features):
        if not self.schema.lookup_entity(name).is_implicit():
            self.shapes.append(meta + ' ' + name + rest + suffix(ifcond, features))

    def visit_enum_type(self, name, info, ifcond, features, values, prefix):
        parts = braces([it.name + suffix(it.ifcond, getattr(it, 'features', ())) for it in values])
        self.add('enum', name, (' prefix ' + prefix if prefix else '') + ' ' + parts, ifcond, features)

    def visit_object_type(self, name, info, ifcond, features, base, own, variants):
        if variants:
            head = ' : ' + (type_name(base) if base else members(own)) + ' by ' + variants.tag_member.name
            self.add('union', name, head + ' ' + choices(variants.variants), ifcond, features)
        else:
            self.add('struct', name, (' : ' + base.name if base else '') + ' ' + members(own), ifcond, features)

    def visit_alternate_type(self, name, info, ifcond, features, variants):
        self.add('alternate', name, ' ' + choices(variants.variants), ifcond, features)

    def visit_command(self, name, info, ifcond, features, arg_type, ret_type, gen, success_response, boxed, allow_oob,
                      allow_preconfig, coroutine):
        flags = {'boxed': boxed, 'no-gen': not gen, 'no-response': not success_response, 'oob': allow_oob,
                 'preconfig': allow_preconfig, 'coroutine': coroutine}
        words = ''.join(' ' + word for word, is_set in flags.items() if is_set)
        returns = ' -> ' + type_name(ret_type) if ret_type else ''
        self.add('command', name, data(arg_type) + returns + words, ifcond, features)

    def visit_event(self, name, info, ifcond, features, arg_type, boxed):
        self.add('event', name, data(arg_type) + (' boxed' if boxed else ''), ifcond, features)

visitor = Visitor()
QAPISchema(request).visit(visitor)
answer(visitor.shapes)
`;

/** Returns whether the compiler can run. If not, prints a warning. */
export function hasPython(leftOut: string): boolean {
  if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0) return true;
  console.warn(`SKIPPED, missing Python 3.8 or newer: ${leftOut}`);
  return false;
}

/** @param tree a QEMU source tree */
export function qemuVerdicts(tree: string, paths: readonly string[]): Verdict[] {
  return run(tree, verdicts, paths) as Verdict[];
}

/** @param path a valid schema */
export function qemuShapes(tree: string, path: string): string[] {
  return run(tree, shapes, path) as string[];
}

function run(tree: string, script: string, request: unknown): unknown {
  const prologue = `
import json, sys
sys.path.insert(0, sys.argv[1])
request = json.load(sys.stdin)
def answer(value):
    json.dump(value, sys.stdout)
`;
  const { status, stdout, stderr } = spawnSync('python3', ['-B', '-c', prologue + script, join(tree, 'scripts')], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`QEMU's compiler did not run: ${stderr}`);
  return JSON.parse(stdout);
}
