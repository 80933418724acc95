import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Backlog, Queue } from '../../runtime/src/queue.js';

/** An operation. `remove` removes the item at a fraction of the queue's length. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('push'), count: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('shift'), count: fc.integer({ min: 1, max: 100 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('remove'), at: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('takeAll') }) },
);

test('a queue behaves like an array, whatever the operations', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new Queue<{ number: number }>();
      const model: { number: number }[] = [];
      let last = 0;
      for (const action of steps) {
        if ('count' in action) {
          for (let index = 0; index < action.count; index += 1) {
            if (action.do === 'shift') {
              expect(queue.shift()).toBe(model.shift());
            } else {
              const item = { number: (last += 1) };
              expect(queue.push(item)).toBe(item.number);
              model.push(item);
            }
          }
        } else if ('at' in action) {
          const [item] = model.splice(Math.floor(action.at * model.length), 1);
          if (item) expect(queue.get(item.number)).toBe(item);
          expect(queue.remove(item?.number ?? last)).toBe(item !== undefined);
          expect(queue.get(item?.number ?? last)).toBeUndefined();
        } else {
          expect(queue.takeAll()).toEqual(model.splice(0));
        }
        expect([queue.length, queue.first]).toEqual([model.length, model[0]]);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([0, -1, 1.5, 2, 1e300, Infinity, Number.NaN])('no item has the number %d', (number) => {
  const queue = new Queue<string>();
  queue.push('the first');
  expect([queue.get(number), queue.remove(number), queue.length]).toEqual([undefined, false, 1]);
});

test('a queue takes linear time', () => {
  const queue = new Queue<number>();
  const timeOf = (count: number): number => {
    const begin = performance.now();
    for (let item = 0; item < count; item += 1) queue.push(item);
    // The length stays constant while all items are replaced.
    for (let item = 0; item < count; item += 1) queue.push(queue.shift() ?? 0);
    queue.takeAll();
    return performance.now() - begin;
  };
  timeOf(10_000);
  const [small, large] = [timeOf(20_000), timeOf(400_000)];
  expect(large / small).toBeLessThan(100);
});

test('an item that stays does not retain memory of later items', () => {
  const queue = new Queue<number>();
  const [first, second] = [queue.push(1), queue.push(2)];
  const begin = process.memoryUsage().heapUsed;
  for (let item = 0; item < 5_000_000; item += 1) queue.remove(queue.push(item));
  expect((process.memoryUsage().heapUsed - begin) / 1e6).toBeLessThan(20);
  expect([queue.length, queue.first, queue.get(second)]).toEqual([2, 1, 2]);
  expect(queue.remove(first)).toBe(true);
  expect([queue.shift(), queue.shift()]).toEqual([2, undefined]);
});

test('a backlog is bounded in number and in size', () => {
  const backlog = new Backlog<string>(3);
  expect([backlog.push('a'), backlog.push('b', 4096), backlog.push('c', 4097), backlog.push('d')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect([backlog.shift(), backlog.shift(), backlog.push('e', 8192), backlog.push('f')]).toEqual([
    'a',
    'b',
    true,
    false,
  ]);
  expect(backlog.takeAll()).toEqual(['d', 'e']);
  // An empty backlog has room for a message of any size.
  expect([backlog.push('g', 1e9), backlog.push('h')]).toEqual([true, false]);
  expect([backlog.shift(), backlog.shift(), backlog.push('i')]).toEqual(['g', undefined, true]);
});
