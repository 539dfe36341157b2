import { answerRequests } from '../../processes/answer-requests.ts';
import { readManifest } from './read.ts';

/** The thread of `readApart`. */
answerRequests((text) => readManifest(String(text)));
