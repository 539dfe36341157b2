import { setTimeout as sleep } from 'node:timers/promises';
import { answerRequests } from '../../src/processes/answer-requests.ts';

/** A thread for tests: it answers what it is asked, throws, hangs, eats memory, or dies in one of several ways. */
answerRequests((request) => {
  switch (request) {
    case 'throw':
      throw new RangeError('too much of it');
    case 'hang':
      for (;;);
    case 'eat': {
      const eaten: unknown[] = [];
      for (;;) eaten.push(new Array(100_000).fill(eaten.length));
    }
    case 'die later':
      void sleep(1).then(() => {
        throw new Error('nobody catches this');
      });
      return 'so far, so good';
    case 'exit':
      return process.exit(3);
    default:
      return request;
  }
});
