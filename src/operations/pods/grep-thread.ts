import { z } from 'zod';
import { answerRequests } from '../../processes/answer-requests.ts';

/** A thread that may be ended at any moment: some patterns take longer than the universe, and a loop cannot stop them. */
const Pattern = z.object({ source: z.string(), flags: z.string() });
const Lines = z.array(z.string());
/** What stands further right in a line is not looked at. */
const looked = 20_000;

answerRequests((request, data) => {
  const { source, flags } = Pattern.parse(data);
  const pattern = new RegExp(source, flags);
  return Lines.parse(request).map((line) => pattern.test(line.slice(0, looked)));
});
